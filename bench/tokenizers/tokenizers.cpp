// Seconds that a tokenizer needs to open and to encode every line of a text, as one JSON object.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string_view>
#include <vector>

#include "core/file.hpp"
#include "text/tokenizer.hpp"

namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int main(int argc, char** argv) {
  using namespace accelerate;
  if (argc != 4) {
    std::fprintf(stderr, "usage: %s FOLDER TEXT ids|full\n", argv[0]);
    return 2;
  }
  try {
    const std::string text = read_file(argv[2]);
    std::vector<text::TextInput> lines;
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      lines.push_back({std::string_view(text).substr(begin, end - begin)});
      begin = end + 1;
    }
    auto start = std::chrono::steady_clock::now();
    const text::Tokenizer tokenizer = text::Tokenizer::open(argv[1]);
    const double open = seconds_since(start);
    std::vector<double> runs;
    std::size_t tokens = 0, checksum = 0;
    for (int run = 0; run < 3; ++run) {
      tokens = checksum = 0;
      start = std::chrono::steady_clock::now();
      if (std::string_view(argv[3]) == "ids") {
        const text::RaggedIds rows = tokenizer.encode_ids(lines);
        tokens = rows.ids.size();
        for (const std::int32_t id : rows.ids) checksum += static_cast<std::size_t>(id);
      } else {
        for (const text::TextInput& line : lines) {
          const text::Encoding encoding = tokenizer.encode(line.text);
          tokens += encoding.ids.size();
          for (const std::int32_t id : encoding.ids) checksum += static_cast<std::size_t>(id);
        }
      }
      runs.push_back(seconds_since(start));
    }
    std::sort(runs.begin(), runs.end());
    std::printf("{\"open\": %.6f, \"encode\": %.6f, \"tokens\": %zu, \"checksum\": %zu}\n", open, runs[1], tokens,
                checksum);
  } catch (const Error& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
  return 0;
}
