#include "checkpoint/numpy.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <utility>

namespace accelerate {
namespace {

constexpr std::string_view kMagic{"\x93NUMPY", 6};
constexpr std::size_t kPreamble = 10;  // magic, two bytes of version, two of header length
constexpr std::size_t kAlignment = 64;

struct Description {
  std::string_view name;
  DType dtype;
};
constexpr Description kDescriptions[] = {
    {"<f4", DType::f32}, {"<i8", DType::i64}, {"<f8", DType::f64}, {"<f2", DType::f16},
    {"<i4", DType::i32}, {"<i2", DType::i16}, {"|i1", DType::i8},  {"<u8", DType::u64},
    {"<u4", DType::u32}, {"<u2", DType::u16}, {"|u1", DType::u8},  {"|b1", DType::boolean},
};

std::string shape_text(std::int64_t rows, const Dims& row_dims) {
  std::string text = "(" + std::to_string(rows) + ",";
  for (std::size_t i = 0; i < row_dims.size(); ++i) text += (i > 0 ? ", " : " ") + std::to_string(row_dims[i]);
  return text + ")";
}

// What follows "'key':" in the header, a Python dictionary, up to `end`.
std::string_view header_field(std::string_view header, std::string_view key, std::string_view end,
                              const std::string& where) {
  const std::string marker = "'" + std::string(key) + "':";
  const std::size_t at = header.find(marker);
  const std::size_t stop = at == std::string_view::npos ? at : header.find(end, at + marker.size());
  if (stop == std::string_view::npos) {
    throw Error(ErrorKind::corrupted, "header has no field \"" + std::string(key) + "\"", where);
  }
  std::string_view value = header.substr(at + marker.size(), stop - at - marker.size());
  value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
  return value;
}

Dims parse_shape(std::string_view text, const std::string& where) {
  Dims dims;
  while (true) {
    const std::size_t digit = text.find_first_of("0123456789-");
    if (digit == std::string_view::npos) return dims;
    text.remove_prefix(digit);
    std::int64_t dim = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), dim);
    if (error != std::errc() || dim < 0) throw Error(ErrorKind::corrupted, "header has a broken shape", where);
    dims.push_back(dim);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  }
}

DType parse_dtype(std::string_view text, const std::string& where) {
  for (const Description& row : kDescriptions) {
    if (text == "'" + std::string(row.name) + "'") return row.dtype;
  }
  throw Error(ErrorKind::unsupported, "has elements of type " + std::string(text), where);
}

}  // namespace

NpyWriter::NpyWriter(std::filesystem::path path, DType dtype, Dims row_dims)
    : file_(path), dtype_(dtype), row_dims_(std::move(row_dims)) {
  if (dtype != DType::f32 && dtype != DType::i64) {
    throw Error(ErrorKind::unsupported, "cannot be written as " + std::string(name_of(dtype)) + ", expected f32 or i64",
                path.string());
  }
  if (file_.can_rewrite()) file_.write(header());
}

std::string NpyWriter::header() const {
  const auto text_for = [&](std::int64_t rows) {
    return std::string("{'descr': '") + (dtype_ == DType::f32 ? "<f4" : "<i8") +
           "', 'fortran_order': False, 'shape': " + shape_text(rows, row_dims_) + ", }";
  };
  // As long as the longest number of rows needs, so that the final header fits where the first one was.
  const std::size_t longest = kPreamble + text_for(std::numeric_limits<std::int64_t>::max()).size() + 1;
  const std::size_t size = (longest + kAlignment - 1) / kAlignment * kAlignment;
  std::string text = text_for(rows_);
  text.append(size - kPreamble - text.size() - 1, ' ');
  text += '\n';
  std::string result(kMagic);
  result += {'\x01', '\x00', static_cast<char>(text.size() & 0xff), static_cast<char>(text.size() >> 8)};
  return result + text;
}

void NpyWriter::append(const Tensor& rows) {
  const Dims& dims = rows.dims();
  const bool one = dims == row_dims_;
  const bool several =
      dims.size() == row_dims_.size() + 1 && std::equal(dims.begin() + 1, dims.end(), row_dims_.begin());
  if (!one && !several) {
    throw Error(ErrorKind::invalid_input,
                "rows of shape " + to_string(dims) + " given, expected [n, ...] of " + to_string(row_dims_));
  }
  rows_ += one ? 1 : dims[0];
  const Tensor converted = rows.to(dtype_);
  if (file_.can_rewrite()) {
    file_.write(converted.bytes());
  } else {
    pending_.append(reinterpret_cast<const char*>(converted.bytes().data()), converted.bytes().size());
  }
}

void NpyWriter::commit() {
  if (file_.can_rewrite()) {
    file_.rewrite(0, header());
  } else {
    file_.write(header());
    file_.write(pending_);
  }
  file_.commit();
}

Tensor read_npy(const std::filesystem::path& path) {
  const std::string where = path.string();
  const std::shared_ptr<const MappedFile> file = MappedFile::open(path);
  const std::span<const std::byte> bytes = file->bytes();
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.size() < kPreamble || !text.starts_with(kMagic)) {
    throw Error(ErrorKind::corrupted, "is no .npy file: its first bytes are not \\x93NUMPY", where);
  }
  if (text[6] != '\x01') {
    throw Error(ErrorKind::unsupported, "is an .npy file of version " + std::to_string(text[6]) + ", expected 1",
                where);
  }
  const std::size_t length =
      static_cast<unsigned char>(text[8]) | (static_cast<std::size_t>(static_cast<unsigned char>(text[9])) << 8);
  if (length > text.size() - kPreamble) throw Error(ErrorKind::corrupted, "is truncated in its header", where);
  const std::string_view header = text.substr(kPreamble, length);
  if (header_field(header, "fortran_order", ",", where) != "False") {
    throw Error(ErrorKind::unsupported, "is stored column by column, expected C order", where);
  }
  const DType dtype = parse_dtype(header_field(header, "descr", ",", where), where);
  const Dims dims = parse_shape(header_field(header, "shape", ")", where), where);
  const std::span<const std::byte> data = bytes.subspan(kPreamble + length);
  std::int64_t expected = 0;
  if (__builtin_mul_overflow(element_count(dims), static_cast<std::int64_t>(size_of(dtype)), &expected) ||
      static_cast<std::size_t>(expected) != data.size()) {
    throw Error(ErrorKind::corrupted,
                "has " + std::to_string(data.size()) + " bytes of data, but shape " + to_string(dims) + " of " +
                    std::string(name_of(dtype)) + " takes " + std::to_string(expected),
                where);
  }
  return Tensor::view(dtype, dims, data, file);
}

}  // namespace accelerate
