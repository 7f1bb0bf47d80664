#include "decoding/text_stream.hpp"

namespace accelerate::decoding {
namespace {

// Rows of byte tokens have no end of their own. One that is longer than any stop string is looked at when it is over:
// looking at all of it after each id would cost more with each.
constexpr std::size_t kLooked = 64;

}  // namespace

TextStream::TextStream(const text::Tokenizer& tokenizer, TextStreamOptions options)
    : text_(tokenizer.decode_stream(options.skip_special_tokens)),
      stops_(std::move(options.stop_strings), options.keep_stop_string) {}

std::string TextStream::push(std::int32_t id) {
  if (stopped()) return {};
  std::string piece = stops_.push(text_.push(id));
  if (stops_.empty() || stopped() || text_.held() == 0 || text_.held() > kLooked) return piece;
  const std::string pending = text_.pending();
  // The bytes of a character that is not whole are no text yet.
  if (pending.find("\xef\xbf\xbd") == std::string::npos && stops_.completes(pending)) piece += stops_.push(pending);
  return piece;
}

std::string TextStream::finish() {
  if (stopped()) return {};
  std::string rest = stops_.push(text_.finish());
  return rest += stops_.finish();
}

}  // namespace accelerate::decoding
