// Jinja templates as jinja2 3.1 renders them in the environment that Transformers makes for chat templates:
// trim_blocks, lstrip_blocks, loopcontrols, `generation` blocks, a sandbox without changing methods.
// docs/chat-templates.md says what is known and what differs.
#pragma once

#include <cstddef>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/json.hpp"

namespace accelerate::text::jinja {

struct RenderOptions {
  // What a template may do before it is stopped: about one a node of it, and one for 32 bytes that it moves. A chat of
  // 100 messages takes some 30,000.
  std::size_t most_steps = 5'000'000;
  std::optional<std::tm> now;  // what strftime_now() tells; the local time unless given
};

// Copies share the tree. All methods are const and safe to call from several threads.
class Template {
 public:
  // `name` stands in errors, as "NAME:LINE". Error{corrupted} for what is no template.
  static Template parse(std::string_view source, std::string name);

  // The text for these variables, an object. Errors name the template and the line: invalid_input where the variables
  // do not suit it or it raises an exception itself, whose text is the message, or where it does too much; unsupported
  // for a filter or test that is not known.
  std::string render(const Json& variables, const RenderOptions& options = {}) const;

  const std::string& source() const;

 private:
  struct State;
  explicit Template(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

}  // namespace accelerate::text::jinja
