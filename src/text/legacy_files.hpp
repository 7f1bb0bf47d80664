// Folders without tokenizer.json: the tokenizer that Transformers would make from the older files.
#pragma once

#include <filesystem>
#include <string_view>

#include "text/tokenizer_state.hpp"

namespace accelerate::text {

// From the text of tokenizer.json; `where` names it in errors of syntax.
Parts read_parts_of_text(std::string_view text, std::string_view where);

// From vocab.txt, vocab.json + merges.txt, or a SentencePiece model, and what tokenizer_config.json (`config`),
// special_tokens_map.json (`specials`) and added_tokens.json say. Error{not_found} lists what was looked for.
Parts read_legacy_parts(const std::filesystem::path& path, const Json& config, const Json& specials);

}  // namespace accelerate::text
