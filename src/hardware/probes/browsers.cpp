// Browsers on PATH. What their WebGPU and WebNN can do only the browser itself can say.
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <sstream>

#include "hardware/device_report.hpp"
#include "hardware/probes/probes.hpp"

namespace accelerate::hardware {
namespace {

namespace fs = std::filesystem;

struct Browser {
  const char *program, *name;
};
// Several programs of one name are the same browser.
constexpr std::array<Browser, 10> kBrowsers = {{{"chromium", "chromium"},
                                                {"chromium-browser", "chromium"},
                                                {"google-chrome", "chrome"},
                                                {"google-chrome-stable", "chrome"},
                                                {"microsoft-edge", "edge"},
                                                {"microsoft-edge-stable", "edge"},
                                                {"firefox", "firefox"},
                                                {"firefox-esr", "firefox"},
                                                {"brave-browser", "brave"},
                                                {"vivaldi", "vivaldi"}}};

fs::path on_path(const std::string& program) {
  const char* variable = std::getenv("PATH");
  std::istringstream folders(variable == nullptr ? "" : variable);
  for (std::string folder; std::getline(folders, folder, ':');) {
    fs::path file = fs::path(folder) / program;
    if (!folder.empty() && ::access(file.c_str(), X_OK) == 0) return file;
  }
  return {};
}

DeviceReport untested(const std::string& browser, const char* interface, const fs::path& program) {
  DeviceReport report;
  report.name = browser + ":" + (std::string_view(interface) == "WebGPU" ? "webgpu" : "webnn");
  report.description = std::string(interface) + " in " + browser;
  report.facts = {{"program", program.string()}};
  report.reason = "the browser is installed; this build does not ask it yet";
  return report;
}

}  // namespace

std::vector<DeviceReport> probe_browsers() {
  std::vector<DeviceReport> reports;
  std::set<std::string> found;
  for (const Browser& browser : kBrowsers) {
    const fs::path program = on_path(browser.program);
    if (program.empty() || !found.insert(browser.name).second) continue;
    for (const char* interface : {"WebGPU", "WebNN"}) reports.push_back(untested(browser.name, interface, program));
  }
  if (reports.empty()) {
    throw Error(ErrorKind::unavailable, "none of the browsers that are known is on PATH", {},
                "install chromium, to run models in it");
  }
  return reports;
}

}  // namespace accelerate::hardware
