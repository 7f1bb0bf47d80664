// The helper that the other files of this folder use, and what it promises.
#include "cli/process.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace accelerate::cli::test {
namespace {

struct Pipe {
  int read = -1, write = -1;
  Pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) std::abort();
    read = ends[0];
    write = ends[1];
  }
};

void close_end(int& end) {
  if (end >= 0) ::close(end);
  end = -1;
}

[[noreturn]] void become_program(const Call& call, const Pipe& in, const Pipe& out, const Pipe& err) {
  ::dup2(in.read, STDIN_FILENO);
  ::dup2(out.write, STDOUT_FILENO);
  ::dup2(err.write, STDERR_FILENO);
  if (!call.output.empty()) ::dup2(::open(call.output.c_str(), O_WRONLY | O_CREAT, 0666), STDOUT_FILENO);
  ::unsetenv("NO_COLOR");
  ::setenv("ACCELERATE_RECORDS", "off", 1);  // a test neither reads nor writes what its user measured
  ::setenv("ACCELERATE_CACHE", "off", 1);    // nor what its user's machine was found to have
  for (const std::string& variable : call.environment) {
    const std::size_t equals = variable.find('=');
    ::setenv(variable.substr(0, equals).c_str(), variable.substr(equals + 1).c_str(), 1);
  }
  std::vector<char*> words = {const_cast<char*>(ACCELERATE_PROGRAM)};
  for (const std::string& argument : call.arguments) words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  ::execv(ACCELERATE_PROGRAM, words.data());
  ::_exit(127);
}

// Feeds stdin and drains stdout and stderr until both are closed.
void talk(const Call& call, Pipe& in, Pipe& out, Pipe& err, Finished& finished) {
  std::size_t fed = 0;
  if (call.input.empty()) close_end(in.write);
  if (call.closes_output) close_end(out.read);
  while (out.read >= 0 || err.read >= 0) {
    std::array<pollfd, 3> waits = {pollfd{out.read, POLLIN, 0}, pollfd{err.read, POLLIN, 0},
                                   pollfd{in.write, POLLOUT, 0}};
    ::poll(waits.data(), waits.size(), -1);
    std::array<char, 65536> piece{};
    for (auto [end, text] : {std::pair(&out.read, &finished.out), std::pair(&err.read, &finished.err)}) {
      const pollfd& wait = end == &out.read ? waits[0] : waits[1];
      if (*end < 0 || wait.revents == 0) continue;
      const ssize_t got = ::read(*end, piece.data(), piece.size());
      if (got <= 0) close_end(*end);
      if (got > 0) text->append(piece.data(), static_cast<std::size_t>(got));
    }
    if (in.write < 0 || waits[2].revents == 0) continue;
    const ssize_t put = ::write(in.write, call.input.data() + fed, call.input.size() - fed);
    if (put > 0) fed += static_cast<std::size_t>(put);
    if (put < 0 || fed == call.input.size()) close_end(in.write);
  }
}

}  // namespace

Finished run_program(const Call& call) {
  std::signal(SIGPIPE, SIG_IGN);
  Pipe in, out, err;
  Finished finished;
  const auto start = std::chrono::steady_clock::now();
  const pid_t process = ::fork();
  if (process == 0) become_program(call, in, out, err);
  close_end(in.read);
  close_end(out.write);
  close_end(err.write);
  if (call.started) call.started(process);
  talk(call, in, out, err, finished);
  close_end(in.write);
  int status = 0;
  rusage used{};
  ::wait4(process, &status, 0, &used);
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
  finished.milliseconds = took.count();
  finished.peak_resident_kb = used.ru_maxrss;
  finished.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return finished;
}

Folder::Folder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "accelerate-cli-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) std::abort();
  path_ = pattern;
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::permissions(path_, std::filesystem::perms::owner_all, ignored);
  std::filesystem::remove_all(path_, ignored);
}

std::vector<std::string> Folder::names() const {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(path_))
    found.push_back(entry.path().filename().string());
  return found;
}

std::filesystem::path fixture(const std::string& name) {
  return std::filesystem::path(ACCELERATE_TESTS_DIR) / "goldens/models" / name;
}

std::filesystem::path copy_of(const std::string& name, const Folder& folder) {
  const std::filesystem::path copy = folder / name;
  std::filesystem::copy(fixture(name), copy, std::filesystem::copy_options::recursive);
  return copy;
}

void write(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

std::string read(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

TEST(Process, ReportsWhatTheProgramPrintedAndItsExitCode) {
  const Finished good = run_program({"--version"});
  EXPECT_EQ(good.code, 0);
  EXPECT_TRUE(good.out.starts_with("ipfs-accelerate ")) << good.out;
  EXPECT_EQ(good.err, "");
  const Finished bad = run_program({"--no-such-option"});
  EXPECT_EQ(bad.code, 2);
  EXPECT_EQ(bad.out, "");
  EXPECT_NE(bad.err, "");
}

}  // namespace accelerate::cli::test
