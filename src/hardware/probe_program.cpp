#include "hardware/probe_program.hpp"

#include <link.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <new>
#include <set>

#include "accelerate/version.hpp"
#include "backends/backend.hpp"
#include "hardware/backend_probe.hpp"
#include "hardware/cpu_probe.hpp"
#include "hardware/device_report.hpp"
#include "hardware/probes/probes.hpp"

namespace accelerate::hardware {
namespace {

struct WrongUsage {};

// It goes with whoever started it, leaves no core file of a driver's crash, and is what the system ends first when
// memory runs out.
void be_expendable() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const rlimit none{};
  ::setrlimit(RLIMIT_CORE, &none);
  std::ofstream("/proc/self/oom_score_adj") << "1000";
}

// Standard output is the answer's alone: whatever a driver prints there goes to standard error from now on.
int take_standard_output() {
  const int own = ::dup(STDOUT_FILENO);
  ::dup2(STDERR_FILENO, STDOUT_FILENO);
  return own;
}

std::set<std::string> loaded_libraries() {
  std::set<std::string> names;
  ::dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* found) {
        if (info->dlpi_name[0] == '/') static_cast<std::set<std::string>*>(found)->insert(info->dlpi_name);
        return 0;
      },
      &names);
  return names;
}

std::vector<DeviceReport> probe_driver(const DriverProbe& probe) {
  DeviceReport row;
  row.name = probe.kind;
  row.description = probe.description;
  try {
    return probe.run();
  } catch (const Error& error) {
    return {failed(std::move(row), error)};
  }
}

std::vector<DeviceReport> probe_driver(std::string_view kind) {
  for (const DriverProbe& probe : driver_probes()) {
    if (probe.kind == kind) return probe_driver(probe);
  }
  throw WrongUsage{};
}

int threads_from(const std::string& text) {
  int threads = 0;
  const char* end = text.data() + text.size();
  if (std::from_chars(text.data(), end, threads).ptr != end || threads < 0 || threads > 1024) throw WrongUsage{};
  return threads;
}

std::vector<DeviceReport> probe(const std::vector<std::string>& words) {
  if (words.empty() || words.size() > 3) throw WrongUsage{};
  if (words[0] == "cpu") return {probe_cpu({.threads = words.size() > 1 ? threads_from(words[1]) : 0})};
  if (words[0] == "driver" && words.size() == 2) return probe_driver(words[1]);
  if (words[0] == "devices" && words.size() == 2) return list_backend(backend_named(words[1]));
  if (words[0] == "device" && words.size() == 3) return {probe_device(backend_named(words[1]), words[2])};
  throw WrongUsage{};
}

void write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = ::write(descriptor, text.data(), text.size());
    if (put <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(put));
  }
}

// What a probe's failure looks like when it is none that the probe itself could report.
DeviceReport unexpected(const Error& error) { return failed(DeviceReport{}, error); }

std::vector<DeviceReport> probe_reporting_all(const std::vector<std::string>& words) {
  try {
    return probe(words);
  } catch (const Error& error) {
    return {unexpected(error)};
  } catch (const std::bad_alloc&) {
    return {unexpected(Error(ErrorKind::out_of_memory, "the probe ran out of memory"))};
  } catch (const std::exception& error) {
    return {unexpected(Error(ErrorKind::internal, error.what()))};
  }
}

}  // namespace

Json to_json(const ProbeAnswer& answer) {
  Json json, libraries = Json::array();
  for (const std::string& path : answer.libraries) libraries.push(path);
  return json.set("reports", to_json(answer.reports)).set("libraries", std::move(libraries));
}

ProbeAnswer answer_from(const std::string& text) {
  const Json json = Json::parse(text, {});
  ProbeAnswer answer{.reports = reports_from(json.at("reports"))};
  for (const Json& path : json.at("libraries").items()) answer.libraries.push_back(path.as_string());
  return answer;
}

int run_probe_program(int argc, const char* const* argv) {
  const std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  if (words == std::vector<std::string>{"--version"}) {
    std::printf("ipfs-accelerate-probe %s\n", std::string(build_description()).c_str());
    return 0;
  }
  be_expendable();
  const int out = take_standard_output();
  const std::set<std::string> before = loaded_libraries();
  ProbeAnswer answer;
  try {
    answer.reports = probe_reporting_all(words);
  } catch (const WrongUsage&) {
    std::fputs("usage: ipfs-accelerate-probe cpu [THREADS] | driver KIND | devices BACKEND | device BACKEND NAME\n",
               stderr);
    return 2;
  }
  const std::set<std::string> after = loaded_libraries();
  std::set_difference(after.begin(), after.end(), before.begin(), before.end(), std::back_inserter(answer.libraries));
  write_all(out, to_json(answer).dump() + "\n");
  // Not exit(): what a driver does at the end of a program is no longer our concern.
  std::_Exit(0);
}

}  // namespace accelerate::hardware
