// Python's two ways of formatting: "%s" % values and "{}".format(values).
#pragma once

#include "text/jinja/value.hpp"

namespace accelerate::text::jinja {

// `values` is a tuple of values, a dict for %(name)s, or the one value.
std::string percent_format(std::string_view pattern, const Value& values, Budget& budget);
// {} {0} {name} {name.attribute} {name[key]}, with !r or !s and :fill, alignment, sign, width, comma, precision, type.
std::string brace_format(std::string_view pattern, const Arguments& arguments, Budget& budget);

}  // namespace accelerate::text::jinja
