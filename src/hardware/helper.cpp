#include "hardware/helper.hpp"

#include <dlfcn.h>
#include <link.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/process.hpp"
#include "core/variables.hpp"
#include "hardware/device_report.hpp"

namespace accelerate::hardware {
namespace {

namespace fs = std::filesystem;
using End = ProcessResult::End;

// The program or shared library that this very code lies in.
fs::path own_file() {
  Dl_info info{};
  link_map* object = nullptr;
  std::error_code ignored;
  const int found =
      dladdr1(reinterpret_cast<const void*>(&own_file), &info, reinterpret_cast<void**>(&object), RTLD_DL_LINKMAP);
  // The program itself has no name there.
  const bool library = found != 0 && object != nullptr && *object->l_name != '\0';
  return fs::canonical(library ? object->l_name : "/proc/self/exe", ignored);
}

bool can_run(const fs::path& file) {
  std::error_code ignored;
  return fs::is_regular_file(file, ignored) && ::access(file.c_str(), X_OK) == 0;
}

// What it said last, in one line: often why it ended.
std::string last_line(const std::string& text) {
  const std::size_t end = text.find_last_not_of(" \n\r");
  if (end == std::string::npos) return {};
  const std::size_t begin = text.find_last_of('\n', end);
  const std::string line = text.substr(begin == std::string::npos ? 0 : begin + 1, end - (begin + 1) + 1);
  return "; it said last: " + line.substr(0, 200);
}

std::string seconds_text(std::chrono::milliseconds limit) {
  char text[32];
  std::snprintf(text, sizeof text, "%g s", static_cast<double>(limit.count()) / 1000);
  return text;
}

DeviceReport without_answer(const DeviceReport& row, const ProcessResult& result, std::chrono::milliseconds limit) {
  switch (result.end) {
    case End::timed_out:
      return failed(row, ProbeStage::timed_out,
                    "the probe gave no answer within " + seconds_text(limit) + " and was ended" + last_line(result.err),
                    "see the system's log (dmesg); --timeout gives a slow driver more time");
    case End::signalled:
      return failed(row, ProbeStage::crashed,
                    "the probe was ended by signal " + std::to_string(result.code) + " (" + strsignal(result.code) +
                        ")" + last_line(result.err),
                    result.code == SIGKILL ? "the system ends programs so when memory runs out: see its log (dmesg)"
                                           : "update the driver or the library that crashed");
    case End::flooded:
      return failed(row, ProbeStage::failed, "the probe answered without end", "report this with the device's name");
    case End::exited: break;
  }
  return failed(
      row, ProbeStage::failed,
      "the probe's answer is no report (exit code " + std::to_string(result.code) + ")" + last_line(result.err),
      "check that ACCELERATE_PROBE, where it is set, names this version's ipfs-accelerate-probe");
}

// A row that the probe could not name is the one that was asked about.
void name_rows(std::vector<DeviceReport>& reports, const DeviceReport& row) {
  for (DeviceReport& report : reports) {
    if (!report.name.empty()) continue;
    report.name = row.name;
    report.backend = row.backend;
    report.description = row.description;
  }
}

}  // namespace

fs::path find_helper() {
  if (const std::string chosen = environment_variable("ACCELERATE_PROBE"); !chosen.empty()) {
    if (can_run(chosen)) return chosen;
    throw Error(ErrorKind::unavailable, "is no program that can be run", "ACCELERATE_PROBE: " + chosen);
  }
  const fs::path folder = own_file().parent_path();
  std::string places;
  // Beside; from bin/ and lib/; from lib/x86_64-linux-gnu/.
  for (const char* way : {"", "../libexec/ipfs-accelerate", "../../libexec/ipfs-accelerate"}) {
    const fs::path file = (folder / way / kHelperName).lexically_normal();
    if (can_run(file)) return file;
    places += (places.empty() ? "" : ", ") + file.string();
  }
  throw Error(ErrorKind::unavailable, "the probing program is in none of these places: " + places, {},
              "install ipfs-accelerate whole, or set ACCELERATE_PROBE to ipfs-accelerate-probe");
}

ProbeAnswer Helper::ask(const std::vector<std::string>& probe, const DeviceReport& row) const {
  ProcessResult result;
  try {
    result = run_process(program_, {.arguments = probe, .limit = limit_, .cancellation = cancellation_});
    if (result.end == End::exited && result.code == 0) {
      ProbeAnswer answer = answer_from(result.out);
      name_rows(answer.reports, row);
      return answer;
    }
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) throw;
    if (error.kind() != ErrorKind::corrupted) return {.reports = {failed(row, ProbeStage::failed, error.what(), {})}};
  }
  return {.reports = {without_answer(row, result, limit_)}};
}

}  // namespace accelerate::hardware
