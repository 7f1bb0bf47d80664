// Sizes as people read them.
#pragma once

#include <cstdint>
#include <string>

namespace accelerate::hardware {

// "1.5 KiB", "80 GiB": binary units, in which memory and caches are made.
std::string bytes_text(std::int64_t bytes);

}  // namespace accelerate::hardware
