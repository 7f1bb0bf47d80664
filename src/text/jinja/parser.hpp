// Tokens to a tree, by jinja2's grammar with its extensions loopcontrols and Transformers' `generation` blocks.
#pragma once

#include <string_view>

#include "text/jinja/syntax.hpp"

namespace accelerate::text::jinja {

// SyntaxFailure for what does not follow the grammar, nests deeper than 200, or needs other templates (`include`,
// `import`, `extends`), which a checkpoint has none of. `source` is valid UTF-8.
Body parse(std::string_view source);

}  // namespace accelerate::text::jinja
