// Which tokens may follow, for each place of an automaton that a text has come to.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "decoding/constraint/machine.hpp"
#include "decoding/constraint/token_table.hpp"

namespace accelerate::decoding::constraint {

// A mask is found in two parts. The large one, over all tokens, depends on the states alone and not on what calls them:
// the inside of every string is one place, however deep it lies. The small one is what tokens hold behind the end of
// the innermost rule, read on in what really follows. Both are kept. Not safe for several threads.
class TokenMasks {
 public:
  TokenMasks(std::shared_ptr<const Automaton> automaton, std::shared_ptr<const TokenTable> tokens);

  Machine& machine() { return machine_; }
  const TokenTable& tokens() const { return *tokens_; }

  // Bit i % 64 of word i / 64 for token i: it may follow within a text, or begin one. Good until clear().
  std::span<const std::uint64_t> following(Machine::Config config);
  std::span<const std::uint64_t> first();

  std::size_t bytes() const;
  void clear();

 private:
  using Mask = std::vector<std::uint64_t>;
  // A node where the rule may end, with one of what is unknown below it.
  struct Exit {
    const TokenTree* tree = nullptr;
    std::uint32_t node = 0, bottoms = 0;
  };
  struct OpenMask {
    Mask mask;
    std::vector<Exit> exits;
  };
  const OpenMask& open_mask(Machine::Config config);
  bool takes(TokenTable::Kind kind, Machine::Config config);
  bool takes_bytes(Machine::Config config, std::size_t count, std::string_view bytes);
  template <typename Behind>
  bool takes_any(Machine::Config config, std::size_t characters, const Behind& behind);
  void walk(const TokenTree& tree, std::uint32_t begin, std::uint32_t end, Machine::Config config, Mask& mask,
            std::vector<Exit>* exits);

  Machine machine_;
  std::shared_ptr<const TokenTable> tokens_;
  std::unordered_map<Machine::Config, Mask> masks_;
  std::unordered_map<Machine::Config, OpenMask> open_masks_;
  Mask first_;
  std::vector<Machine::Config> path_;
  std::size_t exit_bytes_ = 0;
};

}  // namespace accelerate::decoding::constraint
