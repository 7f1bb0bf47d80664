#include <algorithm>

#include "text/components.hpp"
#include "text/encoding_ops.hpp"

namespace accelerate::text {
namespace {

using Piece = PostProcessor::Piece;

std::int32_t id_from(const Json& json) {
  const std::int64_t id = json.as_int();
  if (id < 0 || id > 0x7fffffff) throw Error(ErrorKind::corrupted, "the id " + std::to_string(id) + " is out of range");
  return static_cast<std::int32_t>(id);
}

struct SpecialToken {
  std::vector<std::string> tokens;
  std::vector<std::int32_t> ids;
};

Encoding encoding_of(const SpecialToken& special, std::int32_t type_id) {
  const std::size_t count = special.ids.size();
  Encoding out;
  out.ids = special.ids;
  out.tokens = special.tokens;
  out.type_ids.assign(count, type_id);
  out.offsets.assign(count, {});
  out.word_ids.assign(count, -1);
  out.sequence_ids.assign(count, -1);
  out.special_tokens_mask.assign(count, 1);
  out.attention_mask.assign(count, 1);
  return out;
}

// Takes leading and trailing spaces of byte-level tokens out of their offsets.
void trim_offsets(Encoding& encoding, bool add_prefix_space) {
  constexpr char32_t kByteLevelSpace = U'\u0120';
  const Unicode& unicode = Unicode::get();
  const auto blank = [&](char32_t c) { return c == kByteLevelSpace || unicode.is(c, kSpace); };
  for (std::size_t i = 0; i < encoding.tokens.size(); ++i) {
    const std::string& token = encoding.tokens[i];
    Offset& offset = encoding.offsets[i];
    std::uint32_t leading = 0, trailing = 0;
    for (std::size_t k = 0; k < token.size(); ++leading) {
      const Decoded c = decode_at(token, k);
      if (!blank(c.value)) break;
      k += c.length;
    }
    for (std::size_t k = token.size(); k > 0; ++trailing) {
      k = previous_start(token, k);
      if (!blank(decode_at(token, k).value)) break;
    }
    if (leading > 0) {
      // The one space that was added before the text has no place in it to give up.
      const bool first = i == 0 || offset.begin == 0;
      if (first && add_prefix_space && leading == 1) leading = 0;
      offset.begin = std::min(offset.begin + leading, offset.end);
    }
    if (trailing > 0 && offset.end >= trailing) offset.end = std::max(offset.end - trailing, offset.begin);
  }
  for (Encoding& piece : encoding.overflowing) trim_offsets(piece, add_prefix_space);
}

class ByteLevelProcessor final : public PostProcessor {
 public:
  explicit ByteLevelProcessor(const Json& json)
      : trim_(bool_or(json, "trim_offsets", true)), prefix_space_(bool_or(json, "add_prefix_space", true)) {}
  std::size_t added_tokens(bool) const override { return 0; }
  std::vector<Encoding> process(std::vector<Encoding> encodings, bool) const override {
    if (trim_) {
      for (Encoding& encoding : encodings) trim_offsets(encoding, prefix_space_);
    }
    return encodings;
  }
  std::optional<std::vector<Piece>> pieces(bool pair) const override {
    std::vector<Piece> all{{0, 0, {}}};
    if (pair) all.push_back({1, 1, {}});
    return all;
  }

 private:
  bool trim_, prefix_space_;
};

// A list of special tokens and texts. BERT's and RoBERTa's processors are such lists too.
class Template final : public PostProcessor {
 public:
  struct Part {
    int sequence = -1;
    std::int32_t type_id = 0;
    SpecialToken special;
  };

  Template(std::vector<Part> single, std::vector<Part> pair) : single_(std::move(single)), pair_(std::move(pair)) {}

  std::size_t added_tokens(bool pair) const override {
    std::size_t count = 0;
    for (const Part& part : pair ? pair_ : single_) count += part.special.ids.size();
    return count;
  }

  std::vector<Encoding> process(std::vector<Encoding> encodings, bool add_special_tokens) const override {
    if (encodings.size() > 2) {
      throw Error(ErrorKind::unsupported, "a template applied to the result of another", "post_processor");
    }
    std::vector<Encoding> out;
    for (const Part& part : encodings.size() == 2 ? pair_ : single_) {
      if (part.sequence >= 0) {
        Encoding& encoding = encodings[static_cast<std::size_t>(part.sequence)];
        std::fill(encoding.type_ids.begin(), encoding.type_ids.end(), part.type_id);
        out.push_back(encoding);
      } else if (add_special_tokens) {
        out.push_back(encoding_of(part.special, part.type_id));
      }
    }
    return out;
  }

  std::optional<std::vector<Piece>> pieces(bool pair) const override {
    std::vector<Piece> all;
    for (const Part& part : pair ? pair_ : single_) all.push_back({part.sequence, part.type_id, part.special.ids});
    return all;
  }

 private:
  std::vector<Part> single_, pair_;
};

Template::Part special_part(const Json& token, std::int32_t type_id) {
  if (token.items().size() != 2) throw Error(ErrorKind::corrupted, "a special token that is no [token, id]");
  return {-1, type_id, {{token.items()[0].as_string()}, {id_from(token.items()[1])}}};
}

std::vector<Template::Part> template_parts(const Json& json, const Json& specials, bool pair) {
  std::vector<Template::Part> parts;
  for (const Json& piece : json.items()) {
    if (const Json* sequence = piece.find("Sequence")) {
      const std::string& id = sequence->at("id").as_string();
      if (id != "A" && (id != "B" || !pair)) {
        throw Error(ErrorKind::corrupted, "no sequence \"" + id + "\" here", "Sequence");
      }
      parts.push_back({id == "A" ? 0 : 1, id_from(sequence->at("type_id")), {}});
      continue;
    }
    const Json& special = piece.at("SpecialToken");
    const Json& token = specials.at(special.at("id").as_string());
    Template::Part part{-1, id_from(special.at("type_id")), {}};
    for (const Json& id : token.at("ids").items()) part.special.ids.push_back(id_from(id));
    for (const Json& text : token.at("tokens").items()) part.special.tokens.push_back(text.as_string());
    if (part.special.ids.size() != part.special.tokens.size()) {
      throw Error(ErrorKind::corrupted,
                  std::to_string(part.special.ids.size()) + " ids for " + std::to_string(part.special.tokens.size()) +
                      " tokens",
                  "special_tokens");
    }
    parts.push_back(std::move(part));
  }
  return parts;
}

std::unique_ptr<PostProcessor> make_template(const Json& json) {
  const Json& specials = json.at("special_tokens");
  return std::make_unique<Template>(template_parts(json.at("single"), specials, false),
                                    template_parts(json.at("pair"), specials, true));
}

class BertProcessor final : public PostProcessor {
 public:
  // RoBERTa has two separators between the texts, and only one type.
  BertProcessor(const Json& json, bool roberta)
      : roberta_(roberta),
        trim_(roberta && json.at("trim_offsets").as_bool()),
        prefix_space_(roberta && json.at("add_prefix_space").as_bool()),
        template_(parts(json, false, roberta), parts(json, true, roberta)) {}

  std::size_t added_tokens(bool pair) const override { return template_.added_tokens(pair); }
  std::vector<Encoding> process(std::vector<Encoding> encodings, bool add_special_tokens) const override {
    for (Encoding& encoding : encodings) {
      if (trim_) trim_offsets(encoding, prefix_space_);
      if (roberta_) clear_types(encoding, add_special_tokens);
    }
    if (!add_special_tokens) return encodings;
    return template_.process(std::move(encodings), true);
  }
  std::optional<std::vector<Piece>> pieces(bool pair) const override { return template_.pieces(pair); }

 private:
  // What overflowed keeps its types unless special tokens are put around it.
  static void clear_types(Encoding& encoding, bool overflowing) {
    std::fill(encoding.type_ids.begin(), encoding.type_ids.end(), 0);
    if (!overflowing) return;
    for (Encoding& piece : encoding.overflowing) clear_types(piece, false);
  }
  static std::vector<Template::Part> parts(const Json& json, bool pair, bool roberta) {
    const std::int32_t second = roberta ? 0 : 1;
    std::vector<Template::Part> all{special_part(json.at("cls"), 0), {0, 0, {}}, special_part(json.at("sep"), 0)};
    if (!pair) return all;
    if (roberta) all.push_back(special_part(json.at("sep"), 0));
    all.push_back({1, second, {}});
    all.push_back(special_part(json.at("sep"), second));
    return all;
  }

  bool roberta_, trim_, prefix_space_;
  Template template_;
};

class ProcessorSequence final : public PostProcessor {
 public:
  explicit ProcessorSequence(const Json& json) {
    for (const Json& part : json.at("processors").items()) {
      if (auto made = PostProcessor::make(part)) parts_.push_back(std::move(made));
    }
  }
  std::size_t added_tokens(bool pair) const override {
    std::size_t count = 0;
    for (const auto& part : parts_) count += part->added_tokens(pair);
    return count;
  }
  std::vector<Encoding> process(std::vector<Encoding> encodings, bool add_special_tokens) const override {
    for (const auto& part : parts_) encodings = part->process(std::move(encodings), add_special_tokens);
    return encodings;
  }
  std::optional<std::vector<Piece>> pieces(bool pair) const override {
    const PostProcessor* only = nullptr;
    for (const auto& part : parts_) {
      if (dynamic_cast<const ByteLevelProcessor*>(part.get()) != nullptr) continue;
      if (only != nullptr) return std::nullopt;
      only = part.get();
    }
    if (only != nullptr) return only->pieces(pair);
    return parts_.empty() ? std::nullopt : parts_.front()->pieces(pair);
  }

 private:
  std::vector<std::unique_ptr<PostProcessor>> parts_;
};

}  // namespace

std::unique_ptr<PostProcessor> PostProcessor::make(const Json& json) {
  if (json.is_null()) return nullptr;
  const std::string_view type = type_of(json);
  if (type == "BertProcessing") return std::make_unique<BertProcessor>(json, false);
  if (type == "RobertaProcessing") return std::make_unique<BertProcessor>(json, true);
  if (type == "TemplateProcessing") return make_template(json);
  if (type == "ByteLevel") return std::make_unique<ByteLevelProcessor>(json);
  if (type == "Sequence") return std::make_unique<ProcessorSequence>(json);
  unknown_type("post_processor", json);
}

}  // namespace accelerate::text
