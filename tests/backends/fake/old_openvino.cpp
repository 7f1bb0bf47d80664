// OpenVINO of a release that is too old: all functions are there, and the version says so before one is needed.
#define FAKE extern "C" __attribute__((visibility("default")))
#define FAKE_FUNCTION(name) \
  FAKE int ov_##name() { return -1; }

namespace {
struct Version {
  const char *build_number, *description;
};
}  // namespace

FAKE int ov_get_openvino_version(Version* version) {
  *version = {"2023.3.0-13775-ceeafaf64f3-releases/2023/3", "OpenVINO Runtime"};
  return 0;
}
FAKE void ov_version_free(Version*) {}
FAKE const char* ov_get_last_err_msg() { return "fake"; }

FAKE_FUNCTION(free)
FAKE_FUNCTION(core_create)
FAKE_FUNCTION(core_get_available_devices)
FAKE_FUNCTION(available_devices_free)
FAKE_FUNCTION(core_get_property)
FAKE_FUNCTION(core_read_model_from_memory_buffer)
FAKE_FUNCTION(core_compile_model)
FAKE_FUNCTION(model_free)
FAKE_FUNCTION(compiled_model_get_property)
FAKE_FUNCTION(compiled_model_create_infer_request)
FAKE_FUNCTION(compiled_model_free)
FAKE_FUNCTION(infer_request_set_input_tensor_by_index)
FAKE_FUNCTION(infer_request_set_output_tensor_by_index)
FAKE_FUNCTION(infer_request_get_output_tensor_by_index)
FAKE_FUNCTION(infer_request_infer)
FAKE_FUNCTION(infer_request_free)
FAKE_FUNCTION(tensor_create_from_host_ptr)
FAKE_FUNCTION(tensor_free)
