// Which build this is: for --version, for records and for reports of faults.
#pragma once

#include <string_view>

#include "accelerate/export.hpp"

namespace accelerate {

// "0.1.0", as semantic versioning has it.
ACCELERATE_API std::string_view version();

// One line for people: version, commit ("-dirty" where the sources differ from it), compiler and kind of build.
ACCELERATE_API std::string_view build_description();

}  // namespace accelerate
