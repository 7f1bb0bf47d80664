// Masks of whole vocabularies against trying each token, and texts that are generated under them.
#include <numeric>

#include "decoding/beam_search.hpp"
#include "decoding/choice.hpp"
#include "decoding/constraint_helpers.hpp"
#include "decoding/schema_validator.hpp"
#include "text/unicode.hpp"

namespace accelerate::decoding::constraint {
namespace {

constexpr const char* kPerson = R"({"type":"object","properties":{"name":{"type":"string"},"note":{"type":"string",
  "maxLength":30},"tags":{"type":"array","items":{"type":"string"}},"address":{"$ref":"#/$defs/address"},"age":
  {"type":"integer","minimum":0,"maximum":150}},"required":["name","age"],"$defs":{"address":{"type":"object",
  "properties":{"street":{"type":"string"},"home":{"anyOf":[{"$ref":"#/$defs/address"},{"type":"null"}]}}}}})";

std::vector<std::pair<std::string, Automaton>> automata() {
  std::vector<std::pair<std::string, Automaton>> all;
  all.emplace_back("any", schema_automaton("{}"));
  all.emplace_back("person", schema_automaton(kPerson));
  all.emplace_back("text", regex_automaton("[^\\n]*"));
  all.emplace_back("counted", regex_automaton("(.|\\n){3,40}"));
  all.emplace_back("words", regex_automaton("([A-Za-z]{1,9} ){0,5}(the|The) é?[\\u3040-\\u30ff]*\\."));
  return all;
}

std::vector<std::int32_t> allowed_ids(std::span<const std::uint64_t> mask, std::size_t count) {
  std::vector<std::int32_t> ids;
  for (std::size_t i = 0; i < count; ++i) {
    if ((mask[i / 64] >> (i % 64) & 1) != 0) ids.push_back(static_cast<std::int32_t>(i));
  }
  return ids;
}

// Along texts made of random tokens, every mask is what each token by itself says.
TEST(ConstraintMasks, EqualTryingEveryToken) {
  std::size_t compared = 0;
  for (const std::string& name : tokenizer_names()) {
    const auto table = TokenTable::of(tokenizer_named(name));
    for (auto& [what, automaton] : automata()) {
      SCOPED_TRACE(name + " " + what);
      const auto shared = std::make_shared<const Automaton>(std::move(automaton));
      TokenMasks masks(shared, table);
      Machine plain(shared);
      std::mt19937 random(7);
      for (int walk = 0; walk < 4; ++walk) {
        Machine::Config place = masks.machine().start(), reference = plain.start();
        for (int step = 0; step < 25; ++step) {
          const auto mask = step == 0 ? masks.first() : masks.following(place);
          std::vector<std::int32_t> expected;
          for (std::size_t id = 0; id < table->size(); ++id) {
            const auto token = static_cast<std::int32_t>(id);
            const std::string_view bytes = step == 0 ? table->first_bytes(token) : table->bytes(token);
            if (!bytes.empty() && plain.advance(reference, bytes) != Machine::kDead) expected.push_back(token);
          }
          ASSERT_EQ(allowed_ids(mask, table->size()), expected) << "step " << step;
          ++compared;
          if (expected.empty()) break;
          const std::int32_t token = expected[random() % expected.size()];
          const std::string_view bytes = step == 0 ? table->first_bytes(token) : table->bytes(token);
          place = masks.machine().advance(place, bytes);
          reference = plain.advance(reference, bytes);
        }
      }
    }
  }
  EXPECT_GT(compared, 2000U);
}

// What tokens are said to add to a text is what decoding makes of them.
TEST(ConstraintMasks, BytesOfTokensAreThoseOfDecodedTexts) {
  std::mt19937 random(8);
  for (const std::string& name : tokenizer_names()) {
    const text::Tokenizer tokenizer = tokenizer_named(name);
    const auto table = TokenTable::of(tokenizer);
    std::size_t compared = 0;
    for (int i = 0; i < 400; ++i) {
      std::vector<std::int32_t> ids;
      std::string bytes;
      while (ids.size() < 1 + random() % 5) {
        const auto id = static_cast<std::int32_t>(random() % table->size());
        const std::string_view added = ids.empty() ? table->first_bytes(id) : table->bytes(id);
        if (added.empty()) continue;
        ids.push_back(id);
        bytes += added;
      }
      if (text::find_invalid_utf8(bytes) != std::string::npos) continue;
      const std::string decoded = tokenizer.decode(ids, false);
      // The end of a last word is a space only to the table.
      if (name == "clip" && bytes.size() == decoded.size() + 1) bytes.pop_back();
      EXPECT_EQ(bytes, decoded) << name;
      ++compared;
    }
    EXPECT_GT(compared, 100U) << name;
  }
}

TEST(ConstraintMasks, SpecialTokensAreNoText) {
  const text::Tokenizer tokenizer = tokenizer_named("llama3");
  const auto table = TokenTable::of(tokenizer);
  std::size_t special = 0;
  for (const text::AddedToken& token : tokenizer.added_tokens()) {
    if (!token.special) continue;
    EXPECT_EQ(table->bytes(token.id), "");
    ++special;
  }
  EXPECT_GT(special, 0U);
}

struct Walker {
  explicit Walker(const std::string& name) : tokenizer(tokenizer_named(name)), table(TokenTable::of(tokenizer)) {
    for (std::size_t id = 0; id < table->size() && end < 0; ++id) {
      if (tokenizer.is_special(static_cast<std::int32_t>(id))) end = static_cast<std::int32_t>(id);
    }
    for (std::size_t id = 0; id < table->size(); ++id) {
      const std::string_view bytes = table->bytes(static_cast<std::int32_t>(id));
      if (bytes == "\"" || bytes == "}" || bytes == "]") closers.push_back(id);
    }
  }
  // Random logits, and a growing wish to come to an end.
  std::vector<float> logits(std::mt19937& random, std::size_t step) const {
    std::normal_distribution<float> normal;
    std::vector<float> out(table->size());
    for (float& one : out) one = normal(random) * 3;
    const float wish = step < 30 ? 0 : static_cast<float>(step);
    // A bracket may be what a string goes on with for ever.
    for (const std::size_t id : closers)
      out[id] += table->bytes(static_cast<std::int32_t>(id)) == "\"" ? wish : std::min(wish, 6.0F);
    out[static_cast<std::size_t>(end)] += 2 * wish;
    return out;
  }
  text::Tokenizer tokenizer;
  std::shared_ptr<const TokenTable> table;
  std::int32_t end = -1;
  std::vector<std::size_t> closers;
};

// The generated ids up to the end token, behind a prompt; empty when it did not come.
std::vector<std::int32_t> generated(const Walker& walker, const std::shared_ptr<const Constraint>& constraint,
                                    std::mt19937& random) {
  const SamplerChain chain(GenerationSettings{.eos_token_ids = {walker.end}}, constraint);
  std::vector<std::int32_t> tokens{5, 6, 7};
  for (std::size_t step = 0; step < 3000; ++step) {
    std::vector<float> scores = walker.logits(random, step);
    chain.apply(scores, tokens, 3);
    const std::int32_t token = likeliest(scores);
    if (token == walker.end) return {tokens.begin() + 3, tokens.end()};
    tokens.push_back(token);
  }
  ADD_FAILURE() << "no end: " << walker.tokenizer.decode(std::span(tokens).subspan(3, 200));
  return {};
}

TEST(ConstraintMasks, RandomLogitsEndInValidJson) {
  const std::vector<std::string> schemas{
      "{}",
      kPerson,
      R"({"type":"array","items":{"type":"number"},"minItems":1})",
      R"({"type":"object","properties":{"a":{"enum":["x","xy","xyz",1,12]},"b":{"const":{"c":[1]}}},"required":["a","b"]})",
      R"({"type":"string","minLength":3,"maxLength":5})",
      R"({"type":"string","pattern":"^[a-f]+-[0-9]{2}$"})",
      R"({"type":"string","format":"date-time"})",
      R"({"type":"string","format":"uuid"})",
      R"({"type":["integer","null"]})",
      R"({"type":"integer","minimum":-3,"maximum":1234})",
      R"({"type":"number","minimum":-1,"exclusiveMaximum":2})",
      R"({"anyOf":[{"type":"string"},{"type":"object","properties":{"é":{"type":"boolean"}},"required":["é"]}]})",
      R"({"type":"object","additionalProperties":{"type":"integer"}})",
      R"({"type":"object","properties":{"id":{"type":"integer"}},"required":["id"],"additionalProperties":{"type":"string"}})",
      R"({"type":"array","prefixItems":[{"type":"string"},{"type":"boolean"}],"items":{"type":"null"},"minItems":2})",
      R"({"type":"array","items":{"type":"object","properties":{"k":{"type":"string"}},"required":["k"]},"maxItems":3})",
      R"({"$ref":"#/$defs/n","$defs":{"n":{"type":"object","properties":{"v":{"type":"integer"},"l":{"anyOf":[{"$ref":"#/$defs/n"},{"type":"null"}]},"r":{"type":"array","items":{"$ref":"#/$defs/n"}}},"required":["v","l"]}}})",
      R"({"allOf":[{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]},{"properties":{"b":{"type":"boolean"}}}]})",
      R"({"type":"object","properties":{"p":{"type":"string","pattern":"^[ab]{2}|\""},"e":{"type":"string","format":"email"}},"required":["p","e"]})",
      R"({"type":"array","items":{"type":"array","items":{"type":"string","maxLength":2},"maxItems":2},"maxItems":2})",
      R"({"enum":[null,true,"a\nb",[],{"x":{"y":[1,2]}}]})"};
  const std::vector<std::string> names{"gpt2", "llama", "llama3", "mistral", "qwen2"};
  std::size_t texts = 0;
  for (const std::string& name : names) {
    const Walker walker(name);
    ASSERT_GE(walker.end, 0) << name;
    for (const std::string& schema : schemas) {
      SCOPED_TRACE(name + " " + schema);
      const SchemaValidator validator(Json::parse(schema, "schema"));
      const auto constraint = schema_constraint(schema, walker.table, {walker.end});
      for (unsigned seed = 0; seed < 3; ++seed) {
        std::mt19937 random(seed);
        const std::vector<std::int32_t> ids = generated(walker, constraint, random);
        ASSERT_FALSE(ids.empty()) << "seed " << seed;
        const std::string text = walker.tokenizer.decode(ids);
        ASSERT_TRUE(validator.valid(Json::parse(text, "text"))) << text;
        ++texts;
      }
    }
  }
  EXPECT_GE(texts, 300U);
}

// As a filter: bits as scores have them.
std::vector<std::uint64_t> bits_of(const Constraint& constraint, std::span<const std::int32_t> tokens,
                                   std::size_t prompt, std::size_t vocabulary) {
  std::vector<std::uint64_t> bits((vocabulary + 63) / 64);
  EXPECT_TRUE(constraint.allow(tokens, prompt, bits));
  return bits;
}

TEST(Constraint, MayEndExactlyWhereTheTextIsComplete) {
  const Walker walker("gpt2");
  const auto constraint = regex_constraint("ab?", walker.table, {walker.end});
  const auto id = [&](std::string_view text) { return *walker.tokenizer.token_to_id(text); };
  const auto allowed = [&](const std::vector<std::int32_t>& tokens) {
    return allowed_ids(bits_of(*constraint, tokens, 1, walker.table->size()), walker.table->size());
  };
  std::vector<std::int32_t> first{id("a")};
  if (const auto both = walker.tokenizer.token_to_id("ab")) first.push_back(*both);
  std::ranges::sort(first);
  EXPECT_EQ(allowed({9}), first);
  std::vector<std::int32_t> second{id("b"), walker.end};
  std::ranges::sort(second);
  EXPECT_EQ(allowed({9, id("a")}), second);
  EXPECT_EQ(allowed({9, id("a"), id("b")}), (std::vector{walker.end}));
  EXPECT_EQ(allowed({9, id("b")}), (std::vector<std::int32_t>{}));
  EXPECT_TRUE(constraint->complete(std::vector{id("a")}));
  EXPECT_FALSE(constraint->complete({}));
}

// An end may be an ordinary token: then it ends the text and never stands in it.
TEST(Constraint, StopTokensAreNeverPartOfTheText) {
  const Walker walker("gpt2");
  const std::int32_t b = *walker.tokenizer.token_to_id("b"), a = *walker.tokenizer.token_to_id("a");
  const auto constraint = regex_constraint("abb", walker.table, {b});
  const auto bits = bits_of(*constraint, std::vector{a}, 0, walker.table->size());
  const auto ids = allowed_ids(bits, walker.table->size());
  EXPECT_TRUE(std::ranges::find(ids, b) == ids.end());
}

TEST(Constraint, ReadsEverySequenceForItself) {
  const Walker walker("llama");
  const auto kept = schema_constraint(kPerson, walker.table, {walker.end});
  std::mt19937 random(9);
  std::vector<std::vector<std::int32_t>> texts;
  for (int i = 0; i < 6; ++i) texts.push_back(generated(walker, kept, random));
  // Beginnings in any order, with any prompt: as a constraint that has seen nothing.
  for (int i = 0; i < 150; ++i) {
    const std::vector<std::int32_t>& text = texts[random() % texts.size()];
    std::vector<std::int32_t> tokens(random() % 4, 3);
    const std::size_t prompt = tokens.size();
    tokens.insert(tokens.end(), text.begin(), text.begin() + static_cast<std::ptrdiff_t>(random() % (text.size() + 1)));
    const auto fresh = schema_constraint(kPerson, walker.table, {walker.end});
    ASSERT_EQ(bits_of(*kept, tokens, prompt, walker.table->size()),
              bits_of(*fresh, tokens, prompt, walker.table->size()));
  }
}

TEST(Constraint, TakesVocabulariesThatAreLargerOrSmallerThanTheTokenizers) {
  const Walker walker("gpt2");
  const auto constraint = regex_constraint("[a-z]*", walker.table, {walker.end});
  const SamplerChain chain(GenerationSettings{}, constraint);
  for (const std::size_t size : {walker.table->size() + 130, walker.table->size() / 2 + 1}) {
    std::vector<float> scores(size, 1);
    chain.apply(scores, std::vector<std::int32_t>{1}, 1);
    for (std::size_t i = walker.table->size(); i < size; ++i) EXPECT_TRUE(std::isinf(scores[i]));
    EXPECT_EQ(scores[static_cast<std::size_t>(*walker.tokenizer.token_to_id("a"))], 1);
  }
  EXPECT_EQ(chain.describe(), "filter regex\n");
}

TEST(Constraint, HoldsForEveryBeam) {
  const Walker walker("gpt2");
  const auto constraint = regex_constraint("(yes|no|maybe), [a-z]{3,6}\\.", walker.table, {walker.end});
  Tried tried = Tried::regex("(yes|no|maybe), [a-z]{3,6}\\.");
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    const HashModel model{.seed = seed, .vocabulary = walker.table->size(), .boosted = {}};
    std::vector<std::int32_t> prompt{3, 4};
    BeamSearch search({.max_new_tokens = 40, .num_beams = 4, .num_return_sequences = 4, .eos_token_ids = {walker.end}},
                      {prompt}, walker.table->size(), {.filter = constraint});
    std::vector<std::vector<std::int32_t>> beams(4, prompt);
    while (!search.finished()) {
      std::vector<float> logits;
      for (const auto& beam : beams) {
        const std::vector<float> one = model.logits(beam);
        logits.insert(logits.end(), one.begin(), one.end());
      }
      const BeamStep step = search.advance(logits);
      std::vector<std::vector<std::int32_t>> next;
      for (std::size_t i = 0; i < 4; ++i) {
        next.push_back(beams[static_cast<std::size_t>(step.parents[i])]);
        next.back().push_back(step.tokens[i]);
      }
      beams = std::move(next);
    }
    for (const BeamResult& result : search.results()) {
      EXPECT_TRUE(tried.accepts(walker.tokenizer.decode(result.ids))) << walker.tokenizer.decode(result.ids);
    }
  }
}

TEST(Constraint, CountsItsAutomaton) {
  const Walker walker("gpt2");
  const auto small = regex_constraint("a", walker.table, {walker.end});
  const auto large = regex_constraint("a{100000}", walker.table, {walker.end});
  EXPECT_GT(large->bytes(), small->bytes() + 100'000 * 2 * sizeof(StateId));
}

TEST(Constraint, ForgetsBeforeItGrowsTooLarge) {
  // Each text is one that was not there before, with places of its own.
  const Walker walker("qwen2");
  const auto constraint = regex_constraint("[ab]*a[ab]{14}c", walker.table, {walker.end});
  const std::int32_t a = *walker.tokenizer.token_to_id("a"), b = *walker.tokenizer.token_to_id("b");
  std::mt19937 random(10);
  std::vector<std::int32_t> tokens;
  for (int i = 0; i < 4000; ++i) tokens.push_back(random() % 2 == 0 ? a : b);
  for (std::size_t i = 0; i <= tokens.size(); ++i) {
    bits_of(*constraint, std::span(tokens).first(i), 0, walker.table->size());
    ASSERT_LT(constraint->bytes(), std::size_t{160} << 20);
  }
  const auto fresh = regex_constraint("[ab]*a[ab]{14}c", walker.table, {walker.end});
  EXPECT_EQ(bits_of(*constraint, tokens, 0, walker.table->size()), bits_of(*fresh, tokens, 0, walker.table->size()));
}

}  // namespace
}  // namespace accelerate::decoding::constraint
