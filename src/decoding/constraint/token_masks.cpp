#include "decoding/constraint/token_masks.hpp"

#include <algorithm>
#include <bit>
#include <functional>

namespace accelerate::decoding::constraint {

using Kind = TokenTable::Kind;

TokenMasks::TokenMasks(std::shared_ptr<const Automaton> automaton, std::shared_ptr<const TokenTable> tokens)
    : machine_(std::move(automaton)), tokens_(std::move(tokens)) {
  std::size_t depth = 0;
  for (std::size_t kind = 0; kind < TokenTable::kKinds; ++kind) {
    depth = std::max(depth, tokens_->group(static_cast<Kind>(kind)).tree.depth());
  }
  path_.resize(depth + 1);
}

// Nodes [begin, end), children of the node before them, which has led to `config`.
void TokenMasks::walk(const TokenTree& tree, std::uint32_t begin, std::uint32_t end, Machine::Config config, Mask& mask,
                      std::vector<Exit>* exits) {
  if (begin >= end) return;
  path_[tree.node(begin).depth - 1U] = config;
  for (std::uint32_t at = begin; at < end;) {
    const TokenTree::Node& node = tree.node(at);
    const Machine::Config next = machine_.step(path_[node.depth - 1U], node.byte);
    if (next == Machine::kDead) {
      at = node.end;
      continue;
    }
    path_[node.depth] = next;
    for (const std::int32_t token : tree.tokens(at)) put(mask, token, true);
    ++at;
    if (exits == nullptr || at >= node.end) continue;
    if (const std::uint32_t bottoms = machine_.exits(next); bottoms != 0) exits->push_back({&tree, at - 1, bottoms});
  }
}

// Any text of up to so many characters may follow; `behind` tells what each one of them can lead to, nothing where one
// of them cannot follow.
template <typename Behind>
bool TokenMasks::takes_any(Machine::Config config, std::size_t characters, const Behind& behind) {
  constexpr std::size_t kMost = 64;  // an expression with more ways is no such text
  std::vector<Machine::Config> reached{config}, next{config};
  for (std::size_t i = 0; i < characters && !next.empty(); ++i) {
    std::vector<Machine::Config> now;
    std::swap(now, next);
    for (const Machine::Config each : now) {
      const auto found = behind(each);
      if (found.empty()) return false;
      for (const Machine::Config to : found) {
        if (std::ranges::find(reached, to) != reached.end()) continue;
        reached.push_back(to);
        next.push_back(to);
      }
    }
    if (reached.size() > kMost) return false;
  }
  return true;
}

bool TokenMasks::takes_bytes(Machine::Config config, std::size_t count, std::string_view bytes) {
  std::vector<Machine::Config> found;
  return takes_any(config, count, [&](Machine::Config from) -> std::span<const Machine::Config> {
    found.clear();
    for (const char byte : bytes) {
      const Machine::Config next = machine_.step(from, static_cast<std::uint8_t>(byte));
      if (next == Machine::kDead) return {};
      if (std::ranges::find(found, next) == found.end()) found.push_back(next);
    }
    return found;
  });
}

// Whether every token of the kind may follow.
bool TokenMasks::takes(Kind kind, Machine::Config config) {
  constexpr std::string_view kWord = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  constexpr std::string_view kLower = kWord.substr(0, 26);
  constexpr std::size_t kMost = TokenTable::kMostCharacters;
  const Machine::Config spaced =
      kind == Kind::spaced_lower || kind == Kind::spaced_word ? machine_.step(config, ' ') : Machine::kDead;
  switch (kind) {
    case Kind::lower: return takes_bytes(config, kMost, kLower);
    case Kind::spaced_lower: return takes_bytes(spaced, kMost - 1, kLower);
    case Kind::word: return takes_bytes(config, kMost, kWord);
    case Kind::spaced_word: return takes_bytes(spaced, kMost - 1, kWord);
    case Kind::plain:
      return takes_any(config, kMost, [&](Machine::Config from) { return machine_.behind_plain(from); });
    case Kind::other: return false;
  }
  return false;
}

const TokenMasks::OpenMask& TokenMasks::open_mask(Machine::Config config) {
  if (const auto known = open_masks_.find(config); known != open_masks_.end()) return known->second;
  OpenMask found{.mask = Mask(tokens_->words())};
  const bool all_plain = takes(Kind::plain, config);  // then all the others as well
  for (std::size_t k = 0; k < TokenTable::kKinds; ++k) {
    const auto kind = static_cast<Kind>(k);
    const TokenTable::Group& group = tokens_->group(kind);
    if (kind != Kind::other && (all_plain || (kind != Kind::plain && takes(kind, config)))) {
      std::ranges::transform(found.mask, group.mask, found.mask.begin(), std::bit_or());
    } else {
      walk(group.tree, 0, group.tree.size(), config, found.mask, &found.exits);
    }
  }
  found.exits.shrink_to_fit();
  exit_bytes_ += found.exits.size() * sizeof(Exit);
  return open_masks_.emplace(config, std::move(found)).first->second;
}

std::span<const std::uint64_t> TokenMasks::following(Machine::Config config) {
  const Machine::Open open = machine_.open(config);
  if (open.bottoms.empty()) return open_mask(config).mask;
  if (const auto known = masks_.find(config); known != masks_.end()) return known->second;
  const OpenMask& outer = open_mask(open.config);
  Mask mask = outer.mask;
  for (const Exit& exit : outer.exits) {
    for (std::uint32_t bottoms = exit.bottoms; bottoms != 0; bottoms &= bottoms - 1) {
      const Machine::Config below = machine_.below(open.bottoms[static_cast<std::size_t>(std::countr_zero(bottoms))]);
      if (below != Machine::kDead)
        walk(*exit.tree, exit.node + 1, exit.tree->node(exit.node).end, below, mask, nullptr);
    }
  }
  return masks_.emplace(config, std::move(mask)).first->second;
}

std::span<const std::uint64_t> TokenMasks::first() {
  if (first_.empty()) {
    const auto inner = following(machine_.start());
    Mask mask(inner.begin(), inner.end());
    for (const std::int32_t id : tokens_->other_as_first()) {
      const std::string_view bytes = tokens_->first_bytes(id);
      put(mask, id, !bytes.empty() && machine_.advance(machine_.start(), bytes) != Machine::kDead);
    }
    first_ = std::move(mask);
  }
  return first_;
}

std::size_t TokenMasks::bytes() const {
  return machine_.bytes() + (masks_.size() + open_masks_.size()) * (tokens_->words() * 8 + 100) + exit_bytes_;
}

void TokenMasks::clear() {
  masks_.clear(), open_masks_.clear(), first_.clear();
  exit_bytes_ = 0;
  machine_.clear();
}

}  // namespace accelerate::decoding::constraint
