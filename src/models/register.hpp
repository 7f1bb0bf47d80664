// One line an architecture.
#pragma once

#include "models/architecture.hpp"

namespace accelerate {

const Architecture& bert();

}  // namespace accelerate
