// Hands a lowered graph over to OpenVINO.
#pragma once

#include "accelerate/progress.hpp"
#include "backends/openvino/library.hpp"
#include "lowering/onnx_model.hpp"

namespace accelerate::openvino {

// OpenVINO maps the checkpoint's files itself and reads weights that are f32 there in place, sharing the system's
// memory of them with us; what had to be converted it copies. It copies everything where it cannot be brought to map a
// file: one that was removed or replaced since it was opened, and on systems where no thread has a working folder of
// its own (other than Linux; containers that forbid it). Error{interrupted} once cancelled.
Handle<ov::Model> read_model(const LibraryPtr& library, const lowering::OnnxModel& model,
                             const Cancellation& cancellation);

}  // namespace accelerate::openvino
