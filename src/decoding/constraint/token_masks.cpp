#include "decoding/constraint/token_masks.hpp"

#include <algorithm>
#include <bit>

namespace accelerate::decoding::constraint {

void put(std::span<std::uint64_t> mask, std::int32_t token, bool allowed) {
  const auto at = static_cast<std::size_t>(token);
  const std::uint64_t bit = std::uint64_t{1} << (at % 64);
  mask[at / 64] = allowed ? mask[at / 64] | bit : mask[at / 64] & ~bit;
}

TokenMasks::TokenMasks(std::shared_ptr<const Automaton> automaton, std::shared_ptr<const TokenTable> tokens)
    : machine_(std::move(automaton)), tokens_(std::move(tokens)) {
  path_.resize(std::max(tokens_->plain().depth(), tokens_->others().depth()) + 1);
}

// Nodes [begin, end), children of the node before them, which has led to `config`.
void TokenMasks::walk(const TokenTree& tree, std::uint32_t begin, std::uint32_t end, Machine::Config config, Mask& mask,
                      std::vector<Exit>* exits) {
  if (begin >= end) return;
  path_[tree.node(begin).depth - 1U] = config;
  for (std::uint32_t at = begin; at < end;) {
    const TokenTree::Node& node = tree.node(at);
    const Machine::Config next = machine_.step(path_[node.depth - 1U], node.byte);
    const std::uint32_t bottoms = machine_.exits(next);
    if (next == Machine::kDead) {
      at = node.end;
      continue;
    }
    path_[node.depth] = next;
    for (const std::int32_t token : tree.tokens(at)) put(mask, token, true);
    ++at;
    if (bottoms != 0 && at < node.end) exits->push_back({&tree, at - 1, bottoms});
  }
}

// Any text of kPlainCharacters plain characters may follow.
bool TokenMasks::takes_plain(Machine::Config config) {
  constexpr std::size_t kMost = 64;  // an expression with more ways is no plain text
  std::vector<Machine::Config> reached{config}, next{config};
  for (std::size_t i = 0; i < TokenTable::kPlainCharacters && !next.empty(); ++i) {
    std::vector<Machine::Config> now;
    std::swap(now, next);
    for (const Machine::Config each : now) {
      const auto behind = machine_.behind_plain(each);
      if (behind.empty()) return false;
      for (const Machine::Config to : behind) {
        if (std::ranges::find(reached, to) != reached.end()) continue;
        reached.push_back(to);
        next.push_back(to);
      }
    }
    if (reached.size() > kMost) return false;
  }
  return true;
}

const TokenMasks::OpenMask& TokenMasks::open_mask(Machine::Config config) {
  if (const auto known = open_masks_.find(config); known != open_masks_.end()) return known->second;
  OpenMask found{.mask = Mask(tokens_->words())};
  if (takes_plain(config)) {
    std::ranges::copy(tokens_->plain_mask(), found.mask.begin());
  } else {
    walk(tokens_->plain(), 0, tokens_->plain().size(), config, found.mask, &found.exits);
  }
  walk(tokens_->others(), 0, tokens_->others().size(), config, found.mask, &found.exits);
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
