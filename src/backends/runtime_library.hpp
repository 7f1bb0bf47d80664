// Finds and opens the shared library of a runtime that is not part of this build.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "accelerate/error.hpp"
#include "core/variables.hpp"

namespace accelerate {

// Where users have a runtime.
struct RuntimeLibrary {
  std::string name;                            // "ONNX Runtime"
  std::string package;                         // as pip calls it
  std::string variable;                        // names a file of it, or a folder that holds it
  std::string prefix;                          // how its file names begin: "libonnxruntime."
  std::vector<std::string> known_to_loader;    // names under which the system's loader may know it
  std::vector<std::filesystem::path> folders;  // usual ones
  std::filesystem::path in_packages;           // its folder below that of Python's packages
};

// Where it may be, the best first: what the variable names alone if it is set, else what the system's loader knows by
// name, the usual folders, and the Python packages of this user, found without starting Python.
std::vector<std::filesystem::path> library_candidates(const RuntimeLibrary& library);

// Backend::files of what stands on it: the candidates that are files, and the folders in which it was looked for.
std::vector<std::string> library_files(const RuntimeLibrary& library);

struct OpenedLibrary {
  std::filesystem::path path;
  void* handle = nullptr;  // of dlopen
};

// The first candidate that opens. Error{unavailable} saying what was looked for and where, or why what was found does
// not open.
OpenedLibrary open_library(const RuntimeLibrary& library);

// A library that is opened once in a process, for each place that its variable names. One that was not found may be
// installed while we run: only success is kept.
template <typename Library>
class OpenedOnce {
 public:
  // Library is made from what open_library() gives; errors name `where`.
  std::shared_ptr<const Library> get(const RuntimeLibrary& runtime, const std::string& where) {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<const Library>& library = opened_[environment_variable(runtime.variable.c_str())];
    if (library != nullptr) return library;
    try {
      library.reset(new Library(open_library(runtime)));
    } catch (const Error& error) {
      throw error.within(where);
    }
    return library;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const Library>> opened_;
};

// Library::open(), or null where the library is not there, too old or cannot be used.
template <typename Library>
std::shared_ptr<const Library> opened_or_null() {
  try {
    return Library::open();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::unavailable && error.kind() != ErrorKind::unsupported) throw;
    return nullptr;
  }
}

// The address of a function of it, or null.
void* find_symbol(const OpenedLibrary& library, const char* name);

}  // namespace accelerate
