// Text rewriting that several normalizers share: BERT's basic clean-up (Devlin et al. 2018), normal forms, lower case.
#pragma once

#include <array>
#include <cstdint>

#include "text/components.hpp"

namespace accelerate::text {

struct BertRules {
  bool clean_text = true, handle_chinese_chars = true, strip_accents = true, lowercase = true;
  // What becomes of each ASCII byte; kDropped removes it.
  static constexpr std::uint8_t kDropped = 0xff;
  std::array<std::uint8_t, 128> ascii{};
};

// From the BertNormalizer object; strip_accents follows lowercase where it is null.
BertRules bert_rules(const Json& json);

void bert_normalize(AlignedText& text, const BertRules& rules, Workspace& work);
void apply_normal_form(AlignedText& text, NormalForm form, Workspace& work);
void lower_case(AlignedText& text);

}  // namespace accelerate::text
