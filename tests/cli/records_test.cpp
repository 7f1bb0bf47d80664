// The command `records`, as a user meets it: questions, exchange, and a database in a bad state.
#include <gtest/gtest.h>

#include "accelerate/error.hpp"
#include "cli/process.hpp"
#include "core/json.hpp"

namespace accelerate::cli::test {
namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// A line as `records export` writes it.
std::string line(int number, const std::string& precision, double p50, const std::string& version = "0.1.0") {
  Json json;
  const std::string id = "0000000" + std::to_string(number) + "-0000-4000-8000-000000000000";
  json.set("schema", 1).set("id", id).set("kind", "measurement");
  json.set("time", "2026-11-2" + std::to_string(number) + "T10:00:00.000Z");
  Json machine, code, model, device, content;
  machine.set("id", "0123456789abcdef").set("cpu", "a processor").set("physical_cores", 2).set("logical_cpus", 2);
  json.set("machine", machine.set("memory_bytes", 1000).set("kernel", "Linux"));
  json.set("code", code.set("version", version).set("build", version + " (abc; test)"));
  model.set("content_hash", std::string(64, 'a')).set("model_type", "kind").set("parameters", 10);
  json.set("model", model.set("path", "/models/the-model")).set("device", device.set("name", "cpu").set("level", "x"));
  content.set("workload", "random tokens").set("batch", 1).set("tokens", 16).set("rows", 16).set("threads", 2);
  content.set("samples", 9).set("p50_ms", p50).set("spread", 0.01).set("throughput_per_s", 1000 / p50);
  return json.set("precision", precision).set("content", std::move(content)).dump() + "\n";
}

// The program with a database in a folder of its own.
class RecordsCommand : public testing::Test {
 protected:
  Finished run(std::vector<std::string> arguments, const std::string& input = {}) {
    arguments.insert(arguments.begin(), "records");
    return run_program(Call{.arguments = std::move(arguments),
                            .input = input,
                            .environment = {"ACCELERATE_RECORDS=" + path().string(), "TZ=UTC"}});
  }
  std::filesystem::path path() const { return folder_ / "r.sqlite"; }
  void fill(const std::string& lines) {
    const Finished imported = run({"import", "-", "--json"}, lines);
    ASSERT_EQ(imported.code, 0) << imported.err;
  }
  Folder folder_;
};

TEST_F(RecordsCommand, WithNothingRecordedSaysSoAndMakesNothing) {
  for (const char* action : {"list", "compare", "export"}) {
    const Finished none = run({action});
    EXPECT_EQ(none.code, 0) << none.err;
  }
  EXPECT_TRUE(contains(run({}).err, "no such records in " + path().string()));
  EXPECT_TRUE(folder_.names().empty());
}

TEST_F(RecordsCommand, ListsTheNewestFirst) {
  fill(line(1, "f32", 20) + line(3, "int8", 10) + line(2, "f32", 20));
  const Finished listed = run({});
  EXPECT_EQ(listed.code, 0);
  const std::size_t third = listed.out.find("00000003  2026-11-23 10:00"),
                    first = listed.out.find("00000001  2026-11-21");
  EXPECT_LT(third, first) << listed.out;
  EXPECT_NE(first, std::string::npos) << listed.out;
  EXPECT_TRUE(contains(listed.out, "the-model  cpu x")) << listed.out;
  EXPECT_TRUE(contains(listed.out, "1 x 16, 2 threads, random tokens  10 ms \u00b11 %, 100.0/s")) << listed.out;
}

TEST_F(RecordsCommand, FiltersNarrowAndJsonHasEverything) {
  fill(line(1, "f32", 20) + line(2, "f32", 20) + line(3, "int8", 10));
  const auto count = [&](std::vector<std::string> options) {
    options.insert(options.begin(), {"list", "--json"});
    const Finished listed = run(options);
    EXPECT_EQ(listed.code, 0) << listed.err;
    return Json::parse(listed.out, "list").at("records").items().size();
  };
  EXPECT_EQ(count({}), 3U);
  EXPECT_EQ(count({"--precision", "f32"}), 2U);
  EXPECT_EQ(count({"--model", "the-model"}), 3U);
  EXPECT_EQ(count({"--model", "aaaaaaaa", "--device", "cpu", "--kind", "measurement"}), 3U);
  EXPECT_EQ(count({"--kind", "agreement"}), 0U);
  EXPECT_EQ(count({"--since", "2026-11-22"}), 2U);
  EXPECT_EQ(count({"--since", "2026-11-22T10:00:00.001Z"}), 1U);
  EXPECT_EQ(count({"--since", "999999d"}), 3U);
  EXPECT_EQ(count({"--limit", "1"}), 1U);
  // A folder that is there is asked for its content, and that has no records.
  EXPECT_EQ(count({"--model", fixture("bert").string()}), 0U);
}

TEST_F(RecordsCommand, ShowsOneWhole) {
  fill(line(1, "f32", 20));
  const Finished shown = run({"show", "00000001"});
  EXPECT_TRUE(contains(shown.out, "content.p50_ms            20.0")) << shown.out;
  EXPECT_TRUE(contains(shown.out, "machine.cpu               a processor")) << shown.out;
  EXPECT_EQ(Json::parse(run({"show", "00000001", "--json"}).out, "show").dump() + "\n", line(1, "f32", 20));
  EXPECT_EQ(run({"show", "ffffffff"}).code, 4);
}

TEST_F(RecordsCommand, ComparesAndNamesWhatIsWorse) {
  fill(line(1, "f32", 20) + line(2, "f32", 30, "0.2.0") + line(3, "int8", 10, "0.2.0"));
  const Finished newest = run({"compare"});
  EXPECT_EQ(newest.code, 0) << newest.err;
  EXPECT_TRUE(contains(newest.out, "p50_ms                20      30  1.500   \u00b12 %  worse")) << newest.out;
  EXPECT_TRUE(contains(newest.out, "2 worse, 0 better, 0 the same within the noise; 1 conditions have nothing"));
  const Json versions = Json::parse(run({"compare", "0.1.0", "0.2.0", "--json"}).out, "compare");
  EXPECT_EQ(versions.at("worse").as_int(), 2);
  const Json precisions = Json::parse(run({"compare", "f32", "int8", "--json"}).out, "compare");
  EXPECT_EQ(precisions.at("better").as_int(), 2);
  EXPECT_EQ(precisions.at("pairs").items()[0].at("figures").items()[0].at("verdict").as_string(), "better");
  const Finished none = run({"compare", "f32", "int4"});
  EXPECT_EQ(none.code, 4);
  EXPECT_TRUE(contains(none.err, "no record is in a precision, of a version or commit, or has an id \"int4\""))
      << none.err;
}

TEST_F(RecordsCommand, ExportsWhatImportTakes) {
  const std::string lines = line(1, "f32", 20) + line(2, "int8", 10);
  fill(lines);
  EXPECT_EQ(run({"export"}).out, lines);
  EXPECT_EQ(run({"export", "-", "--precision", "int8"}).out, line(2, "int8", 10));
  const std::string file = (folder_ / "out.jsonl").string();
  EXPECT_EQ(run({"export", file}).out, "2 records written to " + file + "\n");
  EXPECT_EQ(read(file), lines);
  EXPECT_EQ(run({"import", file}).out, "0 records added, 2 were there already\n");
  EXPECT_EQ(run({"export", "/nowhere/out.jsonl"}).code, 3);
}

TEST_F(RecordsCommand, ABadLineIsNamedAndNothingIsImported) {
  write(folder_ / "in.jsonl", line(1, "f32", 20) + "{\"schema\": 1}\n");
  const Finished wrong = run({"import", (folder_ / "in.jsonl").string()});
  EXPECT_EQ(wrong.code, 3);
  EXPECT_EQ(wrong.out, "");
  EXPECT_TRUE(contains(wrong.err, "in.jsonl: line 2: field id: is missing")) << wrong.err;
  EXPECT_TRUE(contains(run({}).err, "no such records"));
  EXPECT_EQ(run({"import", (folder_ / "none.jsonl").string()}).code, 4);
}

TEST_F(RecordsCommand, ADamagedFileIsMovedAsideAndNamed) {
  write(path(), "this is no database, whatever its name says, and it is long enough to be read as one's beginning");
  const Finished listed = run({});
  EXPECT_EQ(listed.code, 0) << listed.err;
  EXPECT_TRUE(contains(listed.err, "note: " + path().string() + " was damaged: it lies now in ")) << listed.err;
  EXPECT_EQ(folder_.names().size(), 2U);
}

TEST_F(RecordsCommand, ANewerFileIsRefusedWithCodeSix) {
  fill(line(1, "f32", 20));
  // Where SQLite keeps the version that the application gives: 4 bytes from byte 60 of the header.
  std::string bytes = read(path());
  bytes.replace(60, 4, std::string("\0\0\0\x63", 4));
  write(path(), bytes);
  const Finished listed = run({});
  EXPECT_EQ(listed.code, 6) << listed.err;
  EXPECT_TRUE(contains(listed.err, "has schema version 99, this build knows versions up to")) << listed.err;
  EXPECT_EQ(read(path()), bytes);
}

TEST_F(RecordsCommand, WrongUseIsCodeTwo) {
  for (const std::vector<std::string>& wrong : std::vector<std::vector<std::string>>{{"lst"},
                                                                                     {"show"},
                                                                                     {"show", "a", "b"},
                                                                                     {"compare", "a"},
                                                                                     {"import"},
                                                                                     {"list", "x"},
                                                                                     {"--kind", "gossip"},
                                                                                     {"--since", "yesterday"},
                                                                                     {"--limit", "0"}}) {
    const Finished finished = run(wrong);
    EXPECT_EQ(finished.code, 2) << testing::PrintToString(wrong) << finished.err;
    EXPECT_EQ(finished.out, "");
  }
}

TEST_F(RecordsCommand, WhereNoneAreKeptThereIsNothingToAsk) {
  const Finished off = run_program(Call{.arguments = {"records"}, .environment = {"ACCELERATE_RECORDS=off"}});
  EXPECT_EQ(off.code, 3);
  EXPECT_TRUE(contains(off.err, "no records are kept")) << off.err;
}

}  // namespace
}  // namespace accelerate::cli::test
