// Counted host memory: every large allocation of the library goes through here, so that predictions can be checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace accelerate {

struct MemoryUse {
  std::int64_t current = 0;  // bytes held now
  std::int64_t peak = 0;     // most bytes held at once since the start or the last reset_peak_host_memory()
};

// Zeroed bytes, aligned to 64; Error{out_of_memory}. From 256 KiB on they lie in pages of their own, huge ones
// where the system has them (page_regions.hpp).
class HostBuffer {
 public:
  HostBuffer() = default;
  explicit HostBuffer(std::size_t size);
  HostBuffer(const HostBuffer&) = delete;
  HostBuffer& operator=(const HostBuffer&) = delete;
  HostBuffer(HostBuffer&& other) noexcept;
  HostBuffer& operator=(HostBuffer&& other) noexcept;
  ~HostBuffer();

  std::byte* data() { return data_; }
  const std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }
  std::span<std::byte> bytes() { return {data_, size_}; }
  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

// What HostBuffers hold in this process.
MemoryUse host_memory_use();
void reset_peak_host_memory();

// Resident size of this process in bytes, from the operating system: now and at most. Zeros where it does not say.
MemoryUse resident_memory();

}  // namespace accelerate
