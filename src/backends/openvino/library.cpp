#include "backends/openvino/library.hpp"

#include <charconv>
#include <sstream>

#include "core/variables.hpp"

namespace accelerate::openvino {
namespace {

// The oldest release whose ONNX reader has all operators that graphs are lowered to.
constexpr int kOldest = 2025;

RuntimeLibrary runtime_library() {
  std::vector<std::filesystem::path> folders{"/usr/local/lib", "/opt/intel/openvino/runtime/lib/intel64",
                                             "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu",
                                             "/opt/homebrew/lib"};
  // Set by the installation's setupvars.sh.
  const std::filesystem::path installed = environment_variable("INTEL_OPENVINO_DIR");
  if (!installed.empty()) folders.insert(folders.begin(), installed / "runtime" / "lib" / "intel64");
  return {.name = "OpenVINO",
          .package = "openvino",
          .variable = kLibraryVariable,
          .prefix = "libopenvino_c.",
          .known_to_loader = {"libopenvino_c.so"},
          .folders = std::move(folders),
          .in_packages = "openvino/libs"};
}

// Throws Error{unavailable} naming a function that is not there.
class Functions {
 public:
  explicit Functions(const OpenedLibrary& opened) : opened_(opened) {}

  template <typename Function>
  void find(Function*& function, const char* name) const {
    void* found = find_symbol(opened_, name);
    if (found == nullptr) {
      throw Error(ErrorKind::unavailable,
                  "has no " + std::string(name) + ": not OpenVINO's library, or another version", opened_.path.string(),
                  "OpenVINO " + std::to_string(kOldest) + " or newer is needed");
    }
    function = reinterpret_cast<Function*>(found);
  }

 private:
  const OpenedLibrary& opened_;
};

ov::Api api_of(const OpenedLibrary& opened) {
  const Functions f(opened);
  ov::Api api{};
  f.find(api.get_openvino_version, "ov_get_openvino_version");
  f.find(api.version_free, "ov_version_free");
  f.find(api.get_last_err_msg, "ov_get_last_err_msg");
  f.find(api.free, "ov_free");
  f.find(api.core_create, "ov_core_create");
  f.find(api.core_get_available_devices, "ov_core_get_available_devices");
  f.find(api.available_devices_free, "ov_available_devices_free");
  f.find(api.core_get_property, "ov_core_get_property");
  f.find(api.core_read_model_from_memory_buffer, "ov_core_read_model_from_memory_buffer");
  f.find(api.core_compile_model, "ov_core_compile_model");
  f.find(api.model_free, "ov_model_free");
  f.find(api.compiled_model_get_property, "ov_compiled_model_get_property");
  f.find(api.compiled_model_create_infer_request, "ov_compiled_model_create_infer_request");
  f.find(api.compiled_model_free, "ov_compiled_model_free");
  f.find(api.infer_request_set_input_tensor_by_index, "ov_infer_request_set_input_tensor_by_index");
  f.find(api.infer_request_set_output_tensor_by_index, "ov_infer_request_set_output_tensor_by_index");
  f.find(api.infer_request_get_output_tensor_by_index, "ov_infer_request_get_output_tensor_by_index");
  f.find(api.infer_request_infer, "ov_infer_request_infer");
  f.find(api.infer_request_free, "ov_infer_request_free");
  f.find(api.tensor_create_from_host_ptr, "ov_tensor_create_from_host_ptr");
  f.find(api.tensor_free, "ov_tensor_free");
  return api;
}

// "2026.4.1" of "2026.4.1-22982-e213a147257-releases/2026/4"
std::string release_of(std::string_view build) { return std::string(build.substr(0, build.find('-'))); }

int year_of(const std::string& release) {
  int year = 0;
  std::from_chars(release.data(), release.data() + release.size(), year);
  return year;
}

// Its messages in one line, without the places in its source.
std::string readable(const char* message) {
  std::istringstream lines(message == nullptr ? "" : message);
  std::string text;
  for (std::string line; std::getline(lines, line);) {
    const bool place = line.starts_with("Exception from ") || line.starts_with("Check '");
    if (line.empty() || place) continue;
    text += (text.empty() ? "" : "; ") + line;
  }
  return text.empty() ? "no reason given" : text;
}

ErrorKind kind_of(ov::Status status) {
  if (status == ov::kNotImplemented) return ErrorKind::unsupported;
  return status == ov::kParameterMismatch ? ErrorKind::invalid_input : ErrorKind::device_failed;
}

// As openvino/c/ov_common.h numbers them.
int element_type(DType dtype) {
  switch (dtype) {
    case DType::f32: return 4;
    case DType::i64: return 10;
    default: throw Error(ErrorKind::internal, "no tensors of " + std::string(name_of(dtype)) + " for OpenVINO");
  }
}

}  // namespace

std::shared_ptr<const Library> Library::open() {
  static OpenedOnce<Library> opened;
  return opened.get(runtime_library(), "backend openvino");
}

std::vector<std::string> Library::files() { return library_files(runtime_library()); }

Library::Library(const OpenedLibrary& opened) : path_(opened.path), api_(api_of(opened)) {
  ov::Version version{};
  check(api_.get_openvino_version(&version), "asking for its version");
  version_ = release_of(version.build_number);
  api_.version_free(&version);
  if (year_of(version_) < kOldest) {
    throw Error(ErrorKind::unsupported, "is OpenVINO " + version_, path_.string(),
                "OpenVINO " + std::to_string(kOldest) + " or newer is needed");
  }
  check(api_.core_create(&core_), "starting OpenVINO");
}

void Library::check(ov::Status status, const char* where) const {
  if (status == ov::kOk) return;
  throw Error(kind_of(status), readable(api_.get_last_err_msg()), std::string("backend openvino, ") + where);
}

std::string Library::taken(char* text) const {
  std::string copy = text;
  api_.free(text);
  return copy;
}

std::vector<std::string> Library::devices() const {
  ov::DeviceList list{};
  check(api_.core_get_available_devices(core_, &list), "listing devices");
  std::vector<std::string> names(list.names, list.names + list.count);
  api_.available_devices_free(&list);
  return names;
}

std::string Library::property(const std::string& device, const char* key) const {
  char* value = nullptr;
  check(api_.core_get_property(core_, device.c_str(), key, &value), "asking for a property");
  return taken(value);
}

Handle<ov::Tensor> tensor_over(const LibraryPtr& library, const Tensor& tensor) {
  Handle<ov::Tensor> over(library, library->api().tensor_free);
  Dims dims = tensor.dims();
  const ov::Shape shape{static_cast<std::int64_t>(dims.size()), dims.data()};
  // The library takes no constant memory, but writes to none that is an input.
  void* data = const_cast<std::byte*>(tensor.bytes().data());
  library->check(library->api().tensor_create_from_host_ptr(element_type(tensor.dtype()), shape, data, over.out()),
                 "making a tensor");
  return over;
}

}  // namespace accelerate::openvino
