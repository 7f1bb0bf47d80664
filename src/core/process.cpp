#include "core/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "accelerate/error.hpp"
#include "core/variables.hpp"

namespace accelerate {
namespace {

using Clock = std::chrono::steady_clock;

// How long a cancellation, or the end of a program that closed its output, may go unseen.
constexpr int kLook = 20, kShortLook = 1;  // milliseconds
constexpr std::chrono::milliseconds kLongestLook{1000};
constexpr std::size_t kKeptOfErrors = 4096;

// The end that this process reads; the other one goes to the child.
class Pipe {
 public:
  Pipe() {
    if (::pipe2(ends_.data(), O_CLOEXEC) != 0) {
      throw Error(ErrorKind::unavailable, std::string("no pipe can be made: ") + std::strerror(errno));
    }
    ::fcntl(ends_[0], F_SETFL, O_NONBLOCK);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close(ends_[0]);
    close(ends_[1]);
  }

  int write_end() const { return ends_[1]; }
  void close_write_end() { close(ends_[1]); }
  // -1 once everything was read and nobody writes any more.
  int read_end() const { return ends_[0]; }
  // What is there, but not for ever from somebody who writes faster: about `most` bytes.
  void read_into(std::string& text, std::size_t most) {
    std::array<char, 16384> piece{};
    for (std::size_t taken = 0; ends_[0] >= 0 && taken <= most; taken += piece.size()) {
      const ssize_t got = ::read(ends_[0], piece.data(), piece.size());
      if (got > 0) text.append(piece.data(), static_cast<std::size_t>(got));
      if (got > 0 || (got < 0 && errno == EINTR)) continue;
      if (got < 0 && errno == EAGAIN) return;
      close(ends_[0]);
    }
  }

 private:
  static void close(int& end) {
    if (end >= 0) ::close(end);
    end = -1;
  }
  std::array<int, 2> ends_{-1, -1};
};

// What posix_spawn is told, released with it.
class SpawnSettings {
 public:
  SpawnSettings(int out, int err) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, err, STDERR_FILENO);
    posix_spawnattr_init(&attributes_);
    // What this process ignores (SIGPIPE) must not be ignored there.
    sigset_t defaults, none;
    sigemptyset(&none);
    sigemptyset(&defaults);
    for (const int number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGQUIT}) sigaddset(&defaults, number);
    posix_spawnattr_setsigdefault(&attributes_, &defaults);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

// The leader of a process group of its own, so that what it starts goes with it.
class Child {
 public:
  Child(const std::filesystem::path& program, const std::vector<std::string>& arguments, Pipe& out, Pipe& err) {
    const SpawnSettings settings(out.write_end(), err.write_end());
    std::vector<char*> words = {const_cast<char*>(program.c_str())};
    for (const std::string& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
    words.push_back(nullptr);
    const int failed = ::posix_spawn(&id_, program.c_str(), settings.actions(), settings.attributes(), words.data(),
                                     environment_block());
    if (failed != 0) {
      throw Error(ErrorKind::not_found, std::string("cannot be started: ") + std::strerror(failed), program.string());
    }
    out.close_write_end();
    err.close_write_end();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() { end(); }

  // Looks without taking its status, so that its number stays its own until end().
  bool has_ended() const {
    siginfo_t info{};
    const int answer = ::waitid(P_PID, static_cast<id_t>(id_), &info, WEXITED | WNOHANG | WNOWAIT);
    // ECHILD: this process ignores its children, or somebody else waited for it. How it ended is then not known.
    return answer < 0 ? errno == ECHILD : info.si_pid == id_;
  }
  // Kills what is left of the group and waits; what waitpid() says, 0 where it does not know.
  int end() {
    if (id_ < 0) return status_;
    ::kill(-id_, SIGKILL);
    while (::waitpid(id_, &status_, 0) < 0 && errno == EINTR) {
    }
    id_ = -1;
    return status_;
  }

 private:
  pid_t id_ = -1;
  int status_ = 0;
};

void keep_last(std::string& text, std::size_t most) {
  if (text.size() > most) text.erase(0, text.size() - most);
}

// Listens until the child has ended or must be ended; false: it must be.
bool listen(const Child& child, Pipe& out, Pipe& err, const ProcessOptions& options, ProcessResult& result) {
  Clock::duration waited{};
  for (auto before = Clock::now(); !child.has_ended();) {
    options.cancellation.check();
    // While this process itself stood still (stopped, or the machine slept), the child did so too.
    const auto now = Clock::now();
    waited += std::min<Clock::duration>(now - std::exchange(before, now), kLongestLook);
    if (waited >= options.limit) {
      result.end = ProcessResult::End::timed_out;
      return false;
    }
    std::array<pollfd, 2> waits = {pollfd{out.read_end(), POLLIN, 0}, pollfd{err.read_end(), POLLIN, 0}};
    ::poll(waits.data(), waits.size(), out.read_end() < 0 && err.read_end() < 0 ? kShortLook : kLook);
    out.read_into(result.out, options.most_output);
    err.read_into(result.err, options.most_output);
    keep_last(result.err, kKeptOfErrors);
    if (result.out.size() > options.most_output) {
      result.end = ProcessResult::End::flooded;
      return false;
    }
  }
  return true;
}

}  // namespace

ProcessResult run_process(const std::filesystem::path& program, const ProcessOptions& options) {
  // Before it starts: one that is quick would have ended before anybody looked.
  options.cancellation.check();
  Pipe out, err;
  Child child(program, options.arguments, out, err);
  ProcessResult result;
  const bool ended = listen(child, out, err, options, result);
  const int status = child.end();
  // What it wrote last; nothing waits for others that may still hold the pipes.
  out.read_into(result.out, options.most_output);
  err.read_into(result.err, options.most_output);
  keep_last(result.err, kKeptOfErrors);
  if (!ended) return result;
  result.end = WIFSIGNALED(status) ? ProcessResult::End::signalled : ProcessResult::End::exited;
  result.code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
  return result;
}

}  // namespace accelerate
