#include "core/memory.hpp"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "accelerate/error.hpp"
#include "core/page_regions.hpp"

namespace accelerate {
namespace {

constexpr std::size_t kPagesFrom = std::size_t{256} << 10;  // from here on pages go back to the system when freed

std::atomic<std::int64_t> current_bytes{0};
std::atomic<std::int64_t> peak_bytes{0};

void count(std::int64_t change) {
  const std::int64_t now = current_bytes.fetch_add(change, std::memory_order_relaxed) + change;
  std::int64_t peak = peak_bytes.load(std::memory_order_relaxed);
  while (now > peak && !peak_bytes.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
  }
}

[[noreturn]] void fail(std::size_t size) {
  throw Error(ErrorKind::out_of_memory, "could not allocate " + std::to_string(size) + " bytes of host memory");
}

// Never destroyed: buffers of static life go later.
PageRegions& regions() {
  static auto& all = *new PageRegions;
  return all;
}

}  // namespace

HostBuffer::HostBuffer(std::size_t size) : size_(size) {
  if (size == 0) return;
  if (size >= kPagesFrom) {
    data_ = regions().take(size);
  } else {
    data_ = static_cast<std::byte*>(std::aligned_alloc(64, (size + 63) / 64 * 64));
    if (data_ != nullptr) std::memset(data_, 0, size);
  }
  if (data_ == nullptr) fail(size);
  count(static_cast<std::int64_t>(size));
}

HostBuffer::HostBuffer(HostBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

HostBuffer& HostBuffer::operator=(HostBuffer&& other) noexcept {
  HostBuffer taken(std::move(other));  // what was held before is given back here, not when the other goes
  std::swap(data_, taken.data_);
  std::swap(size_, taken.size_);
  return *this;
}

HostBuffer::~HostBuffer() {
  if (data_ == nullptr) return;
  count(-static_cast<std::int64_t>(size_));
  if (size_ >= kPagesFrom) {
    regions().give_back(data_, size_);
  } else {
    std::free(data_);
  }
}

MemoryUse host_memory_use() { return {current_bytes.load(), peak_bytes.load()}; }

void reset_peak_host_memory() { peak_bytes.store(current_bytes.load()); }

MemoryUse resident_memory() {
  MemoryUse use;
  std::FILE* status = std::fopen("/proc/self/status", "r");
  if (status == nullptr) return use;
  char line[256];
  long long kib = 0;
  while (std::fgets(line, sizeof line, status) != nullptr) {
    if (std::sscanf(line, "VmRSS: %lld kB", &kib) == 1) use.current = kib * 1024;
    if (std::sscanf(line, "VmHWM: %lld kB", &kib) == 1) use.peak = kib * 1024;
  }
  std::fclose(status);
  return use;
}

}  // namespace accelerate
