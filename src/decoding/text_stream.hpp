// The text of a sequence as its tokens are chosen: pieces that can be shown at once, up to a stop string.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "decoding/stopping.hpp"
#include "text/decode_stream.hpp"
#include "text/tokenizer.hpp"

namespace accelerate::decoding {

struct TextStreamOptions {
  bool skip_special_tokens = true;
  std::vector<std::string> stop_strings = {};
  bool keep_stop_string = false;  // the text ends behind the stop string instead of before it
};

// Pieces joined are what Tokenizer::decode gives for all ids, up to the stop string. No piece ends within a character
// and none is changed by later ids (text/decode_stream.hpp); what may begin a stop string is held back. The cost of an
// id does not depend on how many came before.
class TextStream {
 public:
  // Error{invalid_input} for a stop string that is empty or no UTF-8.
  explicit TextStream(const text::Tokenizer& tokenizer, TextStreamOptions options = {});

  // Often empty; always when stopped().
  std::string push(std::int32_t id);
  // The text holds a stop string: as soon as decoding the ids so far would show it, also where a piece still waits
  // because later ids could change it.
  bool stopped() const { return stops_.found(); }
  // The rest, when no more ids come.
  std::string finish();

 private:
  text::DecodeStream text_;
  StopStrings stops_;
};

}  // namespace accelerate::decoding
