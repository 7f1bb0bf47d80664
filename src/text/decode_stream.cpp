#include "text/decode_stream.hpp"

#include "text/decoder_stream.hpp"
#include "text/tokenizer_state.hpp"

namespace accelerate::text {
namespace {

std::string joined(const std::vector<DecodedPart>& parts) {
  std::string text;
  for (const DecodedPart& part : parts) text += part.text;
  return text;
}

std::unique_ptr<DecoderStream> stream_of(const Decoder* decoder) {
  if (decoder != nullptr) return decoder->stream();
  return token_by_token([](const std::string& token, bool first) { return first ? token : " " + token; });
}

}  // namespace

DecodeStream::DecodeStream(std::shared_ptr<const Tokenizer::State> state, bool skip_special_tokens)
    : state_(std::move(state)),
      decoder_(stream_of(state_->parts.decoder.get())),
      skip_special_tokens_(skip_special_tokens) {}
DecodeStream::DecodeStream(const DecodeStream& other)
    : state_(other.state_), decoder_(other.decoder_->clone()), skip_special_tokens_(other.skip_special_tokens_) {}
DecodeStream::DecodeStream(DecodeStream&&) noexcept = default;
DecodeStream& DecodeStream::operator=(DecodeStream other) noexcept {
  state_ = std::move(other.state_);
  decoder_ = std::move(other.decoder_);
  skip_special_tokens_ = other.skip_special_tokens_;
  return *this;
}
DecodeStream::~DecodeStream() = default;

std::string DecodeStream::push(std::int32_t id) {
  auto token = state_->token_text(id);
  if (!token || (skip_special_tokens_ && state_->added.is_special(*token))) return {};
  std::vector<DecodedPart> parts;
  decoder_->push({std::move(*token)}, parts);
  return joined(parts);
}

std::string DecodeStream::finish() {
  std::vector<DecodedPart> parts;
  decoder_->finish(parts);
  return joined(parts);
}

std::string DecodeStream::pending() const { return held() == 0 ? std::string() : DecodeStream(*this).finish(); }

std::size_t DecodeStream::held() const { return decoder_->held(); }

DecodeStream Tokenizer::decode_stream(bool skip_special_tokens) const {
  return DecodeStream(state_, skip_special_tokens);
}

}  // namespace accelerate::text
