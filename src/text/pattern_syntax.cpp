// Oniguruma (Ruby) and PCRE2 agree on nearly all of what tokenizers use; this file spells the rest.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>
#include <cctype>
#include <utility>

#include "text/regex.hpp"

namespace accelerate::text {
namespace {

constexpr std::size_t kDeepestClass = 16;

struct Name {
  std::string_view from, to;
};
// Inside a class; outside it stands in brackets of its own.
constexpr std::array<Name, 30> kProperties = {{{"alnum", "\\p{Alphabetic}\\p{Nd}"},
                                               {"alpha", "\\p{Alphabetic}"},
                                               {"blank", "[:blank:]"},
                                               {"cntrl", "[:cntrl:]"},
                                               {"digit", "[:digit:]"},
                                               {"graph", "[:graph:]"},
                                               {"lower", "\\p{Lowercase}"},
                                               {"print", "[:print:]"},
                                               {"punct", "\\p{P}"},
                                               {"space", "\\p{White_Space}"},
                                               {"upper", "\\p{Uppercase}"},
                                               {"xdigit", "[:xdigit:]"},
                                               {"word", "[:word:]"},
                                               {"ascii", "[:ascii:]"},
                                               {"letter", "\\p{L}"},
                                               {"uppercaseletter", "\\p{Lu}"},
                                               {"lowercaseletter", "\\p{Ll}"},
                                               {"titlecaseletter", "\\p{Lt}"},
                                               {"modifierletter", "\\p{Lm}"},
                                               {"otherletter", "\\p{Lo}"},
                                               {"mark", "\\p{M}"},
                                               {"number", "\\p{N}"},
                                               {"decimalnumber", "\\p{Nd}"},
                                               {"punctuation", "\\p{P}"},
                                               {"symbol", "\\p{S}"},
                                               {"separator", "\\p{Z}"},
                                               {"other", "\\p{C}"},
                                               {"control", "\\p{Cc}"},
                                               {"format", "\\p{Cf}"},
                                               {"spaceseparator", "\\p{Zs}"}}};

class Translator {
 public:
  explicit Translator(std::string_view pattern) : pattern_(pattern) {}

  std::string translate() {
    std::string out;
    while (at_ < pattern_.size()) {
      const char c = pattern_[at_];
      if (c == '\\') {
        out += escape(false);
      } else if (c == '[') {
        out += bracket(0);
      } else if (starts("(?")) {
        out += group();
      } else {
        out += c;
        ++at_;
      }
    }
    return out;
  }

 private:
  // One operand of an intersection: a flat class, and classes nested in it.
  struct Operand {
    std::string flat;
    std::vector<std::string> nested;  // alternatives, each matching one code point
  };

  bool starts(std::string_view text) const { return pattern_.substr(at_, text.size()) == text; }

  // The options of a group: Ruby's m is what PCRE2 calls s.
  std::string group() {
    std::size_t end = at_ + 2;
    while (end < pattern_.size() && std::string_view("imx-").find(pattern_[end]) != std::string_view::npos) ++end;
    const bool options = end < pattern_.size() && end > at_ + 2 && (pattern_[end] == ':' || pattern_[end] == ')');
    std::string out(pattern_.substr(at_, options ? end - at_ : 2));
    at_ += out.size();
    for (char& c : out) {
      if (options && c == 'm') c = 's';
    }
    return out;
  }

  std::string escape(bool in_class) {
    const std::string_view rest = pattern_.substr(at_);
    if (rest.size() < 2) {
      at_ = pattern_.size();
      return "\\";
    }
    const char kind = rest[1];
    if (kind == 'h' || kind == 'H') {
      at_ += 2;
      const std::string set = kind == 'h' ? "0-9a-fA-F" : "";
      if (set.empty() && in_class) throw Error(ErrorKind::unsupported, "\\H inside a class of a pattern");
      return in_class ? set : kind == 'h' ? "[0-9a-fA-F]" : "[^0-9a-fA-F]";
    }
    if (kind == 'u' && rest.size() >= 6) {
      at_ += 6;
      return "\\x{" + std::string(rest.substr(2, 4)) + "}";
    }
    if ((kind == 'p' || kind == 'P') && rest.size() > 2 && rest[2] == '{') return property(rest, kind == 'P', in_class);
    at_ += 2;
    return std::string(rest.substr(0, 2));
  }

  std::string property(std::string_view rest, bool negated, bool in_class) {
    const std::size_t close = rest.find('}');
    if (close == std::string_view::npos) throw Error(ErrorKind::unsupported, "a property without its } in a pattern");
    at_ += close + 1;
    std::string name;
    for (const char c : rest.substr(3, close - 3)) {
      if (c == '^') {
        negated = !negated;
      } else if (c != '_' && c != ' ' && c != '-') {
        name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      }
    }
    for (const Name& known : kProperties) {
      if (known.from != name) continue;
      const std::string to(known.to);
      if (!negated) return in_class || (to[0] == '\\' && to.find('\\', 1) == std::string::npos) ? to : "[" + to + "]";
      if (to[0] == '[') return in_class ? "[:^" + to.substr(2) : "[[:^" + to.substr(2) + "]";
      if (to.find('\\', 1) == std::string::npos) return "\\P" + to.substr(2);
      if (in_class)
        throw Error(ErrorKind::unsupported, "the property " + name + " negated inside a class of a pattern");
      return "[^" + to + "]";
    }
    // A script's name means the script itself; to PCRE2 it would mean all that the script uses.
    const std::string script = "sc:" + name;
    return (negated ? "\\P{" : "\\p{") + (name.size() > 2 && is_property(script) ? script : name) + "}";
  }

  static bool is_property(const std::string& name) {
    const std::string pattern = "\\p{" + name + "}";
    int error = 0;
    PCRE2_SIZE offset = 0;
    pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(), PCRE2_UTF, &error,
                                     &offset, nullptr);
    pcre2_code_free(code);
    return code != nullptr;
  }

  // A bracket expression; without intersection or nesting it comes out as it went in.
  std::string bracket(std::size_t depth) {
    if (depth > kDeepestClass) throw Error(ErrorKind::unsupported, "classes nested too deeply in a pattern");
    ++at_;
    const bool negated = starts("^");
    if (negated) ++at_;
    std::vector<Operand> operands(1);
    bool first = true;
    while (true) {
      if (at_ >= pattern_.size()) throw Error(ErrorKind::unsupported, "a class without its ] in a pattern");
      Operand& now = operands.back();
      if (starts("]") && !first) {
        ++at_;
        break;
      }
      if (starts("&&")) {
        at_ += 2;
        operands.emplace_back();
      } else if (starts("[:")) {
        const std::size_t close = pattern_.find(":]", at_);
        if (close == std::string_view::npos) throw Error(ErrorKind::unsupported, "a [: without its :] in a pattern");
        now.flat += pattern_.substr(at_, close + 2 - at_);
        at_ = close + 2;
      } else if (starts("[")) {
        now.nested.push_back(bracket(depth + 1));
      } else if (starts("\\")) {
        now.flat += escape(true);
      } else {
        if (first && starts("]")) now.flat += '\\';
        now.flat += pattern_[at_++];
      }
      first = false;
    }
    return combine(operands, negated);
  }

  static std::string combine(const std::vector<Operand>& operands, bool negated) {
    if (operands.size() == 1 && operands[0].nested.empty()) return (negated ? "[^" : "[") + operands[0].flat + "]";
    std::string all;
    for (const Operand& operand : operands) {
      std::string any;
      if (!operand.flat.empty()) any = "[" + operand.flat + "]";
      for (const std::string& nested : operand.nested) any += (any.empty() ? "" : "|") + nested;
      all += "(?=" + any + ")";
    }
    return negated ? "(?:(?!" + all + ")(?s:.))" : "(?:" + all + "(?s:.))";
  }

  std::string_view pattern_;
  std::size_t at_ = 0;
};

}  // namespace

std::string to_pcre2_syntax(std::string_view pattern) { return Translator(pattern).translate(); }

}  // namespace accelerate::text
