// Walking automata by bytes and by tokens, as tests of constraints do.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "decoding/constraint/constraint.hpp"
#include "decoding/constraint/expression.hpp"
#include "decoding/constraint/schema.hpp"
#include "decoding/golden_rows.hpp"

namespace accelerate::decoding::constraint {

// An automaton that texts are tried on.
class Tried {
 public:
  explicit Tried(Automaton automaton)
      : automaton_(std::make_shared<const Automaton>(std::move(automaton))), machine_(automaton_) {}
  static Tried regex(std::string_view pattern) { return Tried(regex_automaton(pattern)); }
  static Tried schema(std::string_view schema) { return Tried(schema_automaton(schema)); }

  // The whole text is one of the automaton's.
  bool accepts(std::string_view text) { return machine_.accepts(machine_.advance(machine_.start(), text)); }
  // Some text of the automaton begins so.
  bool begins(std::string_view text) { return machine_.advance(machine_.start(), text) != Machine::kDead; }
  // Any text of the automaton, ended soon after `length` bytes, if its bytes chosen at random come to an end.
  std::string random_text(std::mt19937& random, std::size_t length, std::size_t longest) {
    std::string text;
    Machine::Config at = machine_.start();
    while (text.size() < longest) {
      if (machine_.accepts(at) && (text.size() >= length || random() % 8 == 0)) return text;
      std::vector<std::uint8_t> bytes;
      for (unsigned byte = 0; byte < 256; ++byte) {
        if (machine_.step(at, static_cast<std::uint8_t>(byte)) != Machine::kDead) {
          bytes.push_back(static_cast<std::uint8_t>(byte));
        }
      }
      if (bytes.empty()) return text;
      const std::uint8_t byte = bytes[random() % bytes.size()];
      text += static_cast<char>(byte);
      at = machine_.step(at, byte);
    }
    return text;
  }
  Machine& machine() { return machine_; }

 private:
  std::shared_ptr<const Automaton> automaton_;
  Machine machine_;
};

inline const std::vector<std::string>& tokenizer_names() {
  static const std::vector<std::string> kNames{"bert",   "bert_cased", "clip",       "gpt2",  "llama",
                                               "llama3", "mistral",    "opt",        "qwen2", "roberta",
                                               "t5",     "whisper",    "xlm_roberta"};
  return kNames;
}
inline text::Tokenizer tokenizer_named(const std::string& name) {
  return text::Tokenizer::open(goldens() / "tokenizers" / name);
}

// The error's text, and its kind; "" when there was none.
template <typename Call>
std::string error_of(const Call& call, ErrorKind kind = ErrorKind::invalid_input) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  return "";
}

}  // namespace accelerate::decoding::constraint
