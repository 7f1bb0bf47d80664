// A driver's or runtime's shared library, opened at run time, with the few C functions that a probe calls.
//
// Only in the probing program: merely opening a broken driver may end the process.
#pragma once

#include <string>
#include <vector>

#include "accelerate/error.hpp"

namespace accelerate::hardware {

class DriverLibrary {
 public:
  // The first of `names` that the dynamic linker finds. Error{unavailable} naming all of them when there is none;
  // Error{device_failed} with the linker's words when one is there and cannot be opened. `advice` says how to get it.
  DriverLibrary(const std::vector<std::string>& names, std::string advice);

  // Error{unsupported}: the library is not of the version that has it.
  template <typename Function>
  Function* function(const char* name) const {
    return reinterpret_cast<Function*>(address(name));
  }
  const std::string& name() const { return name_; }

 private:
  void* address(const char* name) const;

  std::string name_, advice_;
  void* handle_ = nullptr;  // never closed: a driver may have started threads that run its code
};

}  // namespace accelerate::hardware
