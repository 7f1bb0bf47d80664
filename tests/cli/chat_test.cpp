// `chat`: from a pipe, and at a terminal, where it goes on after what goes wrong.
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "cli/process.hpp"
#include "core/json.hpp"
#include "models/golden.hpp"

namespace accelerate::cli::test {
namespace {

class ChatCommandLine : public testing::Test {
 protected:
  ChatCommandLine() : model_(folder_ / "model"), saved_(folder_ / "saved.json") {
    std::filesystem::copy(decoders_folder() / "gpt2", model_, std::filesystem::copy_options::recursive);
    write(model_ / "chat_template.jinja", "{% for m in messages %}{{ m.content }} {% endfor %}");
  }

  std::vector<std::string> words() const {
    return {"chat",    model_.string(), "--max-new-tokens", "5", "--greedy", "--ignore-eos",
            "--quiet", "--save",        saved_.string()};
  }
  Json::Array messages() const { return Json::parse(read(saved_), "saved").items(); }

  const Folder folder_;
  const std::filesystem::path model_, saved_;
};

const std::string kTooLong = std::string(400, 'x');

TEST_F(ChatCommandLine, AnswersEachLineAndSaves) {
  const Finished done = run_program({.arguments = words(), .input = "Hello\n\"\"\"two\nlines\"\"\"\n/retry\n"});
  EXPECT_EQ(done.code, 0) << done.err;
  ASSERT_EQ(messages().size(), 4U);
  EXPECT_EQ(messages()[0].at("content").as_string(), "Hello");
  EXPECT_EQ(messages()[1].at("role").as_string(), "assistant");
  EXPECT_EQ(messages()[2].at("content").as_string(), "two\nlines");
  EXPECT_EQ(std::ranges::count(done.out, '\n'), 3) << done.out << "an answer more for /retry";
}

TEST_F(ChatCommandLine, WhatWasSaidIsSavedWhenItFails) {
  const Finished done = run_program({.arguments = words(), .input = "Hello\n" + kTooLong + "\nnever read\n"});
  EXPECT_EQ(done.code, 3) << done.err;
  EXPECT_NE(done.err.find("tokens, and the model takes 128"), std::string::npos) << done.err;
  EXPECT_EQ(messages().size(), 3U);
}

// The program at a terminal of its own.
class Terminal {
 public:
  explicit Terminal(const std::vector<std::string>& words) {
    std::vector<char*> arguments{const_cast<char*>(ACCELERATE_PROGRAM)};
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    process_ = forkpty(&descriptor_, nullptr, nullptr, nullptr);
    if (process_ != 0) return;
    ::setenv("ACCELERATE_RECORDS", "off", 1);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal() {
    if (!ended_) ::kill(process_, SIGKILL), ::waitpid(process_, nullptr, 0);
    ::close(descriptor_);
  }

  void type(const std::string& text) const {
    ASSERT_EQ(::write(descriptor_, text.data(), text.size()), std::ssize(text));
  }
  // Reads until `text` has come behind what was awaited before; false after 30 s.
  bool awaits(const std::string& text) {
    for (std::size_t found; (found = shown_.find(text, seen_)) == std::string::npos;) {
      char piece[4096];
      pollfd ready{.fd = descriptor_, .events = POLLIN, .revents = 0};
      if (::poll(&ready, 1, 30000) != 1) return false;
      const ssize_t count = ::read(descriptor_, piece, sizeof piece);
      if (count <= 0) return false;
      shown_.append(piece, static_cast<std::size_t>(count));
    }
    seen_ = shown_.find(text, seen_) + text.size();
    return true;
  }
  int exit_code() {
    int status = 0;
    for (int i = 0; i < 300 && !ended_; ++i) {
      ended_ = ::waitpid(process_, &status, WNOHANG) == process_;
      if (!ended_) ::usleep(100'000);
    }
    if (!ended_) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  const std::string& shown() const { return shown_; }

 private:
  int descriptor_ = -1;
  pid_t process_ = -1;
  bool ended_ = false;
  std::string shown_;
  std::size_t seen_ = 0;
};

TEST_F(ChatCommandLine, AtATerminalItGoesOnAfterAnErrorAndLeavesWithCtrlC) {
  Terminal terminal(words());
  ASSERT_TRUE(terminal.awaits("> "));
  terminal.type("Hello\n");
  ASSERT_TRUE(terminal.awaits("\n> ")) << terminal.shown();
  terminal.type(kTooLong + "\n");
  ASSERT_TRUE(terminal.awaits("error:")) << terminal.shown();
  ASSERT_TRUE(terminal.awaits("> ")) << terminal.shown();
  terminal.type("Again\n");
  ASSERT_TRUE(terminal.awaits("\n> ")) << terminal.shown();
  terminal.type("\x03");
  EXPECT_EQ(terminal.exit_code(), 0) << terminal.shown();
  ASSERT_EQ(messages().size(), 4U) << "without the line that was refused";
  EXPECT_EQ(messages()[2].at("content").as_string(), "Again");
}

}  // namespace
}  // namespace accelerate::cli::test
