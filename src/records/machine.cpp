#include <sys/utsname.h>

#include <algorithm>

#include "core/file.hpp"
#include "hardware/cpu_info.hpp"
#include "records/content_hash.hpp"
#include "records/record.hpp"

namespace accelerate::records {
namespace {

// The number that the system gave itself when it was installed; empty in many containers.
std::string installation() {
  for (const char* path : {"/etc/machine-id", "/var/lib/dbus/machine-id"}) {
    try {
      return read_file(path, 1024);
    } catch (const Error&) {
      // Then it is told by its processor alone.
    }
  }
  return {};
}

std::string kernel() {
  utsname names{};
  if (uname(&names) != 0) return {};
  return std::string(names.sysname) + " " + names.release + " " + names.machine;
}

Machine read_machine() {
  const hardware::CpuInfo cpu = hardware::read_cpu_info();
  Machine machine;
  machine.cpu = cpu.name;
  machine.physical_cores = cpu.physical_cores;
  machine.logical_cpus = cpu.logical_cpus;
  machine.memory_bytes = cpu.memory_total;
  machine.kernel = kernel();
  // Summed, so that a record that is handed on does not carry the installation's own number. Memory and kernel are left
  // out: they change with updates.
  machine.id = sha256_of("ipfs-accelerate machine\n" + installation() + "\n" + cpu.name + "\n" +
                         std::to_string(cpu.logical_cpus))
                   .substr(0, 16);
  return machine;
}

}  // namespace

const Machine& this_machine() {
  static const Machine machine = read_machine();
  return machine;
}

}  // namespace accelerate::records
