// Memory that goes from run to run: given out, and used again once nobody has it any more.
#pragma once

#include <memory>
#include <mutex>

#include "core/memory.hpp"

namespace accelerate {

// Holds one buffer at most, the one that came back last. From several threads; buffers may outlive it.
class LentMemory {
 public:
  // `bytes` of any content, aligned to 64; Error{out_of_memory}. They come back when the last copy goes. What is held
  // and has another size is freed before.
  std::shared_ptr<HostBuffer> lend(std::size_t bytes) {
    HostBuffer buffer = held_->take();
    if (buffer.size() != bytes) {
      buffer = HostBuffer();
      buffer = HostBuffer(bytes);
    }
    return {new HostBuffer(std::move(buffer)), Return{held_}};
  }

 private:
  struct Held {
    std::mutex mutex;
    HostBuffer buffer;

    HostBuffer take() {
      const std::lock_guard lock(mutex);
      return std::move(buffer);
    }
    void put(HostBuffer&& returned) {
      const std::lock_guard lock(mutex);
      buffer = std::move(returned);
    }
  };
  struct Return {
    std::weak_ptr<Held> held;

    void operator()(HostBuffer* buffer) const {
      const std::unique_ptr<HostBuffer> owned(buffer);
      if (const std::shared_ptr<Held> to = held.lock()) to->put(std::move(*owned));
    }
  };

  std::shared_ptr<Held> held_ = std::make_shared<Held>();
};

}  // namespace accelerate
