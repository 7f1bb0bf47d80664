// The same model has the same hash wherever it lies, and is not read twice.
#include "records/content_hash.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdlib>

#include "core/memory.hpp"
#include "records/database_file.hpp"
#include "records/testing.hpp"

namespace accelerate::records::test {
namespace {

// A model folder with more in it than counts.
void write_model(const Folder& folder, const std::string& name, const std::string& weights) {
  folder.write(name + "/config.json", "{}");
  folder.write(name + "/model.safetensors", weights);
  folder.write(name + "/modules.json", "[]");
  folder.write(name + "/1_Pooling/config.json", "{\"mean\": true}");
  folder.write(name + "/2_Dense/config.json", "{}");
  folder.write(name + "/2_Dense/model.safetensors", "dense");
  folder.write(name + "/README.md", "words");
  folder.write(name + "/tokenizer.json", "{}");
  folder.write(name + "/golden/tensors.safetensors", "expected");
}

// Old enough to be remembered.
void age(const fs::path& folder) {
  for (const auto& each : fs::recursive_directory_iterator(folder)) {
    timespec times[2] = {{.tv_sec = 1'700'000'000, .tv_nsec = 0}, {.tv_sec = 1'700'000'000, .tv_nsec = 0}};
    utimensat(AT_FDCWD, each.path().c_str(), times, 0);
  }
}

TEST(ContentHash, SumsAreTheStandards) {
  EXPECT_EQ(sha256_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  const Folder folder;
  EXPECT_EQ(sha256_of_file(folder.write("empty", "")), sha256_of(""));
  const std::string long_text(20'000'001, 'a');  // several pieces and a rest
  EXPECT_EQ(sha256_of_file(folder.write("long", long_text)), sha256_of(long_text));
}

TEST(ContentHash, WhatDecidesTheAnswersCounts) {
  const Folder folder;
  write_model(folder, "m", "weights");
  std::vector<std::string> names;
  for (const fs::path& file : hashed_files(folder.path() / "m")) names.push_back(file.generic_string());
  EXPECT_EQ(names,
            (std::vector<std::string>{"1_Pooling/config.json", "2_Dense/config.json", "2_Dense/model.safetensors",
                                      "config.json", "model.safetensors", "modules.json"}));
}

TEST(ContentHash, FollowsTheContentAndNotThePlace) {
  const Folder folder;
  write_model(folder, "one", "weights");
  write_model(folder, "two", "weights");
  const std::string hash = content_hash(folder.path() / "one");
  EXPECT_EQ(hash.size(), 64U);
  EXPECT_EQ(content_hash(folder.path() / "two"), hash);
  folder.write("two/README.md", "other words");
  folder.write("two/golden/more.safetensors", "x");
  EXPECT_EQ(content_hash(folder.path() / "two"), hash);
  for (const char* file : {"model.safetensors", "config.json", "2_Dense/model.safetensors", "1_Pooling/config.json"}) {
    write_model(folder, "two", "weights");
    folder.write(std::string("two/") + file, "changed");
    EXPECT_NE(content_hash(folder.path() / "two"), hash) << file;
  }
}

TEST(ContentHash, OfAFileIsItsSumWhateverItIsCalled) {
  const Folder folder;
  EXPECT_EQ(content_hash(folder.write("model.gguf", "abc")), sha256_of("abc"));
  EXPECT_EQ(content_hash(folder.write("other.gguf", "abc")), sha256_of("abc"));
}

TEST(ContentHash, AFolderWithoutAModelIsAnError) {
  const Folder folder;
  EXPECT_EQ(error_of([&] { content_hash(folder.path()); }).kind(), ErrorKind::not_found);
  EXPECT_EQ(error_of([&] { content_hash(folder.path() / "none"); }).kind(), ErrorKind::not_found);
  Recorder recorder(folder.path() / "r.sqlite", [](const std::string& text) { ADD_FAILURE() << text; });
  EXPECT_EQ(error_of([&] { recorder.content_hash(folder.path() / "none"); }).kind(), ErrorKind::not_found);
}

TEST(ContentHash, WhatIsRememberedIsNotReadAgain) {
  const Folder folder;
  write_model(folder, "m", "weights");
  age(folder.path() / "m");
  usleep(1'100'000);  // a file's change of time cannot be set: it must lie a second back
  const fs::path path = folder.path() / "r.sqlite";
  const std::string hash = Records(path).content_hash(folder.path() / "m");
  EXPECT_EQ(hash, content_hash(folder.path() / "m"));
  // Another sum in its place shows where the second answer comes from.
  Connection(path, Connection::Mode::write, kPatience)
      .execute("UPDATE file_checksum SET sha256 = 'planted' WHERE path LIKE '%/m/model.safetensors'");
  const std::string planted = Records(path).content_hash(folder.path() / "m");
  EXPECT_NE(planted, hash);
  EXPECT_EQ(Records(path, Access::read).content_hash(folder.path() / "m"), planted);
  Recorder recorder(path, [](const std::string& text) { ADD_FAILURE() << text; });
  EXPECT_EQ(recorder.content_hash(folder.path() / "m"), planted);
  // A changed file is read: even one of the same size whose time was set back.
  folder.write("m/model.safetensors", "weighty");
  age(folder.path() / "m");
  EXPECT_EQ(Records(path).content_hash(folder.path() / "m"), content_hash(folder.path() / "m"));
}

TEST(ContentHash, AFileThatIsBeingWrittenIsNotRemembered) {
  const Folder folder;
  write_model(folder, "m", "weights");
  const fs::path path = folder.path() / "r.sqlite";
  Records(path).content_hash(folder.path() / "m");
  const Connection connection(path, Connection::Mode::write, kPatience);
  EXPECT_EQ(connection.integer("SELECT count(*) FROM file_checksum"), 0);
}

TEST(ContentHash, ADatabaseThatCannotHelpCostsOnlyTime) {
  const Folder folder;
  write_model(folder, "m", "weights");
  const std::string hash = content_hash(folder.path() / "m");
  folder.write("file", "");
  std::vector<std::string> notes;
  Recorder recorder(folder.path() / "file/r.sqlite", [&](const std::string& text) { notes.push_back(text); });
  EXPECT_EQ(recorder.content_hash(folder.path() / "m"), hash);
  EXPECT_TRUE(notes.empty()) << "nothing was lost: " << notes[0];
  EXPECT_EQ(Recorder({}, nullptr).content_hash(folder.path() / "m"), hash);
}

TEST(ContentHash, ALargeFileDoesNotStayInMemory) {
  if (kSanitized) return;  // there the resident size is the sanitizer's
  const Folder folder;
  const fs::path file = folder.write("large", "");
  fs::resize_file(file, std::uintmax_t{200} << 20);
  const pid_t process = start_process([&] {
    const std::int64_t before = resident_memory().peak;
    sha256_of_file(file);
    const std::int64_t grown = resident_memory().peak - before;
    if (grown > std::int64_t{48} << 20) throw Error(ErrorKind::internal, std::to_string(grown) + " bytes resident");
  });
  EXPECT_EQ(finished(process), 0);
}

}  // namespace
}  // namespace accelerate::records::test
