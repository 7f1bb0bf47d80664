// How wide text is on a terminal, and text cut to a width.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace accelerate::cli {

// Columns: 2 for East Asian wide characters and emoji, 0 for combining marks, else 1 a character.
std::size_t display_width(std::string_view text);
// At most `width` columns, with "…" where something was cut off.
std::string shortened(std::string_view text, std::size_t width);
// Control characters written out as \n, \t, \x1b, so that a file's content cannot move the cursor or ring the bell.
std::string printable(std::string_view text);

}  // namespace accelerate::cli
