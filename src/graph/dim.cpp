#include "graph/dim.hpp"

#include <algorithm>

#include "accelerate/error.hpp"

namespace accelerate {

Dim::Dim(std::int64_t number) {
  if (number != 0) terms_[{}] = number;
}

Dim Dim::symbol(std::string name) {
  Dim dim;
  dim.terms_[{std::move(name)}] = 1;
  return dim;
}

bool Dim::is_number() const { return terms_.empty() || (terms_.size() == 1 && terms_.begin()->first.empty()); }

std::int64_t Dim::number() const {
  if (!is_number()) throw Error(ErrorKind::internal, "size " + to_string() + " is not a number");
  return terms_.empty() ? 0 : terms_.begin()->second;
}

std::string_view Dim::symbol_name() const {
  if (terms_.size() != 1) return {};
  const auto& [product, factor] = *terms_.begin();
  return product.size() == 1 && factor == 1 ? std::string_view(product[0]) : std::string_view();
}

std::int64_t Dim::evaluate(const Extents& extents) const {
  std::int64_t sum = 0;
  for (const auto& [product, factor] : terms_) {
    std::int64_t value = factor;
    bool overflow = false;
    for (const std::string& name : product) overflow |= __builtin_mul_overflow(value, extents.at(name), &value);
    overflow |= __builtin_add_overflow(sum, value, &sum);
    if (overflow) throw Error(ErrorKind::invalid_input, "size " + to_string() + " is too large for this batch");
  }
  return sum;
}

std::string Dim::to_string() const {
  std::string text;
  // The constant term sorts first but reads better last.
  std::vector<std::pair<Product, std::int64_t>> terms(terms_.begin(), terms_.end());
  std::stable_partition(terms.begin(), terms.end(), [](const auto& term) { return !term.first.empty(); });
  for (const auto& [product, factor] : terms) {
    const std::int64_t magnitude = factor < 0 ? -factor : factor;
    if (text.empty()) {
      text += factor < 0 ? "-" : "";
    } else {
      text += factor < 0 ? " - " : " + ";
    }
    if (product.empty() || magnitude != 1) text += std::to_string(magnitude) + (product.empty() ? "" : "*");
    for (std::size_t i = 0; i < product.size(); ++i) text += (i > 0 ? "*" : "") + product[i];
  }
  return text.empty() ? "0" : text;
}

Dim operator+(const Dim& a, const Dim& b) {
  Dim sum = a;
  for (const auto& [product, factor] : b.terms_) {
    if ((sum.terms_[product] += factor) == 0) sum.terms_.erase(product);
  }
  return sum;
}

Dim operator-(const Dim& a, const Dim& b) { return a + Dim(-1) * b; }

Dim operator*(const Dim& a, const Dim& b) {
  Dim result;
  for (const auto& [left, left_factor] : a.terms_) {
    for (const auto& [right, right_factor] : b.terms_) {
      Dim::Product product = left;
      product.insert(product.end(), right.begin(), right.end());
      std::sort(product.begin(), product.end());
      if ((result.terms_[product] += left_factor * right_factor) == 0) result.terms_.erase(product);
    }
  }
  return result;
}

Extents& Extents::set(std::string symbol, std::int64_t size) {
  if (size < 0) throw Error(ErrorKind::invalid_input, "negative size for " + symbol);
  sizes_[std::move(symbol)] = size;
  return *this;
}

Extents& Extents::set_ragged(const std::string& symbol, std::vector<std::int64_t> lengths) {
  const auto batch = static_cast<std::int64_t>(lengths.size());
  if (has("batch") && at("batch") != batch) {
    throw Error(ErrorKind::invalid_input,
                std::to_string(batch) + " lengths of " + symbol + " for a batch of " + std::to_string(at("batch")));
  }
  std::vector<std::int64_t> offsets{0};
  std::int64_t longest = 0, squares = 0;
  for (const std::int64_t length : lengths) {
    if (length < 0) throw Error(ErrorKind::invalid_input, "negative length of " + symbol);
    std::int64_t end = 0, square = 0;
    bool overflow = __builtin_add_overflow(offsets.back(), length, &end);
    overflow |= __builtin_mul_overflow(length, length, &square);
    overflow |= __builtin_add_overflow(squares, square, &squares);
    if (overflow) throw Error(ErrorKind::invalid_input, "the lengths of " + symbol + " are too large together");
    offsets.push_back(end);
    longest = std::max(longest, length);
  }
  set("batch", batch);
  set(symbol, longest);
  set(symbol + ".rows", offsets.back());
  set(symbol + ".squares", squares);
  seen_.erase(symbol);
  lengths_[symbol] = std::move(lengths);
  offsets_[symbol] = std::move(offsets);
  return *this;
}

Extents& Extents::set_seen(const std::string& symbol, std::vector<std::uint8_t> rows) {
  if (static_cast<std::int64_t>(rows.size()) != offsets(symbol).back()) {
    throw Error(ErrorKind::invalid_input, std::to_string(rows.size()) + " rows of " + symbol +
                                              " are said to be seen, of " + std::to_string(offsets(symbol).back()));
  }
  seen_[symbol] = std::move(rows);
  return *this;
}

std::span<const std::uint8_t> Extents::seen(const std::string& symbol) const {
  const auto found = seen_.find(symbol);
  if (found == seen_.end()) return {};
  return found->second;
}

Extents& Extents::set_uniform(const std::string& symbol, std::int64_t batch, std::int64_t length) {
  return set_ragged(symbol, std::vector<std::int64_t>(static_cast<std::size_t>(batch), length));
}

std::int64_t Extents::at(const std::string& symbol) const {
  const auto found = sizes_.find(symbol);
  if (found == sizes_.end()) throw Error(ErrorKind::invalid_input, "no size given for \"" + symbol + "\"");
  return found->second;
}

const std::vector<std::int64_t>& Extents::lengths(const std::string& symbol) const {
  const auto found = lengths_.find(symbol);
  if (found == lengths_.end()) throw Error(ErrorKind::invalid_input, "no lengths given for \"" + symbol + "\"");
  return found->second;
}

const std::vector<std::int64_t>& Extents::offsets(const std::string& symbol) const {
  lengths(symbol);
  return offsets_.at(symbol);
}

std::string Shape::ragged_symbol() const {
  if (!ragged || rank() < 2) throw Error(ErrorKind::internal, "shape " + to_string() + " has no ragged axis");
  return std::string(dims[1].symbol_name());
}

Dim Shape::rows() const {
  Dim product = 1;
  std::size_t axis = 0;
  if (ragged) {
    product = Dim::symbol(ragged_symbol() + ".rows");
    axis = 2;
  }
  for (; axis + 1 < rank(); ++axis) product *= dims[axis];
  return product;
}

Dim Shape::elements() const {
  // In [batch, tokens~] the ragged axis is the last one and already counted.
  return ragged && rank() == 2 ? rows() : rank() == 0 ? Dim(1) : rows() * last();
}

Shape Shape::with_last(Dim size) const {
  Shape shape = *this;
  shape.dims.back() = std::move(size);
  return shape;
}

std::vector<std::int64_t> Shape::stored(const Extents& extents) const {
  std::vector<std::int64_t> sizes;
  std::size_t axis = 0;
  if (ragged) {
    sizes.push_back(extents.at(ragged_symbol() + ".rows"));
    axis = 2;
  }
  for (; axis < rank(); ++axis) sizes.push_back(dims[axis].evaluate(extents));
  return sizes;
}

std::string Shape::to_string() const {
  std::string text = "[";
  for (std::size_t i = 0; i < rank(); ++i) {
    text += (i > 0 ? ", " : "") + dims[i].to_string();
    if (ragged && i == 1) text += "~";
  }
  return text + "]";
}

}  // namespace accelerate
