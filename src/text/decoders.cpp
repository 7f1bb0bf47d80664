#include <algorithm>
#include <array>

#include "text/components.hpp"
#include "text/metaspace.hpp"
#include "text/regex.hpp"

namespace accelerate::text {
namespace {

using Tokens = std::vector<std::string>;

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
};

class WordPieceDecoder final : public Decoder {
 public:
  WordPieceDecoder(std::string prefix, bool cleanup) : prefix_(std::move(prefix)), cleanup_(cleanup) {}
  Tokens decode(Tokens tokens) const override {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      std::string& token = tokens[i];
      if (i > 0 && token.compare(0, prefix_.size(), prefix_) == 0) {
        token.erase(0, prefix_.size());
      } else if (i > 0) {
        token.insert(token.begin(), ' ');
      }
      if (cleanup_) clean_up(token);
    }
    return tokens;
  }

 private:
  std::string prefix_;
  bool cleanup_;
};

class MetaspaceDecoder final : public Decoder {
 public:
  explicit MetaspaceDecoder(const Json& json) : rules_(metaspace_rules(json)) {
    append_utf8(mark_, rules_.replacement);
  }
  Tokens decode(Tokens tokens) const override {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      replace_all(tokens[i], mark_, i == 0 && rules_.prepend != PrependScheme::never ? "" : " ");
    }
    return tokens;
  }

 private:
  MetaspaceRules rules_;
  std::string mark_;
};

// "<0x0A>" and its like become bytes; a row of them that is no UTF-8 becomes as many U+FFFD.
class ByteFallback final : public Decoder {
 public:
  Tokens decode(Tokens tokens) const override {
    Tokens out;
    std::string bytes;
    const auto flush = [&] {
      if (bytes.empty()) return;
      if (find_invalid_utf8(bytes) == std::string::npos) {
        out.push_back(bytes);
      } else {
        out.insert(out.end(), bytes.size(), "\xef\xbf\xbd");
      }
      bytes.clear();
    };
    for (std::string& token : tokens) {
      const int byte = byte_of(token);
      if (byte >= 0) {
        bytes.push_back(static_cast<char>(byte));
      } else {
        flush();
        out.push_back(std::move(token));
      }
    }
    flush();
    return out;
  }

 private:
  static int byte_of(const std::string& token) {
    if (token.size() != 6 || token.compare(0, 3, "<0x") != 0 || token[5] != '>') return -1;
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
};

class Fuse final : public Decoder {
 public:
  Tokens decode(Tokens tokens) const override {
    std::string all;
    for (const std::string& token : tokens) all += token;
    return {all};
  }
};

class StripDecoder final : public Decoder {
 public:
  explicit StripDecoder(const Json& json) : start_(count(json.at("start"))), stop_(count(json.at("stop"))) {
    append_utf8(content_, char_at(json, "content"));
  }
  Tokens decode(Tokens tokens) const override {
    for (std::string& token : tokens) {
      std::size_t begin = 0, end = token.size();
      for (std::size_t i = 0; i < start_ && token.compare(begin, content_.size(), content_) == 0; ++i) {
        begin += content_.size();
      }
      for (std::size_t i = 0; i < stop_ && end >= begin + content_.size() &&
                              token.compare(end - content_.size(), content_.size(), content_) == 0;
           ++i) {
        end -= content_.size();
      }
      token = token.substr(begin, end - begin);
    }
    return tokens;
  }

 private:
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
    std::vector<Match> matches;
    for (std::string& token : tokens) {
      matches.clear();
      pattern_.find_all(token, matches);
      std::string out;
      for (const Match& match : matches) {
        if (match.matched) {
          out += content_;
        } else {
          out.append(token, match.begin, match.end - match.begin);
        }
      }
      token = std::move(out);
    }
    return tokens;
  }

 private:
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
      replace_all(token, pad_, "");
      if (cleanup_) {
        clean_up(token);
        replace_all(token, delimiter_, " ");
      }
      if (!token.empty()) out.push_back(std::move(token));
    }
    return out;
  }

 private:
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
