// What `inspect` predicts for runtimes beside what a run makes resident.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <random>

#include "backends/runtime_libraries.hpp"
#include "checkpoint/temporary_folder.hpp"
#include "cli/sparse_model.hpp"

namespace accelerate::cli::test {
namespace {

constexpr std::int64_t kMebibyte = 1 << 20;

// ONNX Runtime keeps weights that are alike once: these are not.
void fill_with_numbers(const std::filesystem::path& weights) {
  std::fstream file(weights, std::ios::in | std::ios::out | std::ios::binary);
  std::uint64_t header = 0;
  file.read(reinterpret_cast<char*>(&header), sizeof header);
  file.seekp(static_cast<std::streamoff>(sizeof header + header));
  std::minstd_rand random(7);
  std::vector<float> numbers(1 << 16);
  for (auto left = std::filesystem::file_size(weights) - sizeof header - header; left > 0;) {
    for (float& number : numbers) number = static_cast<float>(random() % 1000) / 1e5F;
    const auto bytes = std::min<std::uintmax_t>(left, numbers.size() * sizeof(float));
    file.write(reinterpret_cast<const char*>(numbers.data()), static_cast<std::streamsize>(bytes));
    left -= bytes;
  }
}

class PredictedMemory : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (const std::string why = accelerate::test::missing_library(GetParam()); !why.empty()) GTEST_SKIP() << why;
    fill_with_numbers(model_ / "model.safetensors");
  }

  Json predicted(std::int64_t batch, std::int64_t tokens) const {
    const Finished seen = run_program({"inspect", model_.string(), "--device", GetParam(), "--precision", "f32",
                                       "--batch", std::to_string(batch), "--tokens", std::to_string(tokens), "--json"});
    EXPECT_EQ(seen.code, 0) << seen.err;
    return Json::parse(seen.out, "inspect").at("memory").items().at(0);
  }

  // The most that is resident beyond what the program itself takes.
  std::int64_t taken(std::int64_t batch, std::int64_t tokens) const {
    std::string text = "a";
    for (std::int64_t i = 3; i < tokens; ++i) text += " a";
    std::vector<std::string> words = {"run", model_.string(), "--device", GetParam(), "--repeat", "2", "--json"};
    words.insert(words.end(), static_cast<std::size_t>(batch), text);
    const Finished ran = run_program(words);
    EXPECT_EQ(ran.code, 0) << ran.err;
    const long itself = run_program({"inspect", model_.string(), "--device", "cpu"}).peak_resident_kb;
    return 1024 * (ran.peak_resident_kb - itself);
  }

  const Folder folder_;
  const std::filesystem::path model_ = sparse_bert(folder_, 512, 6, 700);
};

// To 15 % or 25 MiB, whichever is more; pages of the checkpoint are resident or not, as the system likes.
TEST_P(PredictedMemory, IsWhatARunTakes) {
  if (kSanitized) return;  // a sanitizer's own memory is no part of it
  for (const auto& [batch, tokens] : std::vector<std::pair<std::int64_t, std::int64_t>>{{1, 16}, {8, 128}, {2, 512}}) {
    const Json memory = predicted(batch, tokens);
    EXPECT_TRUE(memory.at("estimated").as_bool());
    const std::int64_t total = memory.at("total").as_int(), used = taken(batch, tokens);
    const std::int64_t room = std::max(25 * kMebibyte, total * 15 / 100);
    const std::string what = std::to_string(batch) + " x " + std::to_string(tokens) + ": predicted " +
                             std::to_string(total / kMebibyte) + " MiB, resident " + std::to_string(used / kMebibyte);
    RecordProperty("memory_" + std::to_string(batch) + "x" + std::to_string(tokens), what);
    EXPECT_GE(used, total - room) << what;
    EXPECT_LE(used, total + room + memory.at("mapped").as_int()) << what;
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, PredictedMemory, testing::Values("onnx", "openvino"),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace accelerate::cli::test
