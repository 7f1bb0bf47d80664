// What a regular expression or a schema costs: compiling it, its first mask, and a mask for each token of a text, when
// all is new and when it is known.
#include <algorithm>
#include <chrono>
#include <cstdio>

#include "decoding/constraint/constraint.hpp"

namespace {

using namespace accelerate;
using Clock = std::chrono::steady_clock;

double micros(Clock::time_point begin) {
  return std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
}

struct Case {
  const char* name;
  bool is_regex;
  std::string rule, text;
};

std::vector<Case> cases() {
  const std::string person =
      R"({"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer","minimum":0},"email":{"type":
"string","format":"email"},"bio":{"type":"string","maxLength":400},"address":{"$ref":"#/$defs/address"},"tags":{"type":
"array","items":{"type":"string"}},"friends":{"type":"array","items":{"$ref":"#/$defs/friend"}}},"required":["name","age"],
"$defs":{"address":{"type":"object","properties":{"street":{"type":"string"},"city":{"type":"string"},"zip":{"type":
"string","pattern":"^[0-9]{5}$"}},"required":["street","city"]},"friend":{"type":"object","properties":{"name":{"type":
"string"},"since":{"type":"string","format":"date"}},"required":["name"]}}})";
  std::string text = R"({
  "name": "Grace Brewster Hopper",
  "age": 85,
  "email": "grace.hopper@navy.mil.example.org",
  "bio": "American computer scientist, mathematician, and United States Navy rear admiral. She was a pioneer of computer programming — one of the first programmers of the Harvard Mark I.",
  "address": {
    "street": "1234 Compiler Avenue, Apt. \"B\"",
    "city": "Arlington",
    "zip": "22201"
  },
  "tags": ["navy", "COBOL", "compilers", "日本語", "A-0 System"],
  "friends": [
    {"name": "Howard Aiken", "since": "1944-07-02"},
    {"name": "Richard Bloch", "since": "1944-08-01"}
  ]
})";
  std::string prose;
  for (int i = 0; i < 12; ++i) prose += "The quick brown fox jumps over the lazy dog, again and again. ";
  return {{"schema: person", false, person, text},
          {"schema: any JSON", false, "{}", text},
          {"regex: .*", true, ".*", prose},
          {"regex: (.|\\n){1,1000}", true, "(.|\\n){1,1000}", prose},
          {"regex: sentences", true, "([A-Z][a-z]+( [a-z]+)*(, [a-z]+( [a-z]+)*)?\\. )+", prose},
          {"regex: date", true, "\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}", "2024-02-29T12:30"}};
}

void report(const char* what, std::vector<double> times) {
  double sum = 0;
  for (const double time : times) sum += time;
  const double mean = sum / static_cast<double>(times.size());
  std::sort(times.begin(), times.end());
  std::printf("  %-8s mean %8.1f us  median %8.1f  p99 %8.1f  largest %8.1f\n", what, mean, times[times.size() / 2],
              times[times.size() * 99 / 100], times.back());
}

// Microseconds for each mask along the ids.
std::vector<double> masks(const decoding::Constraint& constraint, const std::vector<std::int32_t>& ids,
                          std::size_t words) {
  std::vector<std::uint64_t> allowed(words);
  std::vector<double> times;
  for (std::size_t i = 0; i <= ids.size(); ++i) {
    std::fill(allowed.begin(), allowed.end(), 0);
    const auto begin = Clock::now();
    constraint.allow(std::span(ids).first(i), 0, allowed);
    times.push_back(micros(begin));
    if (i < ids.size() && (allowed[static_cast<std::size_t>(ids[i]) / 64] >> (ids[i] % 64) & 1) == 0) {
      std::printf("  the text's token %zu is not allowed\n", i);
    }
  }
  return times;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s FOLDER, of a tokenizer\n", argv[0]);
    return 2;
  }
  try {
    const auto tokenizer = text::Tokenizer::open(argv[1]);
    auto begin = Clock::now();
    const auto table = decoding::constraint::TokenTable::of(tokenizer);
    std::printf("%zu tokens as bytes in %.0f ms: nodes by kind", table->size(), micros(begin) / 1000);
    for (std::size_t kind = 0; kind < decoding::constraint::TokenTable::kKinds; ++kind) {
      std::printf(" %u", table->group(static_cast<decoding::constraint::TokenTable::Kind>(kind)).tree.size());
    }
    std::printf("\n");
    for (const Case& each : cases()) {
      begin = Clock::now();
      const auto constraint = each.is_regex ? decoding::regex_constraint(each.rule, table, {})
                                            : decoding::schema_constraint(each.rule, table, {});
      const double compiled = micros(begin);
      const auto ids = tokenizer.encode_ids(each.text, {.add_special_tokens = false});
      const std::vector<double> first = masks(*constraint, ids, table->words());
      std::printf("%s, %zu tokens: compiled in %.1f ms, first mask in %.1f us\n", each.name, ids.size(),
                  compiled / 1000, first.front());
      report("new", first);
      report("known", masks(*constraint, ids, table->words()));
      std::printf("  %.1f MiB kept\n", static_cast<double>(constraint->bytes()) / (1 << 20));
    }
  } catch (const Error& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
  return 0;
}
