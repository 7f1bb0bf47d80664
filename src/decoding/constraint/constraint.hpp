// Texts that a regular expression or a JSON schema describes: the tokens that keep to it, at each place.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "decoding/constraint/token_masks.hpp"
#include "decoding/sampler_chain.hpp"

namespace accelerate::decoding {

// Generated tokens, decoded, are a beginning of a text of the automaton; `ends` may follow exactly where such a text is
// complete, and where nothing else may follow they are all that does. Prompts do not matter.
//
// What was seen is kept, by the tokens so far: one more token costs one step, in whatever order sequences come, and a
// sequence that was not seen before is read from its first token on. Safe for several threads.
class Constraint : public TokenFilter {
 public:
  // `name` as describe() shows it. `ends`: eos and stop ids.
  Constraint(std::string name, constraint::Automaton automaton, std::shared_ptr<const constraint::TokenTable> tokens,
             std::vector<std::int32_t> ends);

  bool allow(std::span<const std::int32_t> tokens, std::size_t prompt_length,
             std::span<std::uint64_t> allowed) const override;
  std::string_view name() const override { return name_; }

  // The text of these generated tokens is complete.
  bool complete(std::span<const std::int32_t> generated) const;
  // Of automaton, masks and places kept; what is kept beside the automaton goes down by itself when it passes 128 MiB.
  std::size_t bytes() const;

 private:
  constraint::Machine::Config place_of(std::span<const std::int32_t> generated) const;

  std::string name_;
  std::vector<std::int32_t> ends_;
  std::size_t automaton_bytes_;
  mutable std::mutex mutex_;
  mutable constraint::TokenMasks masks_;
  mutable std::unordered_map<std::uint64_t, constraint::Machine::Config> places_;  // by a hash of the tokens
  mutable std::vector<std::uint64_t> hashes_;
};

// Error{invalid_input} naming the character for what is not supported (constraint/expression.hpp).
std::shared_ptr<const Constraint> regex_constraint(std::string_view expression,
                                                   std::shared_ptr<const constraint::TokenTable> tokens,
                                                   std::vector<std::int32_t> ends);
// Errors naming the schema's keyword by its JSON pointer (constraint/schema.hpp).
std::shared_ptr<const Constraint> schema_constraint(std::string_view schema,
                                                    std::shared_ptr<const constraint::TokenTable> tokens,
                                                    std::vector<std::int32_t> ends);

}  // namespace accelerate::decoding
