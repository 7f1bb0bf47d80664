// Finds and opens the shared library of a runtime that is not part of this build.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

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

// The value of an environment variable; empty where there is none.
std::filesystem::path path_from_environment(const char* name);

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
  template <typename Open>
  std::shared_ptr<const Library> get(const char* variable, Open&& open) {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<const Library>& library = opened_[path_from_environment(variable)];
    if (library == nullptr) library = open();
    return library;
  }

 private:
  std::mutex mutex_;
  std::map<std::filesystem::path, std::shared_ptr<const Library>> opened_;
};

// The address of a function of it, or null.
void* find_symbol(const OpenedLibrary& library, const char* name);

}  // namespace accelerate
