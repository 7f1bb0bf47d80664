// What statements that open scopes and make functions share.
#pragma once

#include <memory>
#include <utility>

#include "text/jinja/interpreter.hpp"

namespace accelerate::text::jinja {

// The scope inside another one while it lives.
class InnerScope {
 public:
  InnerScope(std::shared_ptr<Scope>& current, std::shared_ptr<const Scope> parent)
      : current_(current), outer_(std::exchange(current, std::make_shared<Scope>())) {
    current_->parent = parent ? std::move(parent) : outer_;
  }
  InnerScope(const InnerScope&) = delete;
  InnerScope& operator=(const InnerScope&) = delete;
  ~InnerScope() { current_ = outer_; }

 private:
  std::shared_ptr<Scope>& current_;
  std::shared_ptr<Scope> outer_;
};

inline Value callable(std::string name, std::function<Value(Interpreter&, const Arguments&)> call,
                      std::uint32_t depth = 0) {
  Callable made{.name = std::move(name), .call = std::move(call), .attribute = {}, .depth = depth};
  return std::make_shared<const Callable>(std::move(made));
}

}  // namespace accelerate::text::jinja
