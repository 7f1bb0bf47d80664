// "Did you mean": the known words closest to one that is not known.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace accelerate {

// Insertions, deletions and substitutions that turn one into the other (Levenshtein 1966), counted in bytes.
std::size_t edit_distance(std::string_view a, std::string_view b);

// At most `count` of `known`, nearest first; equally near ones in the order given.
std::vector<std::string> nearest(std::string_view wanted, std::span<const std::string> known, std::size_t count);

}  // namespace accelerate
