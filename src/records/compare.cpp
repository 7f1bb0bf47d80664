#include "records/compare.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

namespace accelerate::records {
namespace {

constexpr std::size_t kShortestId = 4;
constexpr double kLeastNoise = 0.02, kNoiseOfBytes = 0.01;

// What must be equal for two records to say something about each other.
using Condition = std::tuple<Kind, std::string, std::string, std::string, std::string, std::string, std::string,
                             std::int64_t, std::int64_t, int>;

// What a kind adds: a text (workload, reference and its weights, bound), batch, tokens, threads.
struct Workload {
  std::string text;
  std::int64_t batch = 0, tokens = 0;
  int threads = 0;
};

Workload workload_of(const Measurement& m) { return {m.workload, m.batch, m.tokens, m.threads}; }
Workload workload_of(const Agreement& a) { return {a.reference + "\n" + a.inputs + "\n" + a.weights}; }
Workload workload_of(const LayerChoice& l) { return {l.measure}; }
Workload workload_of(const BatchChoice& b) {
  return {b.bound + " " + std::to_string(b.bound_value), 0, b.tokens, b.threads};
}

Condition condition_of(const Record& record, bool with_precision) {
  const Workload w = std::visit([](const auto& content) { return workload_of(content); }, record.content);
  return {record.kind(),
          record.model.content_hash,
          record.device.name,
          record.device.level,
          record.machine.id,
          with_precision ? record.precision : "",
          w.text,
          w.batch,
          w.tokens,
          w.threads};
}

enum class Good : std::uint8_t { high, low, neither };

template <typename T>
void add(std::vector<Compared>& figures, const char* what, const std::optional<T>& before,
         const std::optional<T>& after, Good good, double noise) {
  if (!before || !after) return;
  Compared c{.what = what, .before = static_cast<double>(*before), .after = static_cast<double>(*after)};
  c.noise = noise;
  if (c.before != 0) c.ratio = c.after / c.before;
  if (good != Good::neither && c.before > 0 && c.after > 0) {
    // Twice as fast and half the time are one thing, and are judged alike.
    const double gain = good == Good::high ? c.ratio : 1 / c.ratio;
    c.verdict = gain > 1 + noise ? Verdict::better : gain * (1 + noise) < 1 ? Verdict::worse : Verdict::same;
  }
  figures.push_back(std::move(c));
}

std::vector<Compared> figures_of(const Measurement& a, const Measurement& b) {
  const double noise = std::max(kLeastNoise, a.spread.value_or(0) + b.spread.value_or(0));
  std::vector<Compared> figures;
  add(figures, "p50_ms", a.p50_ms, b.p50_ms, Good::low, noise);
  // The tail is shown and not judged: the spread says how sure the median is, nothing of the slowest runs.
  add(figures, "p90_ms", a.p90_ms, b.p90_ms, Good::neither, 0);
  add(figures, "p99_ms", a.p99_ms, b.p99_ms, Good::neither, 0);
  add(figures, "throughput_per_s", a.throughput_per_s, b.throughput_per_s, Good::high, noise);
  add(figures, "load_ms", a.load_ms, b.load_ms, Good::neither, 0);
  add(figures, "first_ms", a.first_ms, b.first_ms, Good::neither, 0);
  add(figures, "peak_bytes", a.peak_bytes, b.peak_bytes, Good::low, kNoiseOfBytes);
  add(figures, "share_of_limit", a.share_of_limit, b.share_of_limit, Good::neither, 0);
  return figures;
}

std::vector<Compared> figures_of(const Agreement& a, const Agreement& b) {
  std::vector<Compared> figures;
  add(figures, "within_bound", std::optional(a.within_bound ? 1 : 0), std::optional(b.within_bound ? 1 : 0),
      Good::neither, 0);
  if (a.within_bound != b.within_bound) figures[0].verdict = b.within_bound ? Verdict::better : Verdict::worse;
  if (a.within_bound == b.within_bound) figures[0].verdict = Verdict::same;
  add(figures, "worst_cosine", a.worst_cosine, b.worst_cosine, Good::neither, 0);
  add(figures, "mean_cosine", a.mean_cosine, b.mean_cosine, Good::neither, 0);
  add(figures, "worst_kl_divergence", a.worst_kl_divergence, b.worst_kl_divergence, Good::neither, 0);
  add(figures, "mean_kl_divergence", a.mean_kl_divergence, b.mean_kl_divergence, Good::neither, 0);
  add(figures, "top1", a.top1, b.top1, Good::neither, 0);
  return figures;
}

std::vector<Compared> figures_of(const LayerChoice& a, const LayerChoice& b) {
  std::vector<Compared> figures;
  add(figures, "layers", std::optional(a.layers.size()), std::optional(b.layers.size()), Good::neither, 0);
  return figures;
}

std::vector<Compared> figures_of(const BatchChoice& a, const BatchChoice& b) {
  std::vector<Compared> figures;
  add(figures, "batch", std::optional(a.batch), std::optional(b.batch), Good::neither, 0);
  add(figures, "throughput_per_s", std::optional(a.throughput_per_s), std::optional(b.throughput_per_s), Good::neither,
      0);
  return figures;
}

Pair pair_of(const Record& before, const Record& after) {
  Pair pair{before, after, {}};
  pair.figures = std::visit(
      [&](const auto& content) {
        return figures_of(content, std::get<std::decay_t<decltype(content)>>(after.content));
      },
      before.content);
  return pair;
}

bool is_older(const Record& a, const Record& b) { return a.time_ms < b.time_ms; }

// Of every condition the newest; the order of conditions is that of their names, the same in every run.
std::map<Condition, const Record*> newest(const std::vector<Record>& records, bool with_precision) {
  std::map<Condition, const Record*> found;
  for (const Record& record : records) {
    const Record*& kept = found[condition_of(record, with_precision)];
    if (kept == nullptr || is_older(*kept, record)) kept = &record;
  }
  return found;
}

enum class Sort : std::uint8_t { precision, code, id };

// What a word means for these records, and which of them it selects.
struct Selection {
  Sort sort = Sort::id;
  std::vector<Record> records;
};

Selection select(const Records& records, std::string_view word, const Filter& filter) {
  Filter narrowed = filter;
  narrowed.precision = std::string(word);
  if (std::vector<Record> found = records.list(narrowed); !found.empty()) return {Sort::precision, std::move(found)};
  narrowed = filter;
  narrowed.code = std::string(word);
  if (std::vector<Record> found = records.list(narrowed); !found.empty()) return {Sort::code, std::move(found)};
  try {
    return {Sort::id, {records.find(word)}};
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::not_found || word.size() < kShortestId) {
      throw Error(ErrorKind::not_found,
                  "no record is in a precision, of a version or commit, or has an id \"" + std::string(word) + "\"",
                  records.path().string(), "ipfs-accelerate records list shows what there is");
    }
    throw;
  }
}

}  // namespace

std::string_view name_of(Verdict verdict) {
  constexpr std::array<std::string_view, 4> kNames = {"same", "better", "worse", "unjudged"};
  return kNames[static_cast<std::size_t>(verdict)];
}

std::size_t Comparison::count(Verdict verdict) const {
  std::size_t count = 0;
  for (const Pair& pair : pairs) {
    for (const Compared& figure : pair.figures) count += figure.verdict == verdict ? 1 : 0;
  }
  return count;
}

Comparison compare(const std::vector<Record>& before, const std::vector<Record>& after, Differing differing) {
  const bool with_precision = differing != Differing::precision;
  const std::map<Condition, const Record*> left = newest(before, with_precision), right = newest(after, with_precision);
  Comparison comparison;
  for (const auto& [condition, record] : left) {
    const auto partner = right.find(condition);
    if (partner != right.end()) comparison.pairs.push_back(pair_of(*record, *partner->second));
  }
  comparison.without_partner = left.size() + right.size() - 2 * comparison.pairs.size();
  return comparison;
}

Comparison newest_with_previous(const std::vector<Record>& records) {
  std::map<Condition, std::vector<const Record*>> grouped;
  for (const Record& record : records) grouped[condition_of(record, true)].push_back(&record);
  Comparison comparison;
  for (auto& [condition, group] : grouped) {
    std::stable_sort(group.begin(), group.end(), [](const Record* a, const Record* b) { return is_older(*b, *a); });
    if (group.size() < 2) {
      ++comparison.without_partner;
    } else {
      comparison.pairs.push_back(pair_of(*group[1], *group[0]));
    }
  }
  return comparison;
}

Comparison compare(const Record& before, const Record& after) {
  if (before.kind() != after.kind()) {
    throw Error(ErrorKind::invalid_input, before.id + " is of kind " + std::string(name_of(before.kind())) + ", " +
                                              after.id + " of kind " + std::string(name_of(after.kind())) +
                                              ": they have no figure in common");
  }
  Comparison comparison;
  comparison.pairs.push_back(pair_of(before, after));
  return comparison;
}

Comparison compare(const Records& records, std::string_view before, std::string_view after, const Filter& filter) {
  const Selection left = select(records, before, filter), right = select(records, after, filter);
  if (left.sort != right.sort) {
    throw Error(ErrorKind::invalid_input,
                "\"" + std::string(before) + "\" and \"" + std::string(after) + "\" are not of one sort", {},
                "give two precisions, two versions or commits, or two ids");
  }
  if (left.sort == Sort::id) return compare(left.records[0], right.records[0]);
  return compare(left.records, right.records, left.sort == Sort::code ? Differing::code : Differing::precision);
}

}  // namespace accelerate::records
