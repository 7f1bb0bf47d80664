// Drivers and programs as a test wants them.
#pragma once

#include <filesystem>
#include <string>

#include "checkpoint/temporary_folder.hpp"
#include "core/environment.hpp"

namespace accelerate::test {

// The names under which probes look for drivers, all of them the fake one.
inline void link_fake_drivers(const std::filesystem::path& folder, const char* library = FAKE_DRIVER) {
  for (const char* name : {"libcuda.so.1", "libamdhip64.so.7", "libvulkan.so.1", "libze_loader.so.1", "libQnnHtp.so"}) {
    std::filesystem::create_symlink(library, folder / name);
  }
}

// A shell script that stands for a program.
inline std::filesystem::path script(const TemporaryFolder& folder, const std::string& name, const std::string& text) {
  const std::filesystem::path path = folder.write(name, "#!/bin/sh\n" + text + "\n");
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  return path;
}

}  // namespace accelerate::test
