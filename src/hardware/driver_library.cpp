#include "hardware/driver_library.hpp"

#include <dlfcn.h>

namespace accelerate::hardware {
namespace {

// The linker says so of the library itself and of one that it needs in turn: only the first is "absent".
bool says_absent(const std::string& message, const std::string& name) {
  return message.starts_with(name + ": cannot open shared object file: No such file");
}

}  // namespace

DriverLibrary::DriverLibrary(const std::vector<std::string>& names, std::string advice) : advice_(std::move(advice)) {
  std::string looked_for;
  for (const std::string& name : names) {
    handle_ = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle_ != nullptr) {
      name_ = name;
      return;
    }
    const char* said = dlerror();
    const std::string message = said == nullptr ? "" : said;
    if (!says_absent(message, name)) {
      throw Error(ErrorKind::device_failed, "cannot be opened: " + message, name, advice_);
    }
    looked_for += (looked_for.empty() ? "" : ", ") + name;
  }
  throw Error(ErrorKind::unavailable, "the dynamic linker finds no " + looked_for, {}, advice_);
}

void* DriverLibrary::address(const char* name) const {
  void* found = dlsym(handle_, name);
  if (found == nullptr) {
    throw Error(ErrorKind::unsupported,
                std::string("has no function ") + name + ": it is older than what is known of it", name_, advice_);
  }
  return found;
}

}  // namespace accelerate::hardware
