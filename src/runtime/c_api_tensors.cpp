#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

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

// Freed through the type that callers see.
struct OwnedInputs : accelerate_model_inputs {
  explicit OwnedInputs(accelerate::ModelInputs result)
      : accelerate_model_inputs{}, owned{std::move(result.tensors), {}}, owned_truncated(std::move(result.truncated)) {
    owned.list();
    tensors = &owned;
    truncated_count = owned_truncated.size();
    truncated = owned_truncated.data();
  }
  accelerate_tensors owned;
  const std::vector<std::size_t> owned_truncated;
};

accelerate::RunOptions run_options(const accelerate_run_options* given) {
  const accelerate_run_options defaults = ACCELERATE_RUN_OPTIONS;
  const accelerate_run_options options = accelerate::c_api::options_or(given, defaults);
  accelerate::RunOptions run;
  run.outputs = accelerate::c_api::strings(options.outputs, options.output_count, "options.outputs");
  run.layers = options.layers;
  run.batch = accelerate::c_api::batch_options(options.batch);
  return run;
}

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
                                       const accelerate_run_options* options, accelerate_tensors** results) {
  return guarded([&] {
    *required(results, "results") = nullptr;
    auto made = std::make_unique<accelerate_tensors>();
    made->values = required(model, "model")->value.run(required(inputs, "inputs")->values, run_options(options));
    made->list();
    *results = made.release();
  });
}

accelerate_status accelerate_model_encode(const accelerate_model* model, const char* const* texts,
                                          const char* const* pairs, size_t count,
                                          const accelerate_batch_options* options, accelerate_model_inputs** inputs) {
  return guarded([&] {
    *required(inputs, "inputs") = nullptr;
    const accelerate::Model& opened = required(model, "model")->value;
    const accelerate::BatchOptions batch = accelerate::c_api::batch_options(options);
    *inputs =
        new OwnedInputs(pairs == nullptr ? opened.encode(accelerate::c_api::strings(texts, count, "texts"), batch)
                                         : opened.encode(accelerate::c_api::text_pairs(texts, pairs, count), batch));
  });
}

void accelerate_model_inputs_free(accelerate_model_inputs* inputs) { delete static_cast<OwnedInputs*>(inputs); }
