// Decoders one token at a time: what a decoder makes of a growing row of tokens, as soon as no later token can change
// it.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace accelerate::text {

// What stages hand on: a token, or a piece of one that still grows (Fuse makes one token of all).
struct DecodedPart {
  std::string text;
  bool begins = true, ends = true;
};

class DecoderStream {
 public:
  virtual ~DecoderStream() = default;
  // Appends to `out` what is certain after this part. All that was appended after finish(), joined, is what
  // Decoder::decode makes of all tokens.
  virtual void push(DecodedPart part, std::vector<DecodedPart>& out) = 0;
  virtual void finish(std::vector<DecodedPart>& out) = 0;
  virtual std::unique_ptr<DecoderStream> clone() const = 0;
  // Bytes of tokens that wait for later ones.
  virtual std::size_t held() const = 0;
};

// A stream that looks at whole tokens: joins the pieces of one before it calls token().
template <typename Derived>
class WholeTokens : public DecoderStream {
 public:
  void push(DecodedPart part, std::vector<DecodedPart>& out) final {
    if (part.begins && part.ends) return token(std::move(part.text), out);
    open_ += part.text;
    if (!part.ends) return;
    std::string whole;
    whole.swap(open_);
    token(std::move(whole), out);
  }
  void finish(std::vector<DecodedPart>&) override {}
  std::unique_ptr<DecoderStream> clone() const final {
    return std::make_unique<Derived>(static_cast<const Derived&>(*this));
  }
  std::size_t held() const final { return open_.size() + waiting(); }

 protected:
  virtual void token(std::string text, std::vector<DecodedPart>& out) = 0;
  virtual std::size_t waiting() const { return 0; }

 private:
  std::string open_;
};

// Each token by itself, but for the first: change(text, is_first).
template <typename Change>
class TokenByToken final : public WholeTokens<TokenByToken<Change>> {
 public:
  explicit TokenByToken(Change change) : change_(std::move(change)) {}

 private:
  void token(std::string text, std::vector<DecodedPart>& out) override {
    out.push_back({change_(std::move(text), first_)});
    first_ = false;
  }
  Change change_;
  bool first_ = true;
};
template <typename Change>
std::unique_ptr<DecoderStream> token_by_token(Change change) {
  return std::make_unique<TokenByToken<Change>>(std::move(change));
}

std::unique_ptr<DecoderStream> byte_level_stream();
std::unique_ptr<DecoderStream> byte_fallback_stream();
std::unique_ptr<DecoderStream> fuse_stream();
// `suffix` is a space in all tokens but the last.
std::unique_ptr<DecoderStream> bpe_stream(std::string suffix);
// Takes up to `start` times `content` from a token's start, up to `stop` times from its end.
std::unique_ptr<DecoderStream> strip_stream(std::string content, std::size_t start, std::size_t stop);
std::unique_ptr<DecoderStream> sequence_stream(std::vector<std::unique_ptr<DecoderStream>> stages);

// Shared with the decoders for whole rows.
void replace_all(std::string& text, std::string_view from, std::string_view to);
int byte_of_fallback(std::string_view token);  // of "<0x0A>", else -1
// The bytes as text, or, when they are no UTF-8, as many U+FFFD.
void append_fallback(std::string& bytes, std::vector<std::string>& out);

}  // namespace accelerate::text
