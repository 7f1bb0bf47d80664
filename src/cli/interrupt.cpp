#include "cli/interrupt.hpp"

#include <csignal>

namespace accelerate::cli {
namespace {

volatile std::sig_atomic_t received = 0;
const Cancellation* cancellation = nullptr;

void on_signal(int number) {
  received = number;
  if (cancellation != nullptr) cancellation->cancel();
}

}  // namespace

Cancellation install_signal_handlers() {
  static const Cancellation shared;
  cancellation = &shared;
  struct sigaction action {};
  action.sa_handler = on_signal;
  // No SA_RESTART: a read that waits for a terminal must end.
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return shared;
}

int signal_received() { return received; }

}  // namespace accelerate::cli
