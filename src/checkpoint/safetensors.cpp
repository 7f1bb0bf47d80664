#include "checkpoint/safetensors.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <numeric>
#include <optional>
#include <set>

#include "core/json.hpp"
#include "core/text.hpp"

namespace accelerate {
namespace {

constexpr std::size_t kLengthBytes = 8;
constexpr std::uint64_t kLongestHeader = 100'000'000;  // as the reference implementation has it
constexpr std::size_t kMostDims = 64;
constexpr std::string_view kMetadata = "__metadata__";

struct ElementType {
  std::string_view name;
  int bits;
  std::optional<DType> dtype;
};

constexpr ElementType kElementTypes[] = {
    {"F32", 32, DType::f32},          {"BF16", 16, DType::bf16},
    {"F16", 16, DType::f16},          {"F64", 64, DType::f64},
    {"I64", 64, DType::i64},          {"I32", 32, DType::i32},
    {"I16", 16, DType::i16},          {"I8", 8, DType::i8},
    {"U64", 64, DType::u64},          {"U32", 32, DType::u32},
    {"U16", 16, DType::u16},          {"U8", 8, DType::u8},
    {"BOOL", 8, DType::boolean},      {"F8_E4M3", 8, std::nullopt},
    {"F8_E5M2", 8, std::nullopt},     {"F8_E8M0", 8, std::nullopt},
    {"F8_E4M3FNUZ", 8, std::nullopt}, {"F8_E5M2FNUZ", 8, std::nullopt},
    {"F6_E2M3", 6, std::nullopt},     {"F6_E3M2", 6, std::nullopt},
    {"F4", 4, std::nullopt},          {"C64", 64, std::nullopt},
};

const ElementType* find_type(std::string_view name) {
  const auto* found = std::find_if(std::begin(kElementTypes), std::end(kElementTypes),
                                   [&](const ElementType& type) { return type.name == name; });
  return found == std::end(kElementTypes) ? nullptr : found;
}

std::string_view type_of(DType dtype) {
  for (const ElementType& type : kElementTypes) {
    if (type.dtype == dtype) return type.name;
  }
  return "";  // every DType has its row
}

[[noreturn]] void corrupted(const std::string& message, std::string_view where) {
  throw Error(ErrorKind::corrupted, message, std::string(where));
}

// The eight bytes in front say how long the header is; they are the first thing a truncated or foreign file gets wrong.
std::string_view header_text(std::span<const std::byte> bytes, std::string_view where) {
  if (bytes.size() < kLengthBytes) {
    corrupted("is " + std::to_string(bytes.size()) + " bytes long, expected a safetensors file of at least 8", where);
  }
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  if constexpr (std::endian::native == std::endian::big) length = __builtin_bswap64(length);
  if (length > kLongestHeader) {
    corrupted("header length is " + std::to_string(length) + " bytes, expected at most " +
                  std::to_string(kLongestHeader) + ": this is no safetensors file",
              where);
  }
  if (length > bytes.size() - kLengthBytes) {
    corrupted("header length is " + std::to_string(length) + " bytes, but only " +
                  std::to_string(bytes.size() - kLengthBytes) + " bytes follow: the file is truncated",
              where);
  }
  return {reinterpret_cast<const char*>(bytes.data()) + kLengthBytes, static_cast<std::size_t>(length)};
}

Metadata read_metadata(const Json& fields) {
  Metadata metadata;
  if (fields.is_null()) return metadata;  // taken as absent, as by the reference implementation
  for (const auto& [key, value] : fields.members()) metadata[key] = value.as_string();
  return metadata;
}

// Bytes that `dims` elements take; nothing when they overflow or do not fill whole bytes.
std::optional<std::uint64_t> byte_count(const Dims& dims, int bits) {
  std::uint64_t count = static_cast<std::uint64_t>(bits);
  for (const std::int64_t dim : dims) {
    if (__builtin_mul_overflow(count, static_cast<std::uint64_t>(dim), &count)) return std::nullopt;
  }
  if (count % 8 != 0) return std::nullopt;
  return count / 8;
}

// Stricter than Json::as_int: 1.0 is no count.
std::int64_t read_integer(const Json& value) {
  if (!value.is_int()) {
    throw Error(ErrorKind::corrupted, "found " + std::string(value.kind_name()) + ", expected integer");
  }
  return value.as_int();
}

Dims read_dims(const Json& shape) {
  if (shape.items().size() > kMostDims) {
    throw Error(ErrorKind::corrupted, "shape has " + std::to_string(shape.items().size()) +
                                          " dimensions, expected at most " + std::to_string(kMostDims));
  }
  Dims dims;
  for (const Json& item : shape.items()) {
    const std::int64_t dim = read_integer(item);
    if (dim < 0) throw Error(ErrorKind::corrupted, "shape has the dimension " + std::to_string(dim));
    dims.push_back(dim);
  }
  return dims;
}

std::uint64_t read_offset(const Json& offsets, std::size_t index, std::size_t data_size) {
  const std::int64_t offset = read_integer(offsets.items()[index]);
  if (offset < 0 || static_cast<std::uint64_t>(offset) > data_size) {
    throw Error(ErrorKind::corrupted, "data offset is " + std::to_string(offset) + ", expected 0 to " +
                                          std::to_string(data_size) + ", the bytes of data in the file");
  }
  return static_cast<std::uint64_t>(offset);
}

// Errors thrown here get file and tensor from the caller.
StoredTensor read_tensor(const std::string& name, const Json& row, std::span<const std::byte> data) {
  StoredTensor tensor;
  tensor.name = name;
  tensor.type = row.at("dtype").as_string();
  const ElementType* type = find_type(tensor.type);
  if (type == nullptr) {
    throw Error(ErrorKind::unsupported,
                "has the element type " + in_quotes(tensor.type) + ", which the safetensors format does not name");
  }
  tensor.readable = type->dtype.has_value();
  tensor.encoding = Encoding::plain(type->dtype.value_or(DType::u8));
  tensor.dims = read_dims(row.at("shape"));

  const Json& offsets = row.at("data_offsets");
  if (offsets.items().size() != 2) {
    throw Error(ErrorKind::corrupted,
                "data_offsets has " + std::to_string(offsets.items().size()) + " numbers, expected 2");
  }
  const std::uint64_t begin = read_offset(offsets, 0, data.size());
  const std::uint64_t end = read_offset(offsets, 1, data.size());
  if (end < begin) {
    throw Error(ErrorKind::corrupted,
                "data ends at " + std::to_string(end) + ", before it begins at " + std::to_string(begin));
  }
  const std::optional<std::uint64_t> expected = byte_count(tensor.dims, type->bits);
  if (expected != end - begin) {
    throw Error(ErrorKind::corrupted,
                "has " + std::to_string(end - begin) + " bytes of data, but shape " + to_string(tensor.dims) + " of " +
                    tensor.type + " takes " +
                    (expected ? std::to_string(*expected) : "no whole number of bytes that memory could hold"));
  }
  tensor.bytes = data.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
  return tensor;
}

// Data must follow without overlap and without holes, so that no byte of the file means two things or none.
void check_layout(const std::vector<StoredTensor>& tensors, std::span<const std::byte> data, std::string_view where) {
  const std::byte* next = data.data();
  for (const StoredTensor& tensor : tensors) {
    const std::ptrdiff_t gap = tensor.bytes.data() - next;
    if (gap != 0) {
      corrupted((gap < 0 ? "begins " + std::to_string(-gap) + " bytes before the tensor in front of it ends"
                         : "begins after a hole of " + std::to_string(gap) + " bytes") +
                    ", expected data without overlap or holes",
                std::string(where) + ": tensor " + in_quotes(tensor.name));
    }
    next += tensor.bytes.size();
  }
  const std::ptrdiff_t rest = data.data() + data.size() - next;
  if (rest != 0) corrupted(std::to_string(rest) + " bytes follow the last tensor, expected none", where);
}

}  // namespace

SafetensorsFile SafetensorsFile::open(const std::filesystem::path& path) {
  std::shared_ptr<const MappedFile> file = MappedFile::open(path);
  return parse(file->bytes(), path.string(), file);
}

SafetensorsFile SafetensorsFile::parse(std::span<const std::byte> bytes, std::string_view where) {
  return parse(bytes, where, nullptr);
}

SafetensorsFile SafetensorsFile::parse(std::span<const std::byte> bytes, std::string_view where,
                                       std::shared_ptr<const MappedFile> file) {
  const std::string_view text = header_text(bytes, where);
  const std::span<const std::byte> data = bytes.subspan(kLengthBytes + text.size());
  const Json header = Json::parse(text, std::string(where) + ": header");
  if (!header.is_object()) {
    corrupted("header is " + std::string(header.kind_name()) + ", expected an object", where);
  }
  SafetensorsFile result;
  bool has_metadata = false;
  for (const auto& [name, row] : header.members()) {
    try {
      if (name != kMetadata) {
        result.tensors_.push_back(read_tensor(name, row, data));
        result.tensors_.back().file = file;
      } else if (std::exchange(has_metadata, true)) {
        throw Error(ErrorKind::corrupted, "is there twice");
      } else {
        result.metadata_ = read_metadata(row);
      }
    } catch (const Error& error) {
      throw error.within(std::string(where) + ": " + (name == kMetadata ? "" : "tensor ") + in_quotes(name));
    }
  }
  std::vector<StoredTensor>& tensors = result.tensors_;
  // Empty tensors lie in front of the one that begins where they do.
  std::sort(tensors.begin(), tensors.end(), [](const StoredTensor& a, const StoredTensor& b) {
    return std::tuple(a.bytes.data(), a.bytes.size(), std::string_view(a.name)) <
           std::tuple(b.bytes.data(), b.bytes.size(), std::string_view(b.name));
  });
  check_layout(tensors, data, where);
  result.data_bytes_ = static_cast<std::int64_t>(data.size());

  result.by_name_.resize(tensors.size());
  std::iota(result.by_name_.begin(), result.by_name_.end(), 0U);
  const auto name_of_index = [&](std::uint32_t index) -> std::string_view { return tensors[index].name; };
  std::ranges::sort(result.by_name_, {}, name_of_index);
  const auto twice = std::ranges::adjacent_find(result.by_name_, {}, name_of_index);
  if (twice != result.by_name_.end()) {
    corrupted("is in the header twice, expected once",
              std::string(where) + ": tensor " + in_quotes(name_of_index(*twice)));
  }
  return result;
}

const StoredTensor* SafetensorsFile::find(std::string_view name) const {
  const auto name_of_index = [&](std::uint32_t index) -> std::string_view { return tensors_[index].name; };
  const auto found = std::ranges::lower_bound(by_name_, name, {}, name_of_index);
  return found == by_name_.end() || name_of_index(*found) != name ? nullptr : &tensors_[*found];
}

void write_safetensors(const std::filesystem::path& path, const std::vector<std::pair<std::string, Tensor>>& tensors,
                       const Metadata& metadata) {
  Json header = Json::object();
  if (!metadata.empty()) {
    Json fields = Json::object();
    for (const auto& [key, value] : metadata) fields.set(key, value);
    header.set(kMetadata, std::move(fields));
  }
  std::set<std::string_view> names{kMetadata};
  Json::Object rows = header.members();
  std::int64_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    if (!names.insert(name).second) {
      throw Error(ErrorKind::invalid_input,
                  "tensor " + in_quotes(name) + (name == kMetadata ? " has a reserved name" : " is given twice"),
                  path.string());
    }
    Json::Array dims(tensor.dims().begin(), tensor.dims().end());
    const auto end = offset + static_cast<std::int64_t>(tensor.bytes().size());
    rows.emplace_back(name, Json::Object{{"dtype", type_of(tensor.dtype())},
                                         {"shape", std::move(dims)},
                                         {"data_offsets", Json::Array{offset, end}}});
    offset = end;
  }
  std::string text = Json(std::move(rows)).dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  std::array<char, kLengthBytes> length{};
  for (std::size_t i = 0; i < length.size(); ++i) length[i] = static_cast<char>(text.size() >> (8 * i) & 0xff);

  AtomicFile file(path);
  file.write(std::string_view(length.data(), length.size()));
  file.write(text);
  for (const auto& entry : tensors) file.write(entry.second.bytes());
  file.commit();
}

}  // namespace accelerate
