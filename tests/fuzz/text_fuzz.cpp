// Any bytes as text to fixed tokenizers: refused at the first byte that is no UTF-8, else encoded alike by both ways,
// with offsets inside the text and in order of the words.
// Layers: text checkpoint core
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "text/tokenizer.hpp"
#include "text/unicode.hpp"

namespace {

using namespace accelerate;

constexpr std::string_view kBert =
    R"({"normalizer":{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,
"strip_accents":null,"lowercase":true},"pre_tokenizer":{"type":"BertPreTokenizer"},
"added_tokens":[{"id":1,"content":"[MASK]","single_word":false,"lstrip":true,"rstrip":false,"normalized":false,"special":true}],
"model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,
"vocab":{"[UNK]":0,"[MASK]":1,"a":2,"##a":3,"ab":4,"##b":5,"\u00e9":6,"\u4f60":7,"##e":8,"e":9}}})";
constexpr std::string_view kBytes = R"({"normalizer":{"type":"NFC"},"pre_tokenizer":{"type":"Sequence","pretokenizers":[
{"type":"Split","pattern":{"Regex":"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"},
"behavior":"Isolated","invert":false},{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false}]},
"post_processor":{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true},"decoder":{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true},
"model":{"type":"BPE","unk_token":"a","vocab":{"a":0,"b":1,"ab":2,"\u0120":3,"\u00c3":4,"\u00a9":5,"\u00c3\u00a9":6,"abab":7},"merges":["a b","\u00c3 \u00a9","ab ab"]}})";
constexpr std::string_view kMarks =
    R"({"normalizer":{"type":"Sequence","normalizers":[{"type":"NFKC"},{"type":"Strip","strip_left":true,"strip_right":true}]},
"pre_tokenizer":{"type":"Metaspace","replacement":"\u2581","prepend_scheme":"first","split":false},
"model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],["\u2581",-1],["a",-2],["aa",-2.5],["\u2581a",-2],["\u00e9",-3]]}})";

const std::vector<text::Tokenizer>& tokenizers() {
  static const std::vector<text::Tokenizer> all = [] {
    std::vector<text::Tokenizer> made;
    for (const std::string_view json : {kBert, kBytes, kMarks}) {
      made.push_back(text::Tokenizer::from_json(Json::parse(json, "fixed"), "fixed"));
    }
    return made;
  }();
  return all;
}

void check(const text::Tokenizer& tokenizer, std::string_view input) {
  const text::Encoding encoding = tokenizer.encode(input);
  if (tokenizer.encode_ids(input) != encoding.ids) std::abort();
  const auto chars = static_cast<std::size_t>(
      std::count_if(input.begin(), input.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
  for (const text::Offset& offset : encoding.offsets) {
    if (offset.begin > offset.end || offset.end > chars) std::abort();
  }
  if (!std::is_sorted(encoding.word_ids.begin(), encoding.word_ids.end())) std::abort();
  tokenizer.decode(encoding.ids);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const bool valid = text::find_invalid_utf8(input) == std::string_view::npos;
  for (const text::Tokenizer& tokenizer : tokenizers()) {
    try {
      check(tokenizer, input);
      if (!valid) std::abort();
    } catch (const Error& error) {
      if (valid || error.kind() != ErrorKind::invalid_input) std::abort();
    }
  }
  if (text::find_invalid_utf8(text::to_valid_utf8(input)) != std::string_view::npos) std::abort();
  return 0;
}
