#include "text/jinja/paths.hpp"

#include <algorithm>
#include <charconv>

#include "text/jinja/operators.hpp"
#include "text/jinja/strings.hpp"

namespace accelerate::text::jinja {

Value at_path(const Value& item, const Value& path, Budget& budget, const Value* otherwise) {
  const auto part_of = [&](const Value& value, const Value& key) {
    Value part = item_of(value, key, budget);
    return part.is(Kind::undefined) && otherwise != nullptr ? *otherwise : part;
  };
  if (!path.is(Kind::string)) return part_of(item, path);
  const std::string& text = path.string();
  Value value = item;
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t end = std::min(text.find('.', from), text.size());
    const std::string part = text.substr(from, end - from);
    std::int64_t index = 0;
    const auto read = std::from_chars(part.data(), part.data() + part.size(), index);
    const bool number =
        !part.empty() && part[0] != '-' && read.ec == std::errc() && read.ptr == part.data() + part.size();
    value = part_of(value, number ? Value(index) : Value(part));
    from = end + 1;
  }
  return value;
}

Value key_of(const Value& item, const Value* path, bool case_sensitive, Budget& budget) {
  Value key = path != nullptr && !path->is(Kind::none) ? at_path(item, *path, budget) : item;
  if (case_sensitive || !key.is(Kind::string)) return key;
  budget.charge_bytes(key.string().size());
  return to_lower(key.string());
}

Value make_generator(std::vector<Value> items) { return make_sequence(std::move(items), Sequence::Type::generator); }

}  // namespace accelerate::text::jinja
