#include "decoding/constraint/constraint.hpp"

#include <algorithm>

#include "decoding/constraint/expression.hpp"
#include "decoding/constraint/schema.hpp"

namespace accelerate::decoding {
namespace {

using constraint::Machine;

constexpr std::size_t kMostBytes = std::size_t{128} << 20, kMostPlaces = 1U << 16;

std::uint64_t mixed(std::uint64_t hash, std::int32_t token) {
  hash = (hash ^ static_cast<std::uint32_t>(token)) * 0xD6E8FEB86659FD93;
  return (hash ^ (hash >> 32)) * 0x9E3779B97F4A7C15;
}

}  // namespace

Constraint::Constraint(std::string name, constraint::Automaton automaton,
                       std::shared_ptr<const constraint::TokenTable> tokens, std::vector<std::int32_t> ends)
    : name_(std::move(name)),
      ends_(std::move(ends)),
      automaton_bytes_(automaton.bytes()),
      masks_(std::make_shared<const constraint::Automaton>(std::move(automaton)), std::move(tokens)) {}

// A hash of 64 bits stands for the tokens: one of 2^64 pairs of texts would be taken for one another.
Machine::Config Constraint::place_of(std::span<const std::int32_t> generated) const {
  if (masks_.bytes() > kMostBytes) {
    masks_.clear();
    places_.clear();
  }
  if (places_.size() > kMostPlaces) places_.clear();
  hashes_.resize(generated.size() + 1);
  hashes_[0] = 0x2545F4914F6CDD1D;
  for (std::size_t i = 0; i < generated.size(); ++i) hashes_[i + 1] = mixed(hashes_[i], generated[i]);
  std::size_t known = generated.size();
  Machine::Config place = masks_.machine().start();
  for (; known > 0; --known) {
    const auto found = places_.find(hashes_[known]);
    if (found == places_.end()) continue;
    place = found->second;
    break;
  }
  for (; known < generated.size(); ++known) {
    const std::int32_t token = generated[known];
    const constraint::TokenTable& tokens = masks_.tokens();
    const std::string_view bytes = known == 0 ? tokens.first_bytes(token) : tokens.bytes(token);
    place = bytes.empty() ? Machine::kDead : masks_.machine().advance(place, bytes);
    places_.emplace(hashes_[known + 1], place);
  }
  return place;
}

bool Constraint::allow(std::span<const std::int32_t> tokens, std::size_t prompt_length,
                       std::span<std::uint64_t> allowed) const {
  const std::span<const std::int32_t> generated = tokens.subspan(std::min(prompt_length, tokens.size()));
  const std::lock_guard lock(mutex_);
  const Machine::Config place = place_of(generated);
  const auto mask = generated.empty() ? masks_.first() : masks_.following(place);
  const std::size_t words = std::min(mask.size(), allowed.size());
  std::copy_n(mask.begin(), words, allowed.begin());
  const bool may_end = masks_.machine().accepts(place);
  for (const std::int32_t end : ends_) {
    if (end >= 0 && static_cast<std::size_t>(end) / 64 < allowed.size()) constraint::put(allowed, end, may_end);
  }
  return true;
}

bool Constraint::complete(std::span<const std::int32_t> generated) const {
  const std::lock_guard lock(mutex_);
  return masks_.machine().accepts(place_of(generated));
}

std::size_t Constraint::bytes() const {
  const std::lock_guard lock(mutex_);
  return automaton_bytes_ + masks_.bytes() + places_.size() * 32;
}

std::shared_ptr<const Constraint> regex_constraint(std::string_view expression,
                                                   std::shared_ptr<const constraint::TokenTable> tokens,
                                                   std::vector<std::int32_t> ends) {
  return std::make_shared<const Constraint>("regex", constraint::regex_automaton(expression), std::move(tokens),
                                            std::move(ends));
}

std::shared_ptr<const Constraint> schema_constraint(std::string_view schema,
                                                    std::shared_ptr<const constraint::TokenTable> tokens,
                                                    std::vector<std::int32_t> ends) {
  return std::make_shared<const Constraint>("json_schema", constraint::schema_automaton(schema), std::move(tokens),
                                            std::move(ends));
}

}  // namespace accelerate::decoding
