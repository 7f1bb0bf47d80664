#include "backends/runtime_library.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>

#include "accelerate/error.hpp"
#include "core/text.hpp"
#include "core/variables.hpp"

namespace accelerate {
namespace {

namespace fs = std::filesystem;

// Entries of a folder whose name begins so, the last in alphabetical order first: the newest version.
std::vector<fs::path> beginning_with(const fs::path& folder, const std::string& prefix) {
  std::vector<fs::path> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.path().filename().string().starts_with(prefix)) found.push_back(entry.path());
  }
  std::sort(found.rbegin(), found.rend());
  return found;
}

// Collects files of a library, and which folders were looked into.
class Search {
 public:
  explicit Search(const RuntimeLibrary& library) : library_(library) {}

  void folder(const fs::path& folder) {
    looked_into_.push_back(folder);
    const std::vector<fs::path> more = beginning_with(folder, library_.prefix);
    found_.insert(found_.end(), more.begin(), more.end());
  }

  // Python's packages below a prefix such as /usr/local or a virtual environment, in the folders in which pip puts
  // them.
  void packages(const fs::path& prefix) {
    if (prefix.empty()) return;
    for (const fs::path& python : beginning_with(prefix / "lib", "python3")) {
      for (const char* packages : {"site-packages", "dist-packages"}) folder(python / packages / library_.in_packages);
    }
  }

  // The library's own folder, that of an installation or that of Python's packages.
  void named(const fs::path& named) {
    folder(named);
    for (const fs::path& below : {fs::path("lib"), library_.in_packages.filename(), library_.in_packages,
                                  fs::path("runtime") / "lib" / "intel64"}) {
      folder(named / below);
    }
  }

  const std::vector<fs::path>& found() const { return found_; }
  const std::vector<fs::path>& looked_into() const { return looked_into_; }

 private:
  const RuntimeLibrary& library_;
  std::vector<fs::path> found_, looked_into_;
};

Search search(const RuntimeLibrary& library) {
  Search search(library);
  const fs::path named = environment_variable(library.variable.c_str());
  if (!named.empty()) {
    search.named(named);
    return search;
  }
  for (const fs::path& folder : library.folders) search.folder(folder);
  for (const char* prefix : {"VIRTUAL_ENV", "CONDA_PREFIX"}) search.packages(environment_variable(prefix));
  const fs::path home = environment_variable("HOME");
  if (!home.empty()) search.packages(home / ".local");
  search.packages("/usr/local");
  search.folder(fs::path("/usr/lib/python3/dist-packages") / library.in_packages);
  return search;
}

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return !path.empty() && !fs::is_directory(path, ignored);
}

}  // namespace

std::vector<fs::path> library_candidates(const RuntimeLibrary& library) {
  const fs::path named = environment_variable(library.variable.c_str());
  if (is_file(named)) return {named};
  std::vector<fs::path> candidates;
  if (named.empty()) candidates.assign(library.known_to_loader.begin(), library.known_to_loader.end());
  const Search searched = search(library);
  candidates.insert(candidates.end(), searched.found().begin(), searched.found().end());
  return candidates;
}

std::vector<std::string> library_files(const RuntimeLibrary& library) {
  std::vector<std::string> files;
  for (const fs::path& each : library_candidates(library)) {
    if (each.has_parent_path()) files.push_back(each.string());
  }
  const Search searched = search(library);
  for (const fs::path& folder : searched.looked_into()) files.push_back(folder.string());
  return files;
}

OpenedLibrary open_library(const RuntimeLibrary& library) {
  std::string why;
  for (const fs::path& place : library_candidates(library)) {
    void* handle = dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle != nullptr) return {place, handle};
    // A name that the loader does not know is no news; a file that is there, or that the user named, is.
    const auto& known = library.known_to_loader;
    if (why.empty() && std::find(known.begin(), known.end(), place) == known.end()) why = dlerror();
  }
  const std::string what =
      why.empty()
          ? " is not there; looked for " + library.prefix + "* by the system's loader and in " +
                joined(search(library).looked_into(), ", ", [](const fs::path& place) { return place.string(); })
          : " does not open: " + why;
  throw Error(
      ErrorKind::unavailable, library.name + what, {},
      "install it (pip install " + library.package + "), or name its library or folder with " + library.variable);
}

void* find_symbol(const OpenedLibrary& library, const char* name) { return dlsym(library.handle, name); }

}  // namespace accelerate
