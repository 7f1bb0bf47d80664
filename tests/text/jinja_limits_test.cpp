// Templates are other people's programs: whatever one does ends in bounded time and memory, with an error that says
// where.
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "text/jinja/template.hpp"

namespace accelerate::text::jinja {
namespace {

std::string repeated(std::string_view text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

// The error that the template ends in; the test fails where it renders.
Error error_of(const std::string& source, const Json& variables = Json::object()) {
  try {
    const std::string text = Template::parse(source, "t").render(variables, {.most_steps = 500'000});
    ADD_FAILURE() << "rendered " << text.size() << " bytes: " << source.substr(0, 200);
  } catch (const Error& error) {
    return error;
  }
  return {ErrorKind::internal, "none"};
}

TEST(JinjaLimits, LoopsAndRecursionEnd) {
  const std::string counts = "{% for i in range(100000) %}";
  for (const std::string& source : {
           counts + counts + "{{ i }}{% endfor %}{% endfor %}",
           std::string("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"),
           std::string("{% macro m() %}{{ caller() }}{% endmacro %}{% macro n() %}{% call m() %}{{ n() }}{% endcall %}"
                       "{% endmacro %}{{ n() }}"),
           std::string("{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}"),
           std::string(
               "{% set ns = namespace() %}{% macro m() %}{{ ns.f() }}{% endmacro %}{% set ns.f = m %}{{ m() }}"),
       }) {
    EXPECT_EQ(error_of(source).kind(), ErrorKind::invalid_input) << source;
  }
}

TEST(JinjaLimits, TextsAndListsDoNotGrowWithoutEnd) {
  const std::string doubles = "{% set ns = namespace(x='ab', l=[1, 2]) %}{% for i in range(100) %}";
  for (const std::string& source : {
           doubles + "{% set ns.x = ns.x + ns.x %}{% endfor %}",
           doubles + "{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
           doubles + "{% set ns.l = ns.l + ns.l %}{% endfor %}",
           doubles + "{% set ns.x = ns.x | replace('a', 'aa') | replace('b', 'bb') %}{% endfor %}",
           doubles + "{% set ns.x = ns.x.join(ns.x) %}{% endfor %}",
           doubles + "{% set ns.x %}{{ ns.x }}{{ ns.x }}{% endset %}{% endfor %}",
           std::string("{{ 'x' * 100000000000 }}"),
           std::string("{{ [1] * 9000000000000000000 }}"),
           std::string("{{ 'x'.ljust(100000000000) }}"),
           std::string("{{ 'x'.zfill(100000000000) }}"),
           std::string("{{ '%1000000000d' % 1 }}"),
           std::string("{{ '{:1000000000}'.format(1) }}"),
           std::string("{{ [1] | batch(100000000000, 0) | list }}"),
           std::string("{{ [1] | slice(100000000000) | list }}"),
           std::string("{{ range(100001) }}"),
       }) {
    EXPECT_EQ(error_of(source).kind(), ErrorKind::invalid_input) << source;
  }
}

TEST(JinjaLimits, SharedPartsAreNotWalkedAsIfTheyWereMany) {
  const std::string shared =
      "{% set ns = namespace(l=[1]) %}{% for i in range(60) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}";
  for (const char* use :
       {"{{ ns.l }}", "{{ ns.l | tojson }}", "{{ ns.l == [ns.l[0], ns.l[1]] }}", "{{ ns.l | join }}"}) {
    EXPECT_EQ(error_of(shared + use).kind(), ErrorKind::invalid_input) << use;
  }
}

TEST(JinjaLimits, ValuesThatHoldThemselvesAreFreed) {
  // Leaks show under the address sanitizer.
  const std::string source =
      "{% set ns = namespace() %}{% set ns.self = ns %}{% set ns.l = [ns, {'a': ns}] %}"
      "{% macro m() %}{{ m is callable }}{% endmacro %}{% set ns.m = m %}"
      "{% for x in [1, 2] %}{% set ns.loop = loop %}{{ loop.changed(loop) }}{% set ns.cycle = loop.cycle %}{% endfor %}"
      "{{ ns.m() }}{{ ns }}{{ ns.loop.index }}";
  EXPECT_EQ(Template::parse(source, "t").render(Json::object()), "TrueFalseTrue<Namespace>3");
}

TEST(JinjaLimits, NestingIsRefusedWhereItIsTooDeep) {
  const std::size_t deep = 20000;
  for (const auto& [open, close] : std::vector<std::pair<std::string, std::string>>{{"(", ")"},
                                                                                    {"[", "]"},
                                                                                    {"{'a':", "}"},
                                                                                    {"not ", ""},
                                                                                    {"-", ""},
                                                                                    {"f(", ")"},
                                                                                    {"a[", "]"},
                                                                                    {"1 if 1 else ", ""}}) {
    const Error error = error_of("{{ " + repeated(open, deep) + "1" + repeated(close, deep) + " }}");
    EXPECT_EQ(error.kind(), ErrorKind::corrupted) << open;
  }
  for (const char* link :
       {".a", "[0]", "()", "|upper", " + 1", " * 2", " ** 1", " and 1", " or 1", " is odd", " if 1"}) {
    EXPECT_EQ(error_of("{{ x" + repeated(link, deep) + " }}").kind(), ErrorKind::corrupted) << link;
  }
  for (const auto& [open, close] :
       std::vector<std::pair<std::string, std::string>>{{"{% if 1 %}", "{% endif %}"},
                                                        {"{% for x in y %}", "{% endfor %}"},
                                                        {"{% macro m() %}", "{% endmacro %}"},
                                                        {"{% set x %}", "{% endset %}"},
                                                        {"{% filter upper %}", "{% endfilter %}"}}) {
    EXPECT_EQ(error_of(repeated(open, deep) + repeated(close, deep)).kind(), ErrorKind::corrupted) << open;
  }
  EXPECT_EQ(error_of("{% set " + repeated("(", deep) + "x %}").kind(), ErrorKind::corrupted);
  const std::string nests = "{% set ns = namespace(l=1) %}{% for i in range(5000) %}{% set ns.l = ";
  EXPECT_EQ(error_of(nests + "[ns.l] %}{% endfor %}").kind(), ErrorKind::invalid_input);
  EXPECT_EQ(error_of(nests + "{'a': ns.l} %}{% endfor %}").kind(), ErrorKind::invalid_input);
  EXPECT_EQ(error_of(nests + "[ns.l].count %}{% endfor %}").kind(), ErrorKind::invalid_input);
}

TEST(JinjaLimits, LongChainsThatDoNotNestAreFine) {
  const std::string parts = "{{ 'a'" + repeated(" ~ 'a'", 20000) + " }}";
  EXPECT_EQ(Template::parse(parts, "t").render(Json::object()).size(), 20001U);
  const std::string branches = "{% if 0 %}" + repeated("{% elif 0 %}", 20000) + "{% else %}x{% endif %}";
  EXPECT_EQ(Template::parse(branches, "t").render(Json::object()), "x");
}

TEST(JinjaLimits, WholeNumbersDoNotOverflow) {
  for (const char* source :
       {"{{ 9223372036854775807 + 1 }}", "{{ -9223372036854775807 - 2 }}", "{{ 3037000500 * 3037000500 }}",
        "{{ 2 ** 63 }}", "{{ -(-9223372036854775807 - 1) }}", "{{ (-9223372036854775807 - 1) // -1 }}",
        "{{ (-9223372036854775807 - 1) | abs }}", "{{ range(9223372036854775807) }}"}) {
    EXPECT_EQ(error_of(source).kind(), ErrorKind::invalid_input) << source;
  }
  EXPECT_EQ(error_of("{{ 9223372036854775808 }}").kind(), ErrorKind::corrupted);
  const auto rendered = [](const char* source) { return Template::parse(source, "t").render(Json::object()); };
  EXPECT_EQ(rendered("{{ (-9223372036854775807 - 1) % -1 }}"), "0");
  EXPECT_EQ(rendered("{{ 'abc'[::9223372036854775807] }}{{ 'abc'[::-9223372036854775807] }}"), "ac");
  EXPECT_EQ(rendered("{{ 'abc'[-9223372036854775807:9223372036854775807] }}"), "abc");
}

TEST(JinjaLimits, ErrorsNameTheLine) {
  EXPECT_EQ(error_of("a\n\n{{ x.y }}").where(), "t:3");
  EXPECT_EQ(error_of("a\n{% macro m() %}\n{{ 1 // 0 }}{% endmacro %}\n\n{{ m() }}").where(), "t:3");
  EXPECT_EQ(error_of("{{ 'a'\n ~\n nope.x }}").where(), "t:3");
  EXPECT_EQ(error_of("a\n{% if %}").where(), "t:2");
  EXPECT_EQ(error_of("{{ 1 | nope }}").message(), "No filter named 'nope'.");
  EXPECT_EQ(error_of("{{ 1 | nope }}").kind(), ErrorKind::unsupported);
  EXPECT_EQ(error_of("{{ raise_exception('Alternate!') }}").message(), "Alternate!");
}

TEST(JinjaLimits, TextThatIsNoUtf8IsRefused) {
  EXPECT_EQ(error_of("\xff").kind(), ErrorKind::corrupted);
  EXPECT_EQ(error_of("{{ x }}", Json::object().set("x", "\xc3")).kind(), ErrorKind::invalid_input);
}

TEST(JinjaLimits, OneTemplateServesSeveralThreads) {
  const Template shared = Template::parse("{% for i in range(n) %}{{ loop.cycle('a', 'b') }}{% endfor %}", "t");
  std::vector<std::string> texts(4);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    threads.emplace_back([&, i] { texts[i] = shared.render(Json::object().set("n", i + 1)); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(texts, (std::vector<std::string>{"a", "ab", "aba", "abab"}));
}

}  // namespace
}  // namespace accelerate::text::jinja
