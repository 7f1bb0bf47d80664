// Strings as Python has them: lengths and places are in code points, classes of characters are Unicode's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace accelerate::text::jinja {

// All texts are valid UTF-8.
std::size_t character_count(std::string_view text);
// Byte at which code point number `index` begins; the text's size from its length on.
std::size_t byte_of(std::string_view text, std::size_t index);

bool is_space(char32_t c);  // str.isspace of one character
std::string to_upper(std::string_view text);
std::string to_lower(std::string_view text);
std::string capitalized(std::string_view text);

enum class Ends : std::uint8_t { both, left, right };
// str.strip: white space, or the characters of `these`.
std::string_view stripped(std::string_view text, Ends ends = Ends::both,
                          std::optional<std::string_view> these = std::nullopt);
// str.splitlines: at \n, \r, \r\n and Unicode's other ends of lines.
std::vector<std::string_view> lines_of(std::string_view text, bool keep_ends = false);
// At most `most` replacements, all where it is negative. An empty `old` is found between all characters.
std::string replaced(std::string_view text, std::string_view old, std::string_view with, std::int64_t most = -1);
std::string html_escaped(std::string_view text);

}  // namespace accelerate::text::jinja
