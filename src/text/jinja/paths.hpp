// What filters reach inside items by.
#pragma once

#include "text/jinja/value.hpp"

namespace accelerate::text::jinja {

// item.a.b.0, as map(attribute="a.b.0") takes it; `otherwise`, unless null, stands for every part that is undefined.
Value at_path(const Value& item, const Value& path, Budget& budget, const Value* otherwise = nullptr);

// What items are sorted, grouped and compared by: an attribute, and no difference of case unless asked for.
Value key_of(const Value& item, const Value* path, bool case_sensitive, Budget& budget);

// What map, select, reverse and others give: something to iterate over, once.
Value make_generator(std::vector<Value> items);

}  // namespace accelerate::text::jinja
