#include "lowering/onnx_model.hpp"

#include "lowering/protobuf.hpp"

namespace accelerate::lowering {
namespace {

// Field numbers of onnx.proto3, by message.
namespace model_proto {
enum { kIrVersion = 1, kProducerName = 2, kGraph = 7, kOpsetImport = 8 };
}
namespace opset_proto {
enum { kDomain = 1, kVersion = 2 };
}
namespace graph_proto {
enum { kNode = 1, kName = 2, kInitializer = 5, kInput = 11, kOutput = 12 };
}
namespace node_proto {
enum { kInput = 1, kOutput = 2, kName = 3, kOpType = 4, kAttribute = 5, kDomain = 7 };
}
namespace attribute_proto {
enum { kName = 1, kFloat = 2, kInt = 3, kString = 4, kInts = 8, kType = 20 };
enum Type { kTypeFloat = 1, kTypeInt = 2, kTypeString = 3, kTypeInts = 7 };
}  // namespace attribute_proto
namespace tensor_proto {
enum { kDims = 1, kDataType = 2, kName = 8, kRawData = 9, kExternalData = 13, kDataLocation = 14 };
constexpr int kExternal = 1;
}  // namespace tensor_proto
namespace entry_proto {
enum { kKey = 1, kValue = 2 };
}
namespace value_proto {
enum { kName = 1, kType = 2 };
}
namespace type_proto {
enum { kTensorType = 1, kElemType = 1, kShape = 2, kDim = 1, kDimValue = 1, kDimParam = 2 };
}

int data_type(DType dtype) {
  switch (dtype) {
    case DType::f32: return 1;
    case DType::u8: return 2;
    case DType::i8: return 3;
    case DType::u16: return 4;
    case DType::i16: return 5;
    case DType::i32: return 6;
    case DType::i64: return 7;
    case DType::boolean: return 9;
    case DType::f16: return 10;
    case DType::f64: return 11;
    case DType::u32: return 12;
    case DType::u64: return 13;
    case DType::bf16: return 16;
  }
  throw Error(ErrorKind::internal, "no ONNX type for " + std::string(name_of(dtype)));
}

// The oldest version of the file format that has an opset: what most programs can read.
int ir_version(int opset) { return opset <= 18 ? 8 : opset <= 20 ? 9 : opset <= 22 ? 10 : opset == 23 ? 11 : 12; }

Message attribute_message(const OnnxAttribute& attribute) {
  namespace a = attribute_proto;
  Message message;
  message.text(a::kName, attribute.name);
  if (const auto* number = std::get_if<std::int64_t>(&attribute.value)) {
    message.number(a::kInt, *number).number(a::kType, a::kTypeInt);
  } else if (const auto* real = std::get_if<float>(&attribute.value)) {
    message.real(a::kFloat, *real).number(a::kType, a::kTypeFloat);
  } else if (const auto* text = std::get_if<std::string>(&attribute.value)) {
    message.text(a::kString, *text).number(a::kType, a::kTypeString);
  } else {
    message.numbers(a::kInts, std::get<std::vector<std::int64_t>>(attribute.value)).number(a::kType, a::kTypeInts);
  }
  return message;
}

Message node_message(const OnnxNode& node) {
  namespace n = node_proto;
  Message message;
  for (const std::string& input : node.inputs) message.text(n::kInput, input);
  for (const std::string& output : node.outputs) message.text(n::kOutput, output);
  message.text(n::kName, node.name).text(n::kOpType, node.type);
  for (const OnnxAttribute& attribute : node.attributes) message.message(n::kAttribute, attribute_message(attribute));
  if (!node.domain.empty()) message.text(n::kDomain, node.domain);
  return message;
}

Message entry(const char* key, const std::string& value) {
  return Message().text(entry_proto::kKey, key).text(entry_proto::kValue, value);
}

Message initializer_message(const OnnxInitializer& initializer, const std::optional<ExternalPlace>& place) {
  namespace t = tensor_proto;
  Message message;
  message.numbers(t::kDims, initializer.dims).number(t::kDataType, data_type(initializer.dtype));
  message.text(t::kName, initializer.name);
  if (!place) {
    const Tensor values = initializer.tensor();
    const std::span<const std::byte> bytes = values.bytes();
    return std::move(message.text(t::kRawData, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
  }
  message.message(t::kExternalData, entry("location", place->location));
  message.message(t::kExternalData, entry("offset", std::to_string(place->offset)));
  message.message(t::kExternalData, entry("length", std::to_string(initializer.bytes())));
  return std::move(message.number(t::kDataLocation, t::kExternal));
}

Message value_message(const std::string& name, DType dtype, const Shape& shape) {
  namespace t = type_proto;
  Message dims;
  for (const Dim& dim : shape.dims) {
    Message one;
    if (dim.is_number()) {
      one.number(t::kDimValue, dim.number());
    } else {
      one.text(t::kDimParam, dim.to_string());
    }
    dims.message(t::kDim, one);
  }
  const Message tensor = Message().number(t::kElemType, data_type(dtype)).message(t::kShape, dims);
  const Message type = Message().message(t::kTensorType, tensor);
  return Message().text(value_proto::kName, name).message(value_proto::kType, type);
}

Message graph_message(const OnnxModel& model, const Placement& place) {
  namespace g = graph_proto;
  Message message;
  for (const OnnxNode& node : model.nodes) message.message(g::kNode, node_message(node));
  message.text(g::kName, model.name);
  for (const OnnxInitializer& each : model.initializers) {
    message.message(g::kInitializer, initializer_message(each, place ? place(each) : std::nullopt));
  }
  for (const OnnxInput& input : model.inputs) {
    message.message(g::kInput, value_message(input.name, input.dtype, input.shape));
  }
  for (const OnnxOutput& output : model.outputs) {
    message.message(g::kOutput, value_message(output.name, output.dtype, output.shape));
  }
  return message;
}

Message opset_message(const char* domain, int version) {
  return Message().text(opset_proto::kDomain, domain).number(opset_proto::kVersion, version);
}

Tensor transposed(const Tensor& matrix) {
  Tensor result(matrix.dtype(), {matrix.dim(1), matrix.dim(0)});
  const auto rows = static_cast<std::size_t>(matrix.dim(0)), columns = static_cast<std::size_t>(matrix.dim(1));
  const std::span<const float> from = matrix.as<float>();
  const std::span<float> to = result.as<float>();
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) to[c * rows + r] = from[r * columns + c];
  }
  return result;
}

}  // namespace

bool OnnxInitializer::in_place() const {
  if (weight == nullptr) return !make;
  const bool same_order = weight->transposed == transposed || dims.size() < 2;
  return weight->is_plain(dtype) && same_order && weight->stride == 0;
}

Tensor OnnxInitializer::tensor() const {
  if (weight == nullptr) return make ? make() : values;
  if (in_place()) return Tensor::view(dtype, dims, weight->bytes, weight->owner);
  const Tensor wide = weight->to_f32();
  return (transposed && dims.size() == 2 ? lowering::transposed(wide) : wide).to(dtype);
}

std::string to_bytes(const OnnxModel& model, const Placement& place) {
  namespace m = model_proto;
  Message message;
  message.number(m::kIrVersion, ir_version(model.opset)).text(m::kProducerName, "ipfs-accelerate");
  message.message(m::kGraph, graph_message(model, place));
  message.message(m::kOpsetImport, opset_message("", model.opset));
  if (model.contrib) message.message(m::kOpsetImport, opset_message(kContribDomain, 1));
  return message.bytes();
}

}  // namespace accelerate::lowering
