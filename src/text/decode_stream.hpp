// The text of ids that come one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "text/tokenizer.hpp"

namespace accelerate::text {

class DecoderStream;

// Pieces of text that no later id changes, whole characters each; joined they are what Tokenizer::decode gives for all
// ids. What may still change waits: the bytes of a character that is not whole, a row of byte-fallback tokens (which is
// replaced as a whole when it turns out to be no UTF-8), the last token where a decoder treats that one differently.
// The cost of an id does not depend on how many came before. Copies go on by themselves.
class DecodeStream {
 public:
  DecodeStream(const DecodeStream& other);
  DecodeStream(DecodeStream&&) noexcept;
  DecodeStream& operator=(DecodeStream other) noexcept;
  ~DecodeStream();

  // The text that is certain now and was not before; often empty.
  std::string push(std::int32_t id);
  // What waited; the stream takes no more ids.
  std::string finish();
  // What finish() would give now. Costs as much as what waits is long.
  std::string pending() const;
  // Bytes that wait.
  std::size_t held() const;

 private:
  friend class Tokenizer;
  DecodeStream(std::shared_ptr<const Tokenizer::State> state, bool skip_special_tokens);
  std::shared_ptr<const Tokenizer::State> state_;
  std::unique_ptr<DecoderStream> decoder_;
  bool skip_special_tokens_;
};

}  // namespace accelerate::text
