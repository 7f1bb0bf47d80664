// What probes found is kept, for exactly as long as it holds.
#include "hardware/device_cache.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "core/file.hpp"
#include "hardware/fake_drivers.hpp"

namespace accelerate::hardware {
namespace {

namespace fs = std::filesystem;

// A machine whose probing program answers every question with one available device and counts the questions.
class DeviceCacheTest : public testing::Test {
 protected:
  void SetUp() override {
    environment_.set("ACCELERATE_CACHE", (folder_.path() / "cache").string());
    environment_.set("ACCELERATE_PROBE",
                     test::script(folder_, "helper",
                                  "echo asked >> " + count_.string() +
                                      "\necho '{\"reports\": [{\"name\": \"cpu\", \"backend\": \"cpu\", "
                                      "\"description\": \"d\", \"state\": \"available\", \"facts\": {}, \"measured\": "
                                      "[{\"what\": \"w\", \"value\": 0.1, \"unit\": \"u\"}]}], \"libraries\": [\"" +
                                      library_.string() + "\"]}'")
                         .string());
    folder_.write("libfake.so", "version 1");
  }

  // Whether this asks the machine, and not the cache.
  bool probes(const DevicesOptions& options = {}) {
    const std::string before = asked();
    const KnownDevices known = known_devices(options);
    EXPECT_FALSE(known.reports.empty());
    EXPECT_EQ(known.from_cache, asked() == before);
    EXPECT_GT(known.probed_ms, 0);
    return !known.from_cache;
  }
  std::string asked() const {
    std::error_code ignored;
    return fs::exists(count_, ignored) ? read_file(count_) : "";
  }
  fs::path file() const { return folder_.path() / "cache/devices.json"; }

  const TemporaryFolder folder_;
  const fs::path count_ = folder_.path() / "count", library_ = folder_.path() / "libfake.so";
  test::Environment environment_;
};

TEST_F(DeviceCacheTest, TheSecondTimeNothingIsProbed) {
  const KnownDevices first = known_devices();
  const KnownDevices second = known_devices();
  EXPECT_FALSE(first.from_cache);
  EXPECT_TRUE(second.from_cache);
  EXPECT_EQ(first.reports, second.reports);
  EXPECT_EQ(first.probed_ms, second.probed_ms);
}

TEST_F(DeviceCacheTest, RefreshProbesAllTheSame) {
  EXPECT_TRUE(probes());
  EXPECT_FALSE(probes());
  EXPECT_TRUE(probes({.refresh = true}));
  EXPECT_FALSE(probes());
}

TEST_F(DeviceCacheTest, EndsWithWhatItHoldsFor) {
  EXPECT_TRUE(probes());
  folder_.write("libfake.so", "version 2, which is longer");
  EXPECT_TRUE(probes()) << "a library changed";
  EXPECT_FALSE(probes());
  fs::remove(library_);
  EXPECT_TRUE(probes()) << "a library went";
  EXPECT_FALSE(probes());
  environment_.set("CUDA_VISIBLE_DEVICES", "1");
  EXPECT_TRUE(probes()) << "a variable that drivers read changed";
  EXPECT_FALSE(probes());
  environment_.set("ACCELERATE_RECORDS", "/elsewhere");
  EXPECT_FALSE(probes()) << "where records lie decides nothing about devices";
  EXPECT_TRUE(probes({.threads = 3})) << "measured with other threads";
}

TEST_F(DeviceCacheTest, DamageIsIgnoredAndReplaced) {
  EXPECT_TRUE(probes());
  const std::string good = read_file(file());
  for (const std::string& damaged :
       {std::string(), std::string("{"), good.substr(0, good.size() / 2), std::string("[1, 2]"),
        std::string("\xff\xfe"), std::string("{\"format\": 1}"), std::string("{\"format\": 99}")}) {
    folder_.write("cache/devices.json", damaged);
    EXPECT_TRUE(probes()) << damaged.substr(0, 40);
    EXPECT_FALSE(probes());
  }
}

TEST_F(DeviceCacheTest, AFolderThatCannotBeWrittenCostsTheCacheNotTheAnswer) {
  // Under a file: no user can write there, root neither.
  environment_.set("ACCELERATE_CACHE", (library_ / "cache").string());
  std::vector<std::string> notes;
  for (int time = 0; time < 2; ++time) {
    EXPECT_TRUE(probes({.note = [&](const std::string& text) { notes.push_back(text); }}));
  }
  ASSERT_EQ(notes.size(), 2U);
  EXPECT_TRUE(contains(notes[0], "not kept for the next time: " + (library_ / "cache").string())) << notes[0];
}

TEST_F(DeviceCacheTest, OffKeepsNothing) {
  environment_.set("ACCELERATE_CACHE", "off");
  EXPECT_TRUE(cache_folder().empty());
  EXPECT_TRUE(probes({.note = [](const std::string& text) { ADD_FAILURE() << text; }}));
  EXPECT_TRUE(probes());
}

TEST_F(DeviceCacheTest, TheFolderIsTheUsersOwn) {
  environment_.set("ACCELERATE_CACHE", "");
  environment_.set("XDG_CACHE_HOME", "/x");
  EXPECT_EQ(cache_folder(), "/x/ipfs-accelerate");
  environment_.set("XDG_CACHE_HOME", "relative");
  environment_.set("HOME", "/home/somebody");
  EXPECT_EQ(cache_folder(), "/home/somebody/.cache/ipfs-accelerate");
}

TEST_F(DeviceCacheTest, SeveralMayRenewItWhileOthersRead) {
  EXPECT_TRUE(probes());
  const DeviceCache cache(cache_folder(), 0);
  const KnownDevices known = *cache.read();
  std::atomic<int> writing{4}, wrong{0};
  std::vector<std::thread> threads;
  for (int writer = 0; writer < 4; ++writer) {
    threads.emplace_back([&] {
      for (int time = 0; time < 20; ++time) cache.write({.reports = known.reports}, known.probed_ms);
      --writing;
    });
  }
  while (writing > 0) {
    const std::optional<KnownDevices> read = cache.read();
    if (!read || read->reports != known.reports) ++wrong;
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0) << "a reader saw half a file";
  EXPECT_EQ(std::distance(fs::directory_iterator(cache_folder()), {}), 1) << "a writer left its partial file";
}

TEST_F(DeviceCacheTest, ACancellationKeepsNothing) {
  const Cancellation cancellation;
  cancellation.cancel();
  const Error error = error_of([&] { known_devices({.cancellation = cancellation}); });
  EXPECT_EQ(error.kind(), ErrorKind::interrupted);
  EXPECT_FALSE(fs::exists(file()));
}

}  // namespace
}  // namespace accelerate::hardware
