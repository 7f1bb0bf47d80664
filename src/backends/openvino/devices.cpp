#include "backends/openvino/devices.hpp"

#include <algorithm>
#include <sstream>

#include "core/text.hpp"
#include "core/thread_pool.hpp"

namespace accelerate::openvino {
namespace {

constexpr const char* kAuto = "AUTO";

struct Row {
  Precision precision;
  const char* capability;  // in a device's list of them
  const char* type;        // as settings call it
};

// The fastest first.
constexpr Row kPrecisions[] = {
    {Precision::bf16, "BF16", "bf16"}, {Precision::f16, "FP16", "f16"}, {Precision::f32, "FP32", "f32"}};

bool contains(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// A property that is a list.
std::vector<std::string> words_of(const std::string& device, const char* key, const Library& library) {
  std::istringstream text(library.property(device, key));
  std::vector<std::string> words;
  for (std::string word; text >> word;) words.push_back(word);
  return words;
}

const Row& row_of(Precision precision, const std::string& device, const Library& library) {
  std::vector<std::string> known;
  for (const Precision each : precisions_of(device, library)) known.emplace_back(name_of(each));
  if (!contains(known, name_of(precision))) {
    throw Error(ErrorKind::unsupported,
                "precision " + std::string(name_of(precision)) + " is not there, only " + joined(known),
                "backend openvino, device " + user_name(device));
  }
  return *std::find_if(std::begin(kPrecisions), std::end(kPrecisions),
                       [&](const Row& row) { return row.precision == precision; });
}

// Kinds whose plugins come with OpenVINO, whether or not a machine has them.
constexpr std::string_view kKinds[] = {"GPU", "NPU"};

// "GPU.1" for "gpu:1".
std::string upper_case(std::string_view device) {
  std::string name(device);
  for (char& letter : name) letter = letter == ':' ? '.' : static_cast<char>(std::toupper(letter));
  return name;
}

// Why OpenVINO finds no device of a kind.
std::string reason_against(const std::string& kind, const Library& library) {
  try {
    library.property(kind, "AVAILABLE_DEVICES");
    return "no driver or no device";
  } catch (const Error& error) {
    return error.message();
  }
}

[[noreturn]] void fail_unlisted(std::string_view device, const std::string& kind,
                                const std::vector<std::string>& listed, const Library& library) {
  std::vector<std::string> known;
  for (const std::string& each : listed) known.push_back(user_name(each));
  const std::string there = "there are " + joined(known), where = "backend openvino, device " + std::string(device);
  const bool has_kind = std::find(std::begin(kKinds), std::end(kKinds), kind) != std::end(kKinds);
  if (!has_kind || contains(listed, kind) || contains(listed, kind + ".0")) {
    throw Error(ErrorKind::not_found, "there is no such device; " + there, where);
  }
  throw Error(ErrorKind::unavailable,
              "OpenVINO " + library.version() + " finds none here: " + reason_against(kind, library), where,
              "install the device's driver; " + there);
}

}  // namespace

std::string user_name(std::string_view runtime_name) {
  std::string name(runtime_name);
  for (char& letter : name) letter = letter == '.' ? ':' : static_cast<char>(std::tolower(letter));
  return name;
}

std::vector<std::string> listed_devices(const Library& library) {
  std::vector<std::string> names = library.devices();
  std::stable_partition(names.begin(), names.end(), [](const std::string& name) { return name == "CPU"; });
  names.emplace_back(kAuto);
  return names;
}

bool is_kind(std::string_view device) {
  const std::string name = upper_case(device);
  const std::size_t dot = name.find('.');
  const bool numbered = dot == std::string::npos ||
                        (dot + 1 < name.size() && std::all_of(name.begin() + static_cast<std::ptrdiff_t>(dot) + 1,
                                                              name.end(), [](char c) { return c >= '0' && c <= '9'; }));
  return numbered && std::find(std::begin(kKinds), std::end(kKinds), name.substr(0, dot)) != std::end(kKinds);
}

std::string runtime_name(std::string_view device, const Library& library) {
  const std::vector<std::string> listed = listed_devices(library);
  if (device.empty()) return listed.front();
  const std::string name = upper_case(device);
  if (contains(listed, name)) return name;
  // OpenVINO numbers devices where there are several of a kind; the first may be asked for either way.
  const std::string kind = name.substr(0, name.find('.'));
  if (name == kind && contains(listed, kind + ".0")) return kind + ".0";
  if (name == kind + ".0" && contains(listed, kind)) return kind;
  fail_unlisted(device, kind, listed, library);
}

std::vector<Precision> precisions_of(const std::string& runtime_name, const Library& library) {
  const std::vector<std::string> capabilities = words_of(runtime_name, "OPTIMIZATION_CAPABILITIES", library);
  std::vector<Precision> precisions;
  for (const Row& row : kPrecisions) {
    if (contains(capabilities, row.capability)) precisions.push_back(row.precision);
  }
  return precisions;
}

Settings settings_of(const std::string& runtime_name, const CompileOptions& options, const Library& library) {
  const std::string type = row_of(options.precision, runtime_name, library).type;
  const bool exact = options.precision == Precision::f32;
  const int threads = options.threads > 0 ? options.threads : default_thread_count();
  Settings settings{{"PERFORMANCE_HINT", "LATENCY"},
                    {"INFERENCE_PRECISION_HINT", type},
                    {"EXECUTION_MODE_HINT", exact ? "ACCURACY" : "PERFORMANCE"},
                    {"DYNAMIC_QUANTIZATION_GROUP_SIZE", "0"},
                    {"KV_CACHE_PRECISION", type},
                    {"INFERENCE_NUM_THREADS", std::to_string(threads)}};
  // AUTO hands on what is meant for devices, without listing it.
  if (runtime_name != kAuto) {
    const std::vector<std::string> supported = words_of(runtime_name, "SUPPORTED_PROPERTIES", library);
    std::erase_if(settings, [&](const auto& setting) { return !contains(supported, setting.first); });
  }
  if (!options.cache_folder.empty()) settings.emplace_back("CACHE_DIR", options.cache_folder);
  return settings;
}

}  // namespace accelerate::openvino
