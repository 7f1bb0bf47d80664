#include <algorithm>
#include <array>

#include "text/components.hpp"
#include "text/decoder_stream.hpp"
#include "text/metaspace.hpp"
#include "text/regex.hpp"

namespace accelerate::text {
namespace {

using Tokens = std::vector<std::string>;

// Takes back the spaces that splitting English put before punctuation and endings, in this order.
void clean_up(std::string& text) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 11> kRules = {{{" .", "."},
                                                                                     {" ?", "?"},
                                                                                     {" !", "!"},
                                                                                     {" ,", ","},
                                                                                     {" ' ", "'"},
                                                                                     {" n't", "n't"},
                                                                                     {" 'm", "'m"},
                                                                                     {" do not", " don't"},
                                                                                     {" 's", "'s"},
                                                                                     {" 've", "'ve"},
                                                                                     {" 're", "'re"}}};
  for (const auto& [from, to] : kRules) replace_all(text, from, to);
}

class BpeDecoder final : public Decoder {
 public:
  explicit BpeDecoder(std::string suffix) : suffix_(std::move(suffix)) {}
  Tokens decode(Tokens tokens) const override {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      replace_all(tokens[i], suffix_, i + 1 == tokens.size() ? "" : " ");
    }
    return tokens;
  }
  std::string bytes(std::string token, TokenPlace&) const override {
    replace_all(token, suffix_, " ");
    return token;
  }
  std::unique_ptr<DecoderStream> stream() const override { return bpe_stream(suffix_); }

 private:
  std::string suffix_;
};

class ByteLevelDecoder final : public Decoder {
 public:
  Tokens decode(Tokens tokens) const override {
    std::string bytes, part;
    for (const std::string& token : tokens) bytes += bytes_of_token(token, part) ? part : token;
    return {to_valid_utf8(bytes)};
  }
  std::string bytes(std::string token, TokenPlace&) const override {
    std::string part;
    return bytes_of_token(token, part) ? part : token;
  }
  std::unique_ptr<DecoderStream> stream() const override { return byte_level_stream(); }
};

class WordPieceDecoder final : public Decoder {
 public:
  WordPieceDecoder(std::string prefix, bool cleanup) : prefix_(std::move(prefix)), cleanup_(cleanup) {}
  Tokens decode(Tokens tokens) const override {
    for (std::size_t i = 0; i < tokens.size(); ++i) tokens[i] = one(std::move(tokens[i]), i == 0);
    return tokens;
  }
  std::string bytes(std::string token, TokenPlace& place) const override { return one(std::move(token), place.first); }
  std::unique_ptr<DecoderStream> stream() const override {
    return token_by_token([this](std::string token, bool first) { return one(std::move(token), first); });
  }

 private:
  std::string one(std::string token, bool first) const {
    if (!first && token.compare(0, prefix_.size(), prefix_) == 0) {
      token.erase(0, prefix_.size());
    } else if (!first) {
      token.insert(token.begin(), ' ');
    }
    if (cleanup_) clean_up(token);
    return token;
  }
  std::string prefix_;
  bool cleanup_;
};

class MetaspaceDecoder final : public Decoder {
 public:
  explicit MetaspaceDecoder(const Json& json) : rules_(metaspace_rules(json)) {
    append_utf8(mark_, rules_.replacement);
  }
  Tokens decode(Tokens tokens) const override {
    for (std::size_t i = 0; i < tokens.size(); ++i) tokens[i] = one(std::move(tokens[i]), i == 0);
    return tokens;
  }
  std::string bytes(std::string token, TokenPlace& place) const override { return one(std::move(token), place.first); }
  std::unique_ptr<DecoderStream> stream() const override {
    return token_by_token([this](std::string token, bool first) { return one(std::move(token), first); });
  }

 private:
  std::string one(std::string token, bool first) const {
    replace_all(token, mark_, first && rules_.prepend != PrependScheme::never ? "" : " ");
    return token;
  }
  MetaspaceRules rules_;
  std::string mark_;
};

// "<0x0A>" and its like become bytes; a row of them that is no UTF-8 becomes as many U+FFFD.
class ByteFallback final : public Decoder {
 public:
  Tokens decode(Tokens tokens) const override {
    Tokens out;
    std::string bytes;
    for (std::string& token : tokens) {
      const int byte = byte_of_fallback(token);
      if (byte >= 0) {
        bytes.push_back(static_cast<char>(byte));
      } else {
        append_fallback(bytes, out);
        out.push_back(std::move(token));
      }
    }
    append_fallback(bytes, out);
    return out;
  }
  std::string bytes(std::string token, TokenPlace&) const override {
    const int byte = byte_of_fallback(token);
    return byte >= 0 ? std::string(1, static_cast<char>(byte)) : token;
  }
  std::unique_ptr<DecoderStream> stream() const override { return byte_fallback_stream(); }
};

class Fuse final : public Decoder {
 public:
  Tokens decode(Tokens tokens) const override {
    std::string all;
    for (const std::string& token : tokens) all += token;
    return {all};
  }
  std::string bytes(std::string token, TokenPlace& place) const override {
    place.joined = true;
    return token;
  }
  std::unique_ptr<DecoderStream> stream() const override { return fuse_stream(); }
};

class StripDecoder final : public Decoder {
 public:
  explicit StripDecoder(const Json& json) : start_(count(json.at("start"))), stop_(count(json.at("stop"))) {
    append_utf8(content_, char_at(json, "content"));
  }
  Tokens decode(Tokens tokens) const override {
    for (std::string& token : tokens) token = one(std::move(token), stop_);
    return tokens;
  }
  // Of one token made of all only the first of them holds the start; the end is no one's as long as more may come.
  std::string bytes(std::string token, TokenPlace& place) const override {
    if (place.joined) return place.first ? one(std::move(token), 0) : token;
    return one(std::move(token), stop_);
  }
  std::unique_ptr<DecoderStream> stream() const override { return strip_stream(content_, start_, stop_); }

 private:
  std::string one(std::string token, std::size_t stop) const {
    std::size_t begin = 0, end = token.size();
    for (std::size_t i = 0; i < start_ && token.compare(begin, content_.size(), content_) == 0; ++i) {
      begin += content_.size();
    }
    for (std::size_t i = 0; i < stop && end >= begin + content_.size() &&
                            token.compare(end - content_.size(), content_.size(), content_) == 0;
         ++i) {
      end -= content_.size();
    }
    return token.substr(begin, end - begin);
  }
  static std::size_t count(const Json& json) {
    const std::int64_t value = json.as_int();
    if (value < 0) throw Error(ErrorKind::corrupted, "found " + std::to_string(value) + ", expected a count");
    return static_cast<std::size_t>(value);
  }
  std::string content_;
  std::size_t start_, stop_;
};

class ReplaceDecoder final : public Decoder {
 public:
  explicit ReplaceDecoder(const Json& json) : pattern_(json.at("pattern")), content_(json.at("content").as_string()) {}
  Tokens decode(Tokens tokens) const override {
    for (std::string& token : tokens) token = one(token);
    return tokens;
  }
  std::string bytes(std::string token, TokenPlace&) const override { return one(token); }
  std::unique_ptr<DecoderStream> stream() const override {
    return token_by_token([this](const std::string& token, bool) { return one(token); });
  }

 private:
  std::string one(const std::string& token) const {
    std::vector<Match> matches;
    pattern_.find_all(token, matches);
    std::string out;
    for (const Match& match : matches) {
      if (match.matched) {
        out += content_;
      } else {
        out.append(token, match.begin, match.end - match.begin);
      }
    }
    return out;
  }
  Pattern pattern_;
  std::string content_;
};

// Connectionist temporal classification (Graves et al. 2006): repeated tokens are one, padding is none.
class Ctc final : public Decoder {
 public:
  explicit Ctc(const Json& json)
      : pad_(json.at("pad_token").as_string()),
        delimiter_(json.at("word_delimiter_token").as_string()),
        cleanup_(json.at("cleanup").as_bool()) {}
  Tokens decode(Tokens tokens) const override {
    tokens.erase(std::unique(tokens.begin(), tokens.end()), tokens.end());
    Tokens out;
    for (std::string& token : tokens) {
      if (std::string text = one(std::move(token)); !text.empty()) out.push_back(std::move(text));
    }
    return out;
  }
  std::string bytes(std::string, TokenPlace&) const override {
    throw Error(ErrorKind::unsupported, "the tokens of a CTC decoder have no bytes of their own", "decoder");
  }
  std::unique_ptr<DecoderStream> stream() const override {
    return token_by_token([this, last = std::string()](const std::string& token, bool first) mutable {
      if (!first && token == last) return std::string();
      last = token;
      return one(token);
    });
  }

 private:
  std::string one(std::string token) const {
    replace_all(token, pad_, "");
    if (cleanup_) {
      clean_up(token);
      replace_all(token, delimiter_, " ");
    }
    return token;
  }
  std::string pad_, delimiter_;
  bool cleanup_;
};

class DecoderSequence final : public Decoder {
 public:
  explicit DecoderSequence(const Json& json) {
    for (const Json& part : json.at("decoders").items()) {
      if (auto made = Decoder::make(part)) parts_.push_back(std::move(made));
    }
  }
  Tokens decode(Tokens tokens) const override {
    for (const auto& part : parts_) tokens = part->decode(std::move(tokens));
    return tokens;
  }
  std::string bytes(std::string token, TokenPlace& place) const override {
    for (const auto& part : parts_) token = part->bytes(std::move(token), place);
    return token;
  }
  std::unique_ptr<DecoderStream> stream() const override {
    std::vector<std::unique_ptr<DecoderStream>> stages;
    for (const auto& part : parts_) stages.push_back(part->stream());
    return sequence_stream(std::move(stages));
  }

 private:
  std::vector<std::unique_ptr<Decoder>> parts_;
};

}  // namespace

std::unique_ptr<Decoder> Decoder::make(const Json& json) {
  if (json.is_null()) return nullptr;
  const std::string_view type = type_of(json);
  if (type == "BPEDecoder") return std::make_unique<BpeDecoder>(json.at("suffix").as_string());
  if (type == "ByteLevel") return std::make_unique<ByteLevelDecoder>();
  if (type == "WordPiece") {
    return std::make_unique<WordPieceDecoder>(json.at("prefix").as_string(), json.at("cleanup").as_bool());
  }
  if (type == "Metaspace") return std::make_unique<MetaspaceDecoder>(json);
  if (type == "ByteFallback") return std::make_unique<ByteFallback>();
  if (type == "Fuse") return std::make_unique<Fuse>();
  if (type == "Strip") return std::make_unique<StripDecoder>(json);
  if (type == "Replace") return std::make_unique<ReplaceDecoder>(json);
  if (type == "CTC") return std::make_unique<Ctc>(json);
  if (type == "Sequence") return std::make_unique<DecoderSequence>(json);
  unknown_type("decoder", json);
}

}  // namespace accelerate::text
