// What the tests of records share: a folder of their own, records to put in, processes that end as told.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "checkpoint/temporary_folder.hpp"
#include "core/file.hpp"
#include "records/records.hpp"

namespace accelerate::records::test {

namespace fs = std::filesystem;

using Folder = TemporaryFolder;

inline std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> found;
  for (const auto& each : fs::directory_iterator(folder)) found.push_back(each.path().filename().string());
  std::sort(found.begin(), found.end());
  return found;
}

inline std::string read(const fs::path& path) { return read_file(path); }

inline std::string hash_of(char digit) { return std::string(64, digit); }

inline Record record_with(Content content, std::string precision = "f32", char model = 'a') {
  Record record;
  record.model = {.content_hash = hash_of(model), .model_type = "kind", .parameters = 1000, .path = "/models/one"};
  record.device = {.name = "cpu", .level = "avx2"};
  record.precision = std::move(precision);
  record.content = std::move(content);
  return record;
}

inline Measurement measurement(std::int64_t batch = 1, double p50 = 10) {
  return {.workload = "random tokens",
          .batch = batch,
          .tokens = 128,
          .rows = batch * 128,
          .threads = 2,
          .samples = 20,
          .p50_ms = p50,
          .p90_ms = p50 * 1.1,
          .p99_ms = p50 * 1.2,
          .spread = 0.01,
          .throughput_per_s = 1000.0 / p50};
}

inline Agreement agreement(double cosine = 0.9995, bool within = true) {
  return {.reference = "own f32",
          .weights = "trained",
          .inputs = "8 sentences",
          .cases = 8,
          .worst_cosine = cosine,
          .mean_cosine = cosine,
          .bound = {.cosine = 0.999},
          .within_bound = within};
}

// Runs `body` in a process of its own.
inline pid_t start_process(const std::function<void()>& body) {
  const pid_t process = fork();
  if (process != 0) return process;
  int code = 0;
  try {
    body();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    code = 1;
  }
  // Not exit(): what the parent has open is the parent's to close.
  _exit(code);
}

// Its exit code, or 128 + the signal that ended it.
inline int finished(pid_t process) {
  int status = 0;
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// A way for one process to tell another that it has come to a place.
class Pipe {
 public:
  Pipe() {
    if (pipe(ends_) != 0) throw std::runtime_error("no pipe");
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  void put(const std::string& text) const {
    if (::write(ends_[1], text.data(), text.size()) != static_cast<ssize_t>(text.size())) _exit(3);
  }
  // Waits for that many bytes; fewer once all writers have gone.
  std::string take(std::size_t bytes) const {
    std::string text(bytes, '\0');
    std::size_t done = 0;
    while (done < bytes) {
      const ssize_t got = ::read(ends_[0], text.data() + done, bytes - done);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) break;
      done += static_cast<std::size_t>(got);
    }
    text.resize(done);
    return text;
  }
  // After a fork: this process only takes.
  void close_writing() {
    ::close(ends_[1]);
    ends_[1] = -1;
  }

 private:
  int ends_[2] = {-1, -1};
};

}  // namespace accelerate::records::test
