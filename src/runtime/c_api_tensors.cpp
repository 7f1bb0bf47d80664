#include <algorithm>
#include <cstring>

#include "runtime/c_api.hpp"

struct accelerate_tensors {
  accelerate::NamedTensors values;
  std::vector<accelerate_tensor> listed;  // views of `values`, in the same order

  void list() {
    listed.clear();
    for (const auto& [name, tensor] : values) {
      listed.push_back({name.c_str(), static_cast<accelerate_dtype>(tensor.dtype()), tensor.rank(),
                        tensor.dims().data(), tensor.bytes().data(), tensor.bytes().size()});
    }
  }
};

namespace {

using accelerate::c_api::guarded;
using accelerate::c_api::required;

static_assert(static_cast<int>(accelerate::DType::boolean) == ACCELERATE_BOOLEAN);
static_assert(static_cast<int>(accelerate::DType::i64) == ACCELERATE_I64);
static_assert(static_cast<int>(accelerate::DType::f32) == ACCELERATE_F32);

accelerate::Tensor copied(const char* name, accelerate_dtype dtype, const int64_t* dims, size_t rank, const void* data,
                          size_t bytes) {
  if (dtype < ACCELERATE_F64 || dtype > ACCELERATE_BOOLEAN) {
    throw accelerate::Error(accelerate::ErrorKind::invalid_input, "dtype " + std::to_string(dtype) + " is not known",
                            name);
  }
  if (rank > 0) required(dims, "dims");
  accelerate::Tensor tensor(static_cast<accelerate::DType>(dtype), accelerate::Dims(dims, dims + rank));
  if (tensor.bytes().size() != bytes) {
    throw accelerate::Error(accelerate::ErrorKind::invalid_input,
                            std::to_string(bytes) + " bytes given for a tensor of shape " +
                                accelerate::to_string(tensor.dims()) + ", expected " +
                                std::to_string(tensor.bytes().size()),
                            name);
  }
  if (bytes > 0) std::memcpy(tensor.bytes().data(), required(data, "data"), bytes);
  return tensor;
}

}  // namespace

accelerate_tensors* accelerate_tensors_new() {
  accelerate_tensors* made = nullptr;
  guarded([&] { made = new accelerate_tensors; });
  return made;
}

void accelerate_tensors_free(accelerate_tensors* tensors) { delete tensors; }

accelerate_status accelerate_tensors_set(accelerate_tensors* tensors, const char* name, accelerate_dtype dtype,
                                         const int64_t* dims, size_t rank, const void* data, size_t bytes) {
  return guarded([&] {
    required(tensors, "tensors");
    required(name, "name");
    tensors->values[name] = copied(name, dtype, dims, rank, data, bytes);
    tensors->list();
  });
}

size_t accelerate_tensors_count(const accelerate_tensors* tensors) {
  return tensors == nullptr ? 0 : tensors->listed.size();
}

const accelerate_tensor* accelerate_tensors_at(const accelerate_tensors* tensors, size_t index) {
  return tensors == nullptr || index >= tensors->listed.size() ? nullptr : &tensors->listed[index];
}

const accelerate_tensor* accelerate_tensors_find(const accelerate_tensors* tensors, const char* name) {
  if (tensors == nullptr || name == nullptr) return nullptr;
  const auto found = std::find_if(tensors->listed.begin(), tensors->listed.end(),
                                  [&](const accelerate_tensor& tensor) { return std::strcmp(tensor.name, name) == 0; });
  return found == tensors->listed.end() ? nullptr : &*found;
}

accelerate_status accelerate_model_run(const accelerate_model* model, const accelerate_tensors* inputs,
                                       const char* const* outputs, size_t count, bool layers,
                                       accelerate_tensors** results) {
  return guarded([&] {
    *required(results, "results") = nullptr;
    accelerate::RunOptions options;
    options.outputs = accelerate::c_api::strings(outputs, count, "outputs");
    options.layers = layers;
    auto made = std::make_unique<accelerate_tensors>();
    made->values = required(model, "model")->value.run(required(inputs, "inputs")->values, options);
    made->list();
    *results = made.release();
  });
}
