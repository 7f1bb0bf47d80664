// Long work says how far it is and can be stopped.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include "accelerate/error.hpp"
#include "accelerate/export.hpp"

namespace accelerate {

// Called from the thread that does the work: `done` of `total` items (texts, bytes, cases) are finished.
using Progress = std::function<void(std::int64_t done, std::int64_t total)>;

// A flag shared between who asks to stop and who does the work. Copies share it; setting it is safe in a signal
// handler.
class ACCELERATE_API Cancellation {
 public:
  void cancel() const noexcept { flag_->store(true, std::memory_order_relaxed); }
  bool cancelled() const noexcept { return flag_->load(std::memory_order_relaxed); }
  // Error{interrupted} once cancelled.
  void check() const {
    if (cancelled()) throw Error(ErrorKind::interrupted, "stopped on request");
  }

 private:
  std::shared_ptr<std::atomic<bool>> flag_ = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace accelerate
