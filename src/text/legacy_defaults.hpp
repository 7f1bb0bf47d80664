// What the tokenizer classes of Transformers have by default, for folders whose older files leave it out.
#pragma once

#include <string_view>

#include "text/tokenizer_state.hpp"

namespace accelerate::text {

// tokenizer_config.json and special_tokens_map.json, filled in.
struct LegacySettings {
  Json config, specials;
};

// Where `config` names no tokenizer_class, the class is `default_class` (empty: none). Where neither
// file says anything of a role ("cls_token"), not even null, the token is the class's. Only for classes of text
// encoders: BERT and its kin, RoBERTa, XLM-RoBERTa, MPNet, ALBERT.
LegacySettings with_class_defaults(std::string_view default_class, Json config, Json specials);

}  // namespace accelerate::text
