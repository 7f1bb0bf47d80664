#include "decoding/constraint/machine.hpp"

#include <algorithm>

#include "accelerate/error.hpp"

namespace accelerate::decoding::constraint {
namespace {

constexpr std::size_t kMostThreads = 50'000, kMostVisits = 500'000, kMostBytes = std::size_t{512} << 20;
constexpr std::uint32_t kFirstNode = Machine::kMostBottoms + 1;

}  // namespace

// All that is reached without reading a byte. Stacks are taken from the newest node to the oldest, as a return leads to
// an older one; then the rules that are called, in the order of their ranks, as a call leads to a rule of higher rank.
class Machine::Closure {
 public:
  explicit Closure(Machine& machine) : m_(machine), automaton_(*machine.automaton_) {}

  // One after the other: most are small, and making room would take longer than they do.
  void restart() {
    open_.clear(), calls_.clear(), todo_.clear(), key_.threads.clear();
    key_.exits = 0, key_.accepts = false;
    visits_ = 0;
  }

  void add(Thread thread) { push(open_, {thread.node, thread.state}); }

  // Good until it is restarted.
  const Key& key() {
    while (!open_.empty()) {
      const std::uint32_t node = open_.front().first;
      begin(node);
      while (!open_.empty() && open_.front().first == node) visit(pop(open_).second);
      follow();
    }
    while (!calls_.empty()) call_next();
    std::ranges::sort(key_.threads);
    key_.threads.erase(std::unique(key_.threads.begin(), key_.threads.end()), key_.threads.end());
    return key_;
  }

 private:
  using Pair = std::pair<std::uint32_t, std::uint32_t>;
  struct Calling {
    std::uint32_t rank = 0;
    RuleId rule = 0;
    Thread back;
    // The lowest rank is the largest: it comes out of a heap first.
    bool operator<(const Calling& other) const { return rank != other.rank ? rank > other.rank : other.back < back; }
  };
  template <typename T>
  static void push(std::vector<T>& heap, T item) {
    heap.push_back(item);
    std::ranges::push_heap(heap, [](const T& a, const T& b) { return a < b; });
  }
  template <typename T>
  static T pop(std::vector<T>& heap) {
    std::ranges::pop_heap(heap, [](const T& a, const T& b) { return a < b; });
    const T item = heap.back();
    heap.pop_back();
    return item;
  }

  // States from here on are of stacks with this node on top.
  void begin(std::uint32_t node) {
    node_ = node;
    if (++m_.mark_ == 0) {
      std::ranges::fill(m_.marks_, 0);
      m_.mark_ = 1;
    }
  }
  void visit(StateId state) {
    if (m_.marks_[state] == m_.mark_) return;
    m_.marks_[state] = m_.mark_;
    todo_.push_back(state);
  }
  void follow() {
    while (!todo_.empty()) {
      const StateId state = todo_.back();
      todo_.pop_back();
      count_visits(state);
      if (!automaton_.edges(state).empty()) add_thread({state, node_});
      for (const StateId next : automaton_.epsilons(state)) visit(next);
      for (const Automaton::Call& call : automaton_.calls(state)) {
        push(calls_, {automaton_.rank(call.rule), call.rule, {call.to, node_}});
      }
      if (automaton_.ends(state)) end();
    }
  }
  void end() {
    if (node_ == 0) {
      key_.accepts = true;
    } else if (node_ < kFirstNode) {
      key_.exits |= 1U << (node_ - 1);
    } else {
      for (const Thread& back : *m_.nodes_[node_]) add(back);
    }
  }
  // All calls of one rule are one: they share its stack.
  void call_next() {
    const RuleId rule = calls_.front().rule;
    std::vector<Thread> returns;
    while (!calls_.empty() && calls_.front().rule == rule) {
      const Thread back = pop(calls_).back;
      if (returns.empty() || returns.back() != back) returns.push_back(back);
    }
    begin(m_.node_of(std::move(returns)));
    visit(automaton_.start(rule));
    follow();
  }
  // Of states that read nothing and are no threads too.
  void count_visits(StateId state) {
    visits_ += 1 + automaton_.epsilons(state).size() + automaton_.calls(state).size();
    if (visits_ > kMostVisits) {
      throw Error(ErrorKind::invalid_input,
                  "takes more than " + std::to_string(kMostVisits) + " steps between two bytes: it is too ambiguous");
    }
  }
  void add_thread(Thread thread) {
    key_.threads.push_back(thread);
    if (key_.threads.size() > kMostThreads) {
      throw Error(ErrorKind::invalid_input,
                  "keeps more than " + std::to_string(kMostThreads) + " ways open at one place: it is too ambiguous");
    }
  }

  Machine& m_;
  const Automaton& automaton_;
  std::vector<Pair> open_;  // node and state, the newest node first
  std::vector<Calling> calls_;
  std::vector<StateId> todo_;
  std::uint32_t node_ = 0;
  std::size_t visits_ = 0;
  Key key_;
};

std::size_t Machine::Hash::operator()(const Key& key) const {
  std::uint64_t hash = key.exits * 2U + (key.accepts ? 1 : 0);
  for (const Thread& thread : key.threads) {
    hash = (hash ^ thread.state ^ (std::uint64_t{thread.node} << 32)) * 0x9E3779B97F4A7C15;
    hash ^= hash >> 29;
  }
  return hash;
}

Machine::Machine(std::shared_ptr<const Automaton> automaton)
    : automaton_(std::move(automaton)), classes_(automaton_->classes()), marks_(automaton_->states()) {
  closure_ = std::make_unique<Closure>(*this);
  clear();
}

Machine::~Machine() = default;

Machine::Closure& Machine::restarted() {
  closure_->restart();
  return *closure_;
}

void Machine::clear() {
  // clear() and = {} of a vector keep its memory, which bytes() would go on counting.
  const auto give_back = [](auto& kept) { std::remove_reference_t<decltype(kept)>().swap(kept); };
  give_back(table_), give_back(infos_), give_back(configs_), give_back(nodes_), give_back(node_numbers_);
  give_back(below_);
  thread_bytes_ = 0;
  nodes_.assign(kFirstNode, nullptr);
  below_.assign(kFirstNode, kDead);
  intern({});
  std::ranges::fill(table_, kDead);
  Closure& closure = restarted();
  closure.add({automaton_->start(automaton_->root()), 0});
  start_ = intern(closure.key());
}

std::size_t Machine::bytes() const {
  return table_.capacity() * sizeof(Config) + infos_.size() * (sizeof(Info) + sizeof(Key) + 64) + thread_bytes_;
}

Machine::Config Machine::intern(const Key& key) {
  const auto next = static_cast<Config>(infos_.size());
  const auto [place, fresh] = configs_.try_emplace(key, next);
  if (!fresh) return place->second;
  const Key& kept = place->first;
  thread_bytes_ += kept.threads.size() * sizeof(Thread);
  infos_.push_back({.key = &kept, .exits = kept.exits, .accepts = kept.accepts});
  table_.resize(table_.size() + classes_, kUnknown);
  if (bytes() > kMostBytes) {
    throw Error(ErrorKind::invalid_input,
                "needs more than " + std::to_string(kMostBytes >> 20) + " MiB for one token: it is too ambiguous");
  }
  return next;
}

std::uint32_t Machine::node_of(std::vector<Thread> returns) {
  Key key{.threads = std::move(returns)};
  const auto next = static_cast<std::uint32_t>(nodes_.size());
  const auto [place, fresh] = node_numbers_.try_emplace(std::move(key), next);
  if (fresh) {
    nodes_.push_back(&place->first.threads);
    below_.push_back(kUnknown);
    thread_bytes_ += place->first.threads.size() * sizeof(Thread) + 100;
  }
  return place->second;
}

Machine::Config Machine::new_step(Config from, std::uint8_t byte_class) {
  Closure& closure = restarted();
  for (const Thread& thread : infos_[from].key->threads) {
    for (const Automaton::Edge& edge : automaton_->edges(thread.state)) {
      if (byte_class >= edge.first && byte_class <= edge.last) closure.add({edge.to, thread.node});
    }
  }
  const Config to = intern(closure.key());
  table_[from * classes_ + byte_class] = to;
  return to;
}

Machine::Config Machine::advance(Config from, std::string_view bytes) {
  for (const char byte : bytes) {
    from = step(from, static_cast<std::uint8_t>(byte));
    if (from == kDead) break;
  }
  return from;
}

Machine::Open Machine::open(Config config) {
  const Key& key = *infos_[config].key;
  Key shape;
  Open found;
  for (const Thread& thread : key.threads) {
    auto place = std::ranges::find(found.bottoms, thread.node);
    if (place == found.bottoms.end()) {
      if (found.bottoms.size() == kMostBottoms) return {config, {}};
      place = found.bottoms.insert(place, thread.node);
    }
    shape.threads.push_back({thread.state, static_cast<std::uint32_t>(place - found.bottoms.begin()) + 1});
  }
  // Nothing is below: no need for a second one.
  if (found.bottoms.empty() || (found.bottoms.size() == 1 && found.bottoms[0] == 0)) return {config, {}};
  std::ranges::sort(shape.threads);
  found.config = intern(shape);
  return found;
}

Machine::Config Machine::below(std::uint32_t node) {
  if (below_[node] == kUnknown) {
    Closure& closure = restarted();
    for (const Thread& back : *nodes_[node]) closure.add(back);
    const Config config = intern(closure.key());
    below_[node] = config;
  }
  return below_[node];
}

std::span<const Machine::Config> Machine::behind_plain(Config config) {
  if (!infos_[config].plain_known) {
    std::vector<Config> found = find_behind_plain(config);
    infos_[config].behind_plain = std::move(found);
    infos_[config].plain_known = true;
  }
  return infos_[config].behind_plain;
}

// Every path through the bytes of a character: text/unicode.hpp's UTF-8, and of ASCII what a JSON string holds as it
// is.
std::vector<Machine::Config> Machine::find_behind_plain(Config config) {
  struct Range {
    std::uint8_t first = 0, last = 0, follow = 0;  // bytes that follow, the first of them within these bounds:
    std::uint8_t next_first = 0x80, next_last = 0xbf;
  };
  constexpr std::array<Range, 11> kLeads{{{' ', '!'},
                                          {'#', '['},
                                          {']', 0x7f},
                                          {0xc2, 0xdf, 1},
                                          {0xe0, 0xe0, 2, 0xa0},
                                          {0xe1, 0xec, 2},
                                          {0xed, 0xed, 2, 0x80, 0x9f},
                                          {0xee, 0xef, 2},
                                          {0xf0, 0xf0, 3, 0x90},
                                          {0xf1, 0xf3, 3},
                                          {0xf4, 0xf4, 3, 0x80, 0x8f}}};
  const auto all_steps = [&](const std::vector<Config>& from, std::uint8_t first, std::uint8_t last) {
    std::vector<Config> to;
    for (const Config each : from) {
      for (unsigned byte = first; byte <= last; ++byte) {
        const Config next = step(each, static_cast<std::uint8_t>(byte));
        if (std::ranges::find(to, next) == to.end()) to.push_back(next);
      }
    }
    return to;
  };
  std::vector<Config> found;
  for (const Range& lead : kLeads) {
    std::vector<Config> at = all_steps({config}, lead.first, lead.last);
    for (std::uint8_t i = 0; i < lead.follow; ++i) {
      at = i == 0 ? all_steps(at, lead.next_first, lead.next_last) : all_steps(at, 0x80, 0xbf);
    }
    for (const Config each : at) {
      if (each == kDead) return {};
      if (std::ranges::find(found, each) == found.end()) found.push_back(each);
    }
    // Many ways on are no plain text, and not worth following.
    if (found.size() > 4) return {};
  }
  return found;
}

}  // namespace accelerate::decoding::constraint
