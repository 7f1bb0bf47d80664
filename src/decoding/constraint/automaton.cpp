#include "decoding/constraint/automaton.hpp"

#include <algorithm>

#include "accelerate/error.hpp"

namespace accelerate::decoding::constraint {
namespace {

// Calls by the rules that a state needs: a call leads on when the rule ends and what follows it does.
struct Backwards {
  std::vector<std::uint32_t> begin;  // of each state's own in `from`
  std::vector<StateId> from;

  template <typename Edges>
  void fill(std::size_t states, const Edges& each_edge) {
    begin.assign(states + 2, 0);
    each_edge([&](StateId, StateId to) { ++begin[to + 2]; });
    for (std::size_t i = 2; i < begin.size(); ++i) begin[i] += begin[i - 1];
    from.resize(begin.back());
    each_edge([&](StateId source, StateId to) { from[begin[to + 1]++] = source; });
  }
  std::span<const StateId> into(StateId to) const {
    return std::span(from).subspan(begin[to], begin[to + 1] - begin[to]);
  }
};

}  // namespace

std::size_t Automaton::bytes() const {
  return states_.capacity() * sizeof(State) + edges_.capacity() * sizeof(Edge) +
         epsilons_.capacity() * sizeof(StateId) + calls_.capacity() * sizeof(Call) + rules_.capacity() * sizeof(Rule);
}

// States from which the end of their rule can be reached.
std::vector<bool> AutomatonBuilder::live() const {
  Backwards simple;
  simple.fill(states(), [&](const auto& take) {
    for (const ByteEdge& edge : edges_) take(edge.from, edge.to);
    for (const Epsilon& edge : epsilons_) take(edge.from, edge.to);
  });
  // Calls by the state behind them, and by the rule's start.
  std::vector<std::vector<std::uint32_t>> waiting(states());
  for (std::uint32_t i = 0; i < calls_.size(); ++i) {
    const Rule& rule = rules_[calls_[i].rule];
    if (!rule.begins) continue;
    waiting[calls_[i].to].push_back(i);
    waiting[rule.start].push_back(i);
  }
  std::vector<bool> live(states());
  std::vector<StateId> open;
  const auto reach = [&](StateId state) {
    if (live[state]) return;
    live[state] = true;
    open.push_back(state);
  };
  for (StateId state = 0; state < states(); ++state) {
    if (ends_[state]) reach(state);
  }
  while (!open.empty()) {
    const StateId state = open.back();
    open.pop_back();
    for (const StateId from : simple.into(state)) reach(from);
    for (const std::uint32_t i : waiting[state]) {
      if (live[calls_[i].to] && live[rules_[calls_[i].rule].start]) reach(calls_[i].from);
    }
  }
  return live;
}

std::vector<bool> AutomatonBuilder::rules_that_end() const {
  const std::vector<bool> alive = live();
  std::vector<bool> ending;
  for (const Rule& rule : rules_) ending.push_back(rule.begins && alive[rule.start]);
  return ending;
}

// Which rules a rule calls before any byte has no circle: ranks are an order of it.
std::vector<std::uint32_t> AutomatonBuilder::ranks(const Automaton& automaton) const {
  std::vector<std::vector<RuleId>> first_calls(rules_.size());
  std::vector<std::uint32_t> seen(states(), 0);
  for (RuleId rule = 0; rule < rules_.size(); ++rule) {
    std::vector<StateId> open{automaton.start(rule)};
    while (!open.empty()) {
      const StateId state = open.back();
      open.pop_back();
      if (seen[state] == rule + 1) continue;
      seen[state] = rule + 1;
      for (const Automaton::Call& call : automaton.calls(state)) first_calls[rule].push_back(call.rule);
      for (const StateId next : automaton.epsilons(state)) open.push_back(next);
    }
  }
  enum class Mark : std::uint8_t { fresh, open, done };
  std::vector<Mark> marks(rules_.size(), Mark::fresh);
  std::vector<std::uint32_t> ranks(rules_.size());
  auto next_rank = static_cast<std::uint32_t>(rules_.size());
  for (RuleId root = 0; root < rules_.size(); ++root) {
    if (marks[root] != Mark::fresh) continue;
    std::vector<std::pair<RuleId, std::size_t>> path{{root, 0}};
    marks[root] = Mark::open;
    while (!path.empty()) {
      auto& [rule, at] = path.back();
      if (at == first_calls[rule].size()) {
        marks[rule] = Mark::done;
        ranks[rule] = --next_rank;
        path.pop_back();
        continue;
      }
      const RuleId called = first_calls[rule][at++];
      if (marks[called] == Mark::open) {
        throw Error(ErrorKind::invalid_input, "refers to itself with nothing in between", rules_[called].name);
      }
      if (marks[called] == Mark::done) continue;
      marks[called] = Mark::open;
      path.emplace_back(called, 0);
    }
  }
  return ranks;
}

void AutomatonBuilder::set_classes(Automaton& automaton) const {
  std::array<bool, 257> begins{};
  for (const ByteEdge& edge : edges_) begins[edge.first] = begins[edge.last + 1U] = true;
  std::uint8_t next = 0;
  for (std::size_t byte = 0; byte < 256; ++byte) {
    if (byte > 0 && begins[byte]) ++next;
    automaton.class_of_[byte] = next;
  }
}

Automaton AutomatonBuilder::finish(RuleId root) const {
  const std::vector<bool> alive = live();
  if (!rules_[root].begins || !alive[rules_[root].start]) {
    throw Error(ErrorKind::invalid_input, "no text can meet it", where_);
  }
  Automaton out;
  set_classes(out);
  out.root_ = root;
  out.states_.resize(states() + 1);
  std::vector<ByteEdge> edges = edges_;
  std::vector<Epsilon> epsilons = epsilons_;
  std::vector<Calling> calls = calls_;
  const auto by_from = [](auto& all) { std::ranges::stable_sort(all, {}, [](const auto& e) { return e.from; }); };
  std::erase_if(edges, [&](const ByteEdge& e) { return !alive[e.to] || !alive[e.from]; });
  std::erase_if(epsilons, [&](const Epsilon& e) { return !alive[e.to] || !alive[e.from]; });
  std::erase_if(calls, [&](const Calling& c) {
    return !alive[c.to] || !alive[c.from] || !rules_[c.rule].begins || !alive[rules_[c.rule].start];
  });
  by_from(edges), by_from(epsilons), by_from(calls);
  std::size_t edge = 0, epsilon = 0, call = 0;
  for (StateId state = 0; state <= states(); ++state) {
    for (; edge < edges.size() && edges[edge].from < state; ++edge) {
      out.edges_.push_back({out.class_of(edges[edge].first), out.class_of(edges[edge].last), edges[edge].to});
    }
    for (; epsilon < epsilons.size() && epsilons[epsilon].from < state; ++epsilon) {
      out.epsilons_.push_back(epsilons[epsilon].to);
    }
    for (; call < calls.size() && calls[call].from < state; ++call) {
      out.calls_.push_back({calls[call].rule, calls[call].to});
    }
    out.states_[state] = {static_cast<std::uint32_t>(edge), static_cast<std::uint32_t>(epsilon),
                          static_cast<std::uint32_t>(call), state < states() && ends_[state]};
  }
  for (const Rule& rule : rules_) out.rules_.push_back({rule.begins ? rule.start : rule.end, 0});
  const std::vector<std::uint32_t> order = ranks(out);
  for (RuleId rule = 0; rule < rules_.size(); ++rule) out.rules_[rule].rank = order[rule];
  return out;
}

}  // namespace accelerate::decoding::constraint
