// An automaton while it runs: what has been read so far as one number, and the next one by a table.
//
// All ways to read a text are followed at once; their stacks share what they share (Tomita 1985). Sets of ways that
// were seen before are known again, so that most steps are one look into a table: a push-down automaton made
// deterministic as far as it is used.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "decoding/constraint/automaton.hpp"

namespace accelerate::decoding::constraint {

// Not safe for several threads. A number is good until clear().
class Machine {
 public:
  using Config = std::uint32_t;
  static constexpr Config kDead = 0;  // nothing can follow, and it is no end

  explicit Machine(std::shared_ptr<const Automaton> automaton);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  Config start() const { return start_; }
  // Error{invalid_input} when an expression keeps too many ways open.
  Config step(Config from, std::uint8_t byte) {
    const std::size_t at = from * classes_ + automaton_->class_of(byte);
    return table_[at] != kUnknown ? table_[at] : new_step(from, automaton_->class_of(byte));
  }
  Config advance(Config from, std::string_view bytes);
  // The text may end here.
  bool accepts(Config config) const { return infos_[config].accepts; }

  // The same place with what is below its rules unknown. Bottoms, numbered from 0, stand for it: exits() tells which of
  // them a config has come back to, below() where a real one goes on.
  struct Open {
    Config config = kDead;
    std::vector<std::uint32_t> bottoms;  // nodes; none: `config` is the real one
  };
  static constexpr std::size_t kMostBottoms = 31;
  Open open(Config config);
  std::uint32_t exits(Config config) const { return infos_[config].exits; }  // a bit for each
  Config below(std::uint32_t node);

  // What each one whole plain character (CharacterClass::plain) can lead to; empty when there is one that cannot
  // follow.
  std::span<const Config> behind_plain(Config config);

  std::size_t bytes() const;
  void clear();

 private:
  static constexpr Config kUnknown = 0xffffffff;
  struct Key {
    std::vector<Thread> threads;
    std::uint32_t exits = 0;
    bool accepts = false;
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const;
  };
  struct Info {
    const Key* key = nullptr;
    std::uint32_t exits = 0;
    bool accepts = false, plain_known = false;
    std::vector<Config> behind_plain;
  };
  class Closure;
  Config new_step(Config from, std::uint8_t byte_class);
  Config intern(const Key& key);
  Closure& restarted();
  std::uint32_t node_of(std::vector<Thread> returns);
  std::vector<Config> find_behind_plain(Config config);

  std::shared_ptr<const Automaton> automaton_;
  std::size_t classes_;
  Config start_ = kDead;
  std::vector<Config> table_;
  std::vector<Info> infos_;
  std::unordered_map<Key, Config, Hash> configs_;
  // Nodes of stacks: where it may go on. Node 0 is the end of the text, those behind it are unknown bottoms.
  std::vector<const std::vector<Thread>*> nodes_;
  std::unordered_map<Key, std::uint32_t, Hash> node_numbers_;
  std::vector<Config> below_;
  std::vector<std::uint32_t> marks_;  // of states, for the closure
  std::uint32_t mark_ = 0;
  std::size_t thread_bytes_ = 0;
  std::unique_ptr<Closure> closure_;
};

}  // namespace accelerate::decoding::constraint
