#include "runtime/text_processor.hpp"

namespace accelerate {

std::vector<TokenizedText> tokenize(const std::filesystem::path& folder, std::span<const std::string> texts,
                                    const TokenizeOptions& options) {
  const Checkpoint checkpoint = open_checkpoint(folder);
  const Architecture* architecture = find_architecture(checkpoint.config().model_type());
  const std::string_view usual_class = architecture != nullptr ? architecture->tokenizer_class() : "";
  const runtime::TextProcessor processor(checkpoint, runtime::text_settings(checkpoint, 0, usual_class));
  std::vector<TokenizedText> tokenized;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    text::Encoding encoding = processor.encoding_of(i, {texts[i]}, {.add_special_tokens = options.add_special_tokens});
    tokenized.push_back({std::move(encoding.ids), std::move(encoding.tokens)});
  }
  return tokenized;
}

}  // namespace accelerate
