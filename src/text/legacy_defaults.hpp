// What the tokenizer classes of Transformers have by default, for folders whose older files leave it out.
#pragma once

#include <filesystem>

#include "text/tokenizer_state.hpp"

namespace accelerate::text {

// tokenizer_config.json and special_tokens_map.json, filled in.
struct LegacySettings {
  Json config, specials;
};

// Where `config` names no tokenizer_class, the class is that of the folder's model_type (config.json). Where neither
// file says anything of a role ("cls_token"), not even null, the token is the class's. Only for classes of text
// encoders: BERT and its kin, RoBERTa, XLM-RoBERTa, MPNet, ALBERT.
LegacySettings with_class_defaults(const std::filesystem::path& folder, Json config, Json specials);

}  // namespace accelerate::text
