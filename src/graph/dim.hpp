// Symbolic sizes: numbers and names ("batch", "tokens"), with their sums and products.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace accelerate {

class Extents;

// An integer polynomial in named symbols. Equal polynomials compare equal however they were written.
class Dim {
 public:
  using Product = std::vector<std::string>;  // symbols in alphabetical order; none for the constant term

  Dim(std::int64_t number = 0);
  static Dim symbol(std::string name);

  bool is_number() const;
  // Error{internal} when symbols remain.
  std::int64_t number() const;
  // The name, when this is one symbol and nothing else; empty otherwise.
  std::string_view symbol_name() const;
  // With every symbol replaced; Error{invalid_input} naming a symbol without a size, or on overflow.
  std::int64_t evaluate(const Extents& extents) const;
  // "2*tokens - 1"
  std::string to_string() const;
  // What is summed: products of symbols, each with its factor. No factor is zero.
  const std::map<Product, std::int64_t>& terms() const { return terms_; }

  friend Dim operator+(const Dim& a, const Dim& b);
  friend Dim operator-(const Dim& a, const Dim& b);
  friend Dim operator*(const Dim& a, const Dim& b);
  Dim& operator+=(const Dim& other) { return *this = *this + other; }
  Dim& operator*=(const Dim& other) { return *this = *this * other; }
  friend bool operator==(const Dim& a, const Dim& b) { return a.terms_ == b.terms_; }

 private:
  std::map<Product, std::int64_t> terms_;
};

// What the symbols stand for in one run.
//
// A dense dimension is one number. A ragged one has a length per item of the batch: its values lie as rows one item
// after the other, and its symbol then means the longest length, "<symbol>.rows" the sum of the lengths and
// "<symbol>.squares" the sum of their squares.
class Extents {
 public:
  Extents& set(std::string symbol, std::int64_t size);
  // Also sets "batch" to the number of lengths; Error{invalid_input} when it is set to another number already.
  Extents& set_ragged(const std::string& symbol, std::vector<std::int64_t> lengths);
  // Rows of a ragged dimension that are computed like the others, but that attention and pooling over many rows do not
  // see: padding whose own numbers somebody asks for. [rows], 0 = not seen. Error{invalid_input} for another number of
  // rows. set_ragged() forgets it.
  Extents& set_seen(const std::string& symbol, std::vector<std::uint8_t> rows);
  // All items equally long: what a dense caller has.
  Extents& set_uniform(const std::string& symbol, std::int64_t batch, std::int64_t length);

  // Error{invalid_input} for a symbol without a size.
  std::int64_t at(const std::string& symbol) const;
  bool has(const std::string& symbol) const { return sizes_.contains(symbol); }
  // Lengths of a ragged dimension; Error{invalid_input} when it has none.
  const std::vector<std::int64_t>& lengths(const std::string& symbol) const;
  // Where each item's rows begin, and at the end their sum: [batch + 1].
  const std::vector<std::int64_t>& offsets(const std::string& symbol) const;

  // What set_seen() was given; empty: all rows are seen.
  std::span<const std::uint8_t> seen(const std::string& symbol) const;

  friend bool operator==(const Extents& a, const Extents& b) = default;

 private:
  std::map<std::string, std::int64_t> sizes_;
  std::map<std::string, std::vector<std::int64_t>> lengths_, offsets_;
  std::map<std::string, std::vector<std::uint8_t>> seen_;
};

// A value's dimensions, the outermost first.
//
// Where axis 1 is ragged, [batch, tokens, ...] is stored as [tokens.rows, ...].
struct Shape {
  std::vector<Dim> dims;
  bool ragged = false;  // axis 1 has a length of its own for each item of axis 0

  Shape() = default;
  Shape(std::initializer_list<Dim> sizes) : dims(sizes) {}
  explicit Shape(std::vector<Dim> sizes, bool is_ragged = false) : dims(std::move(sizes)), ragged(is_ragged) {}

  std::size_t rank() const { return dims.size(); }
  const Dim& last() const { return dims.back(); }
  // Rows of all but the last dimension, and all elements, as they are stored (without padding).
  Dim rows() const;
  Dim elements() const;
  // Same but for the last dimension.
  Shape with_last(Dim size) const;
  // The symbol of the ragged axis: "tokens".
  std::string ragged_symbol() const;
  // Sizes as they are stored in one run: a ragged shape loses its batch dimension.
  std::vector<std::int64_t> stored(const Extents& extents) const;
  // "[batch, tokens~, 384]", with a tilde at a ragged axis
  std::string to_string() const;

  friend bool operator==(const Shape& a, const Shape& b) = default;
};

inline const Dim kBatch = Dim::symbol("batch");
inline const Dim kTokens = Dim::symbol("tokens");
inline const Dim kSource = Dim::symbol("source");        // tokens of what an encoder read
inline const Dim kPast = Dim::symbol("past");            // rows of earlier runs
inline const Dim kPositions = Dim::symbol("positions");  // the most that an item has, past and tokens together

}  // namespace accelerate
