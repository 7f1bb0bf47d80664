// `chat`: lines from the terminal, answers as they come.
#include <poll.h>
#include <unistd.h>

#include <iostream>

#include "cli/arguments.hpp"
#include "cli/device_print.hpp"
#include "cli/execute.hpp"
#include "cli/exit_code.hpp"
#include "cli/generation.hpp"
#include "cli/interrupt.hpp"
#include "core/file.hpp"

namespace accelerate::cli {
namespace {

constexpr std::string_view kHelp =
    "A line is a message; \"\"\" begins and ends one of several lines. Ctrl-C stops an answer.\n"
    "/reset forgets the chat, /retry answers the last message again, /quit (or Ctrl-D) leaves.";
constexpr std::size_t kAnswerTokens = 1024;  // at most, unless told otherwise

class Conversation {
 public:
  Conversation(const ChatCommand& command, Output& out)
      : command_(command),
        out_(out),
        is_terminal_(::isatty(STDIN_FILENO) == 1),
        model_(Model::open(command.model, open_options(command.execution))),
        draft_(draft_model(command.generation, command.execution)) {
    reset();
  }

  int run() {
    model_.prepare("text-generation");
    note_devices(model_.info(), command_.execution.explain, out_);
    if (is_terminal_) out_.note(std::string(kHelp));
    try {
      talk();
    } catch (...) {
      save();
      throw;
    }
    save();
    return kExitOk;
  }

 private:
  void talk() {
    while (const std::optional<std::string> message = next_message()) {
      if (*message == "/quit") break;
      if (*message == "/reset") {
        reset();
        continue;
      }
      if (*message == "/retry") {
        if (!take_back("assistant")) out_.note("there is nothing to answer again");
        if (messages_.items().empty() || messages_.items().back().at("role").as_string() != "user") continue;
      } else if (!message->empty()) {
        say("user", *message);
      } else {
        continue;
      }
      try {
        answer();
      } catch (const Error& error) {
        // Who types goes on: with a shorter message, or after /reset.
        if (!is_terminal_) throw;
        print_error(error.what());
        take_back("user");
      }
      // The one that stopped an answer is spent; the next one leaves the chat.
      install_signal_handlers();
    }
  }

  void say(const std::string& role, const std::string& content) {
    Json message;
    messages_.push(message.set("role", role).set("content", content));
  }

  void reset() {
    messages_ = Json::array();
    if (command_.system) say("system", *command_.system);
  }

  // The last message is taken back, if it is one of this role.
  bool take_back(std::string_view role) {
    const Json::Array& all = messages_.items();
    if (all.empty() || all.back().at("role").as_string() != role) return false;
    Json shorter = Json::array();
    for (std::size_t i = 0; i + 1 < all.size(); ++i) shorter.push(all[i]);
    messages_ = std::move(shorter);
    return true;
  }

  // Waits for a line at a terminal, which gives them whole; false once a signal came, just before the waiting too.
  bool may_read() const {
    constexpr int kLook = 100;  // milliseconds
    pollfd line{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    while (is_terminal_ && signal_received() == 0) {
      if (::poll(&line, 1, kLook) > 0) return true;
    }
    return !is_terminal_;
  }

  std::optional<std::string> next_line() {
    if (is_terminal_) out_.stream("> ");
    std::string line;
    if (may_read() && std::getline(std::cin, line)) return line;
    if (is_terminal_) out_.stream("\n");
    return std::nullopt;
  }

  std::optional<std::string> next_message() {
    constexpr std::string_view kQuotes = "\"\"\"";
    std::optional<std::string> line = next_line();
    if (!line || !line->starts_with(kQuotes)) return line;
    std::string message = line->substr(kQuotes.size());
    while (!message.ends_with(kQuotes)) {
      line = next_line();
      if (!line) return message;
      message += "\n" + *line;
    }
    message.resize(message.size() - kQuotes.size());
    return message;
  }

  void answer() {
    GenerateOptions options = generate_options(command_.generation, command_.top_k);
    if (!options.max_new_tokens) options.max_new_tokens = kAnswerTokens;
    options.on_text = [this](const TextPiece& piece) { out_.stream(piece.text); };
    if (draft_) options.assistant_model = &*draft_;
    // One signal stops one answer; the handler is set anew for each.
    options.cancellation = install_signal_handlers();
    const std::vector<Prompt> prompt{
        {.text = chat_prompt(command_.model, messages_.dump(), {.template_name = command_.chat_template}),
         .add_special_tokens = false}};
    const Generations found = model_.generate(prompt, options);
    const GeneratedText& text = found.texts[0][0];
    out_.stream("\n");
    say("assistant", text.text);
    if (text.reason == StopReason::cancelled) out_.note("stopped");
    if (text.reason == StopReason::length) out_.note("the answer was cut at the most tokens it may have");
    if (command_.stats) out_.note(text_of(found.times));
  }

  void save() const {
    if (!command_.save) return;
    AtomicFile file(*command_.save);
    file.write(messages_.dump(2) + "\n");
    file.commit();
  }

  const ChatCommand& command_;
  Output& out_;
  bool is_terminal_;
  Model model_;
  std::optional<Model> draft_;  // guesses tokens
  Json messages_;
};

}  // namespace

int chat(const ChatCommand& command, Output& out) {
  if (out.wants_json()) throw UsageError{"chat has no --json", "`run MODEL --chat FILE --json` answers a chat"};
  return Conversation(command, out).run();
}

}  // namespace accelerate::cli
