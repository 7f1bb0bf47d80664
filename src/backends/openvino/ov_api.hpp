// The part of OpenVINO's C interface (openvino/c/*.h) that is used here, so that a build needs nothing of OpenVINO.
#pragma once

#include <cstddef>
#include <cstdint>

namespace accelerate::openvino::ov {

struct Core;
struct Model;
struct CompiledModel;
struct InferRequest;
struct Tensor;

using Status = int;
enum : Status { kOk = 0, kNotImplemented = -2, kParameterMismatch = -4 };

struct Version {
  const char* build_number;
  const char* description;
};
struct Shape {
  std::int64_t rank;
  std::int64_t* dims;
};
struct DeviceList {
  char** names;
  std::size_t count;
};

// Functions by their names without "ov_".
struct Api {
  Status (*get_openvino_version)(Version*);
  void (*version_free)(Version*);
  const char* (*get_last_err_msg)();
  void (*free)(const char*);

  Status (*core_create)(Core**);
  Status (*core_get_available_devices)(const Core*, DeviceList*);
  void (*available_devices_free)(DeviceList*);
  Status (*core_get_property)(const Core*, const char* device, const char* key, char** value);
  // `weights` is of the IR format alone: null.
  Status (*core_read_model_from_memory_buffer)(const Core*, const char* model, std::size_t bytes, const Tensor* weights,
                                               Model**);
  // Behind the result come `texts` texts: keys, each with its value behind it.
  Status (*core_compile_model)(const Core*, const Model*, const char* device, std::size_t texts, CompiledModel**, ...);
  void (*model_free)(Model*);

  Status (*compiled_model_get_property)(const CompiledModel*, const char* key, char** value);
  Status (*compiled_model_create_infer_request)(const CompiledModel*, InferRequest**);
  void (*compiled_model_free)(CompiledModel*);

  Status (*infer_request_set_input_tensor_by_index)(InferRequest*, std::size_t index, const Tensor*);
  Status (*infer_request_set_output_tensor_by_index)(InferRequest*, std::size_t index, const Tensor*);
  Status (*infer_request_get_output_tensor_by_index)(const InferRequest*, std::size_t index, Tensor**);
  Status (*infer_request_infer)(InferRequest*);
  void (*infer_request_free)(InferRequest*);

  Status (*tensor_create_from_host_ptr)(int type, Shape, void* data, Tensor**);
  void (*tensor_free)(Tensor*);
};

}  // namespace accelerate::openvino::ov
