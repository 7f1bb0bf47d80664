#include "text/decoder_stream.hpp"

#include "text/unicode.hpp"

namespace accelerate::text {
namespace {

using DecodedParts = std::vector<DecodedPart>;

// How much of `bytes` later ones cannot change: all but a last character that is not whole.
std::size_t certain_length(std::string_view bytes) {
  for (std::size_t back = 1; back <= 3 && back <= bytes.size(); ++back) {
    const auto lead = static_cast<unsigned char>(bytes[bytes.size() - back]);
    if ((lead & 0xc0) == 0x80) continue;
    // Cut off by the end of the text, it would be one invalid part; with anything wrong in it, several.
    const bool open = lead >= 0xc2 && lead <= 0xf4 && utf8_length(lead) > back &&
                      to_valid_utf8(bytes.substr(bytes.size() - back)).size() == 3;
    return open ? bytes.size() - back : bytes.size();
  }
  return bytes.size();
}

class ByteLevelStream final : public WholeTokens<ByteLevelStream> {
 public:
  void finish(DecodedParts& out) override {
    out.push_back({to_valid_utf8(bytes_), begins_, true});
    bytes_.clear();
  }

 private:
  void token(std::string text, DecodedParts& out) override {
    bytes_ += bytes_of_token(text, part_) ? part_ : text;
    const std::size_t certain = certain_length(bytes_);
    if (certain == 0) return;
    out.push_back({to_valid_utf8(std::string_view(bytes_).substr(0, certain)), begins_, false});
    begins_ = false;
    bytes_.erase(0, certain);
  }
  std::size_t waiting() const override { return bytes_.size(); }
  std::string bytes_, part_;
  bool begins_ = true;
};

// A row of bytes is text or replacement characters as a whole, so it waits for its end.
class ByteFallbackStream final : public WholeTokens<ByteFallbackStream> {
 public:
  void finish(DecodedParts& out) override {
    std::vector<std::string> tokens;
    append_fallback(bytes_, tokens);
    for (std::string& token : tokens) out.push_back({std::move(token)});
  }

 private:
  void token(std::string text, DecodedParts& out) override {
    const int byte = byte_of_fallback(text);
    if (byte >= 0) {
      bytes_.push_back(static_cast<char>(byte));
      return;
    }
    finish(out);
    out.push_back({std::move(text)});
  }
  std::size_t waiting() const override { return bytes_.size(); }
  std::string bytes_;
};

class FuseStream final : public DecoderStream {
 public:
  void push(DecodedPart part, DecodedParts& out) override {
    out.push_back({std::move(part.text), begins_, false});
    begins_ = false;
  }
  void finish(DecodedParts& out) override { out.push_back({"", begins_, true}); }
  std::unique_ptr<DecoderStream> clone() const override { return std::make_unique<FuseStream>(*this); }
  std::size_t held() const override { return 0; }

 private:
  bool begins_ = true;
};

class BpeStream final : public WholeTokens<BpeStream> {
 public:
  explicit BpeStream(std::string suffix) : suffix_(std::move(suffix)) {}
  void finish(DecodedParts& out) override { give(out, ""); }

 private:
  void token(std::string text, DecodedParts& out) override {
    give(out, " ");
    last_ = std::move(text);
    any_ = true;
  }
  void give(DecodedParts& out, std::string_view instead) {
    if (!any_) return;
    replace_all(last_, suffix_, instead);
    out.push_back({std::move(last_)});
    any_ = false;
  }
  std::size_t waiting() const override { return any_ ? last_.size() : 0; }
  std::string suffix_, last_;
  bool any_ = false;
};

class StripStream final : public DecoderStream {
 public:
  StripStream(std::string content, std::size_t start, std::size_t stop)
      : content_(std::move(content)), start_(start), stop_(stop) {}

  void push(DecodedPart part, DecodedParts& out) override {
    if (part.begins) left_ = start_;
    std::size_t begin = 0;
    while (left_ > 0 && begin < part.text.size()) {
      if (part.text.compare(begin, content_.size(), content_) != 0) {
        left_ = 0;
        break;
      }
      begin += content_.size();
      --left_;
    }
    std::string text = end_ + part.text.substr(begin);
    std::size_t end = text.size();
    for (std::size_t i = 0;
         i < stop_ && end >= content_.size() && text.compare(end - content_.size(), content_.size(), content_) == 0;
         ++i) {
      end -= content_.size();
    }
    // What may be the token's end waits for more of it.
    end_ = part.ends ? "" : text.substr(end);
    text.resize(end);
    out.push_back({std::move(text), part.begins, part.ends});
  }
  void finish(DecodedParts&) override {}
  std::unique_ptr<DecoderStream> clone() const override { return std::make_unique<StripStream>(*this); }
  std::size_t held() const override { return end_.size(); }

 private:
  std::string content_, end_;
  std::size_t start_, stop_, left_ = 0;
};

class SequenceStream final : public DecoderStream {
 public:
  explicit SequenceStream(std::vector<std::unique_ptr<DecoderStream>> stages) : stages_(std::move(stages)) {}
  void push(DecodedPart part, DecodedParts& out) override {
    DecodedParts parts;
    parts.push_back(std::move(part));
    run(std::move(parts), 0, out);
  }
  void finish(DecodedParts& out) override {
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      DecodedParts rest;
      stages_[i]->finish(rest);
      run(std::move(rest), i + 1, out);
    }
  }
  std::unique_ptr<DecoderStream> clone() const override {
    std::vector<std::unique_ptr<DecoderStream>> stages;
    for (const auto& stage : stages_) stages.push_back(stage->clone());
    return std::make_unique<SequenceStream>(std::move(stages));
  }
  std::size_t held() const override {
    std::size_t bytes = 0;
    for (const auto& stage : stages_) bytes += stage->held();
    return bytes;
  }

 private:
  void run(DecodedParts parts, std::size_t from, DecodedParts& out) {
    for (std::size_t i = from; i < stages_.size(); ++i) {
      DecodedParts next;
      for (DecodedPart& part : parts) stages_[i]->push(std::move(part), next);
      parts = std::move(next);
    }
    for (DecodedPart& part : parts) out.push_back(std::move(part));
  }
  std::vector<std::unique_ptr<DecoderStream>> stages_;
};

}  // namespace

std::unique_ptr<DecoderStream> byte_level_stream() { return std::make_unique<ByteLevelStream>(); }
std::unique_ptr<DecoderStream> byte_fallback_stream() { return std::make_unique<ByteFallbackStream>(); }
std::unique_ptr<DecoderStream> fuse_stream() { return std::make_unique<FuseStream>(); }
std::unique_ptr<DecoderStream> bpe_stream(std::string suffix) { return std::make_unique<BpeStream>(std::move(suffix)); }
std::unique_ptr<DecoderStream> strip_stream(std::string content, std::size_t start, std::size_t stop) {
  return std::make_unique<StripStream>(std::move(content), start, stop);
}
std::unique_ptr<DecoderStream> sequence_stream(std::vector<std::unique_ptr<DecoderStream>> stages) {
  return std::make_unique<SequenceStream>(std::move(stages));
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  if (from.empty()) return;
  std::size_t at = text.find(from);
  if (at == std::string::npos) return;
  std::string out;
  std::size_t previous = 0;
  for (; at != std::string::npos; at = text.find(from, previous)) {
    out.append(text, previous, at - previous).append(to);
    previous = at + from.size();
  }
  text = out.append(text, previous, std::string::npos);
}

int byte_of_fallback(std::string_view token) {
  if (token.size() != 6 || token.substr(0, 3) != "<0x" || token[5] != '>') return -1;
  int value = 0;
  // A sign is a digit to the reference's number parser: "+A" is 10.
  for (std::size_t i = token[3] == '+' ? 4 : 3; i < 5; ++i) {
    const char c = token[i];
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

void append_fallback(std::string& bytes, std::vector<std::string>& out) {
  if (bytes.empty()) return;
  if (find_invalid_utf8(bytes) == std::string::npos) {
    out.push_back(bytes);
  } else {
    out.insert(out.end(), bytes.size(), "\xef\xbf\xbd");
  }
  bytes.clear();
}

}  // namespace accelerate::text
