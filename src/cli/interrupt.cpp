#include "cli/interrupt.hpp"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <deque>
#include <string_view>

#include "cli/exit_code.hpp"

namespace accelerate::cli {
namespace {

volatile std::sig_atomic_t received = 0;
std::atomic<const Cancellation*> cancellation = nullptr;

void on_signal(int number) {
  received = number;
  if (const Cancellation* current = cancellation) current->cancel();
}

// A mapped file that became shorter meanwhile: the missing page cannot be given, so the program ends here. Only calls
// that are safe in a signal handler.
void on_lost_page(int) {
  constexpr std::string_view kMessage =
      "error: a model file became shorter while it was read\n  hint: copy it whole, then run again\n";
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, kMessage.data(), kMessage.size());
  _exit(exit_code_of(ErrorKind::corrupted));
}

}  // namespace

Cancellation install_signal_handlers() {
  // The handler may be at the old one still: none is ever freed. There are as many as answers in a chat.
  static std::deque<Cancellation> all;
  cancellation = &all.emplace_back();
  received = 0;
  struct sigaction action {};
  action.sa_handler = on_signal;
  // No SA_RESTART: a read that waits for a terminal must end.
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGBUS, on_lost_page);
  return all.back();
}

int signal_received() { return received; }

}  // namespace accelerate::cli
