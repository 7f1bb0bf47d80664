// A graph that keeps state, in use: texts that grow token by token, side by side, and what is kept of those that ended.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "runtime/plan_cache.hpp"

namespace accelerate::runtime {

// What an encoder gave of one text: rows [tokens, n] for each input of the decoder that is about the source.
struct Source {
  std::map<std::string, Tensor, std::less<>> rows;
  std::int64_t tokens = 0;
};

// Not for two threads at once: each call that generates borrows one.
class Sequences {
 public:
  // Errors of CompiledGraph::start.
  explicit Sequences(std::shared_ptr<CompiledGraph> graph);

  // Tokens that come next in a slot.
  struct Next {
    Slot slot = 0;
    std::span<const std::int32_t> tokens;
    std::size_t wanted = 1;                          // logits that follow so many of the last of them
    std::shared_ptr<const Source> source = nullptr;  // of an encoder-decoder: what it reads
    std::int64_t length = 0;                         // of the text, where more of it is known than runs
  };
  // One run over all of them. Logits [sum of wanted, vocabulary]. Errors of CompiledGraph::run; slots then stay as they
  // were. `look` is called with what the graph is fed, just before it runs: who measures asks for its times there.
  Tensor run(std::span<const Next> next, const Cancellation& cancellation,
             const std::function<void(Feeds&)>& look = {});

  // A slot whose past begins like `tokens`, as far as any that was kept; at least the last of them is left to run.
  // StateSlots::length says how many it holds.
  Slot begin(std::span<const std::int32_t> tokens);
  // Positions up to which a model computes in the same way however long the text is: rotary angles of longer ones may
  // depend on the whole length. The largest number for most models.
  std::int64_t steady_length() const { return steady_length_; }
  // The slot is not needed now. `tokens`, its past, may come again: a chat goes on, prompts share their beginning.
  void end(Slot slot, std::span<const std::int32_t> tokens);
  // The same, but its past is of no use.
  void drop(Slot slot) { slots().release(slot); }
  // Of what is kept the oldest goes until all of it takes so few bytes.
  void keep_at_most(std::int64_t bytes);
  // What was fed of sources is not needed again.
  void drop_sources();
  // Nobody runs for a while: memory that only the last runs needed is given back.
  void rest();

  StateSlots& slots() { return *session_->slots(); }

 private:
  void feed_sources(std::span<const Next> next, Feeds& feeds);
  struct Kept {
    Slot slot = 0;
    std::vector<std::int32_t> tokens;
  };

  void let_go();  // of the oldest that is kept

  std::shared_ptr<CompiledGraph> graph_;
  std::unique_ptr<Session> session_;
  std::int64_t steady_length_;
  std::vector<Kept> kept_;  // the one used last comes last
  // Of the last run, and what was fed of them: most runs have the same.
  std::vector<std::shared_ptr<const Source>> sources_;
  std::map<std::string, Tensor, std::less<>> source_feeds_;
};

}  // namespace accelerate::runtime
