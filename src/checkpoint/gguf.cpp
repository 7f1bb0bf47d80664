#include "checkpoint/gguf.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>
#include <optional>
#include <set>

#include "checkpoint/gguf_reader.hpp"
#include "checkpoint/gguf_types.hpp"
#include "core/text.hpp"

namespace accelerate {
namespace {

constexpr std::string_view kMagic = "GGUF";
constexpr std::uint32_t kOldest = 2, kNewest = 3;
constexpr std::string_view kAlignment = "general.alignment";
constexpr std::uint64_t kUsualAlignment = 32, kLargestAlignment = std::uint64_t{1} << 30;
constexpr std::uint32_t kMostDims = 4;

std::string tensor_text(std::string_view name) { return "tensor " + in_quotes(name); }

// Bytes of all blocks; nothing when rows do not fill whole blocks or memory could not hold them.
std::optional<std::uint64_t> byte_count(const Dims& dims, const GgufType& type) {
  const std::int64_t row = dims.empty() ? 1 : dims.back();
  if (row % type.values != 0) return std::nullopt;
  auto count = static_cast<std::uint64_t>(type.bytes);
  for (std::size_t i = 0; i < dims.size(); ++i) {
    const auto dim = static_cast<std::uint64_t>(i + 1 == dims.size() ? dims[i] / type.values : dims[i]);
    if (__builtin_mul_overflow(count, dim, &count)) return std::nullopt;
  }
  return count;
}

}  // namespace

class GgufFile::Parser {
 public:
  Parser(std::span<const std::byte> bytes, GgufFile& out) : bytes_(bytes), reader_(bytes, out.where_), out_(out) {}

  void parse() {
    read_version();
    const auto tensors = reader_.number<std::uint64_t>("the number of tensors");
    const auto fields = reader_.number<std::uint64_t>("the number of metadata fields");
    for (std::uint64_t i = 0; i < fields; ++i) read_field();
    for (std::uint64_t i = 0; i < tensors; ++i) read_tensor();
    place_data();
    check_overlap();
    index();
  }

 private:
  void read_version() {
    const std::span<const std::byte> magic = reader_.take(kMagic.size(), "the mark of a GGUF file");
    if (!std::ranges::equal(magic, std::as_bytes(std::span(kMagic)))) {
      reader_.fail("does not begin with \"GGUF\": this is no GGUF file");
    }
    out_.version_ = reader_.number<std::uint32_t>("the version");
    if (__builtin_bswap32(out_.version_) <= kNewest) {
      reader_.fail("is written in big-endian byte order, expected little-endian", ErrorKind::unsupported);
    }
    if (out_.version_ < kOldest || out_.version_ > kNewest) {
      reader_.fail("is GGUF version " + std::to_string(out_.version_) + ", expected " + std::to_string(kOldest) +
                       " or " + std::to_string(kNewest),
                   ErrorKind::unsupported);
    }
  }

  void read_field() {
    const std::string number = std::to_string(out_.fields_.size() + 1);
    const std::string_view key = reader_.string("the key of metadata field " + number);
    const auto kind = reader_.number<std::uint32_t>("the kind of field " + in_quotes(key));
    if (!keys_.insert(key).second) reader_.fail("field " + in_quotes(key) + " is there twice");
    const std::size_t begin = reader_.position();
    skip_value(reader_, kind, key);
    out_.fields_.push_back({key, kind, reader_.since(begin)});
  }

  Dims read_dims(const std::string& what) {
    const auto rank = reader_.number<std::uint32_t>(what);
    if (rank > kMostDims) {
      reader_.fail(what + " has " + std::to_string(rank) + " dimensions, expected at most " +
                   std::to_string(kMostDims));
    }
    Dims dims(rank);
    for (std::size_t i = rank; i-- > 0;) {  // the file's first is the innermost
      const auto dim = reader_.number<std::uint64_t>(what);
      if (dim > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        reader_.fail(what + " has the dimension " + std::to_string(dim));
      }
      dims[i] = static_cast<std::int64_t>(dim);
    }
    return dims;
  }

  void read_tensor() {
    const std::string number = std::to_string(out_.tensors_.size() + 1);
    StoredTensor tensor;
    tensor.name = reader_.string("the name of tensor " + number);
    const std::string what = tensor_text(tensor.name);
    tensor.dims = read_dims(what);
    const auto type_number = reader_.number<std::uint32_t>(what);
    const GgufType* type = gguf_type(type_number);
    if (type == nullptr) {
      reader_.fail(
          what + " has elements of type number " + std::to_string(type_number) + ", which this version does not know",
          ErrorKind::unsupported);
    }
    tensor.type = type->name;
    tensor.readable = type->encoding.has_value();
    tensor.encoding = type->encoding.value_or(Encoding::plain(DType::u8));
    tensor.file = out_.file_;
    const std::optional<std::uint64_t> size = byte_count(tensor.dims, *type);
    if (!size) {
      reader_.fail(what + " has shape " + to_string(tensor.dims) + ", expected rows of whole blocks of " +
                   std::to_string(type->values) + " values of type " + tensor.type + " that fit into memory");
    }
    places_.push_back({reader_.number<std::uint64_t>(what), *size});
    out_.tensors_.push_back(std::move(tensor));
  }

  std::uint64_t alignment() {
    const auto field = std::ranges::find(out_.fields_, kAlignment, &Field::key);
    if (field == out_.fields_.end()) return kUsualAlignment;
    GgufReader value(field->value, out_.where_);
    const Json found = read_value(value, field->kind);
    const std::int64_t bytes = found.is_int() ? found.as_int() : 0;
    if (bytes <= 0 || bytes > static_cast<std::int64_t>(kLargestAlignment) || (bytes & (bytes - 1)) != 0) {
      reader_.fail("field " + in_quotes(kAlignment) + " is " + found.dump() + ", expected a power of two");
    }
    return static_cast<std::uint64_t>(bytes);
  }

  // Offsets count from the first aligned byte behind the header.
  void place_data() {
    const std::uint64_t align = alignment();
    const std::uint64_t begin = (reader_.position() + align - 1) / align * align;
    const std::uint64_t there = begin < bytes_.size() ? bytes_.size() - begin : 0;
    for (std::size_t i = 0; i < places_.size(); ++i) {
      StoredTensor& tensor = out_.tensors_[i];
      const Place& place = places_[i];
      if (place.offset % align != 0) {
        reader_.fail(tensor_text(tensor.name) + " begins at " + std::to_string(place.offset) +
                     ", expected a multiple of " + std::to_string(align));
      }
      if (place.offset > there || place.bytes > there - place.offset) {
        reader_.fail(tensor_text(tensor.name) + " has " + std::to_string(place.bytes) + " bytes from " +
                     std::to_string(place.offset) + " on, but the file has " + std::to_string(there) +
                     " bytes of data: it is truncated");
      }
      if (place.bytes == 0) continue;
      tensor.bytes = bytes_.subspan(static_cast<std::size_t>(begin + place.offset), place.bytes);
    }
  }

  void check_overlap() {
    std::vector<const StoredTensor*> in_order;
    for (const StoredTensor& tensor : out_.tensors_) {
      if (!tensor.bytes.empty()) in_order.push_back(&tensor);
    }
    std::ranges::sort(in_order, {}, [](const StoredTensor* tensor) { return tensor->bytes.data(); });
    for (std::size_t i = 1; i < in_order.size(); ++i) {
      const StoredTensor& before = *in_order[i - 1];
      if (before.bytes.data() + before.bytes.size() <= in_order[i]->bytes.data()) continue;
      reader_.fail(tensor_text(in_order[i]->name) + " begins before " + tensor_text(before.name) + " ends");
    }
  }

  void index() {
    out_.by_name_.resize(out_.tensors_.size());
    std::iota(out_.by_name_.begin(), out_.by_name_.end(), 0U);
    const auto name = [&](std::uint32_t i) -> std::string_view { return out_.tensors_[i].name; };
    std::ranges::sort(out_.by_name_, {}, name);
    const auto twice = std::ranges::adjacent_find(out_.by_name_, {}, name);
    if (twice != out_.by_name_.end()) reader_.fail(tensor_text(name(*twice)) + " is there twice");
  }

  struct Place {
    std::uint64_t offset = 0, bytes = 0;
  };
  std::span<const std::byte> bytes_;
  GgufReader reader_;
  GgufFile& out_;
  std::vector<Place> places_;  // of the tensors
  std::set<std::string_view> keys_;
};

GgufFile GgufFile::open(const std::filesystem::path& path) {
  GgufFile result;
  result.file_ = MappedFile::open(path);
  result.where_ = path.string();
  Parser(result.file_->bytes(), result).parse();
  return result;
}

GgufFile GgufFile::parse(std::span<const std::byte> bytes, std::string_view where) {
  GgufFile result;
  result.where_ = where;
  Parser(bytes, result).parse();
  return result;
}

const StoredTensor* GgufFile::find(std::string_view name) const {
  const auto name_of_index = [&](std::uint32_t index) -> std::string_view { return tensors_[index].name; };
  const auto found = std::ranges::lower_bound(by_name_, name, {}, name_of_index);
  return found == by_name_.end() || name_of_index(*found) != name ? nullptr : &tensors_[*found];
}

std::vector<std::string_view> GgufFile::keys() const {
  std::vector<std::string_view> keys;
  for (const Field& field : fields_) keys.push_back(field.key);
  return keys;
}

Config GgufFile::section(std::string_view name) const {
  const std::string prefix = std::string(name) + ".";
  Json::Object values;
  for (const Field& field : fields_) {
    if (!field.key.starts_with(prefix)) continue;
    GgufReader value(field.value, where_);
    values.emplace_back(field.key.substr(prefix.size()), read_value(value, field.kind));
  }
  return Config(Json(Json::Object{{std::string(name), std::move(values)}}), where_).child(name);
}

bool is_gguf_file(const std::filesystem::path& path) {
  std::error_code ignored;
  return path.extension() == ".gguf" && std::filesystem::is_regular_file(path, ignored);
}

}  // namespace accelerate
