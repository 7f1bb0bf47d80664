#include "core/page_regions.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <iterator>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ACCELERATE_ADDRESS_SANITIZER
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ACCELERATE_ADDRESS_SANITIZER
#endif
#ifdef ACCELERATE_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#endif

namespace accelerate {
namespace {

constexpr std::size_t kPage = 4096, kHugePage = std::size_t{2} << 20;
constexpr std::size_t kRegion = std::size_t{64} << 20;  // at least: addresses, not memory

std::size_t rounded(std::size_t size, std::size_t step) { return (size + step - 1) / step * step; }

#ifdef ACCELERATE_ADDRESS_SANITIZER
// Bytes that nobody may touch follow each block.
std::size_t with_margin(std::size_t size) { return size + kPage; }
void forbid(const std::byte* data, std::size_t size) { __asan_poison_memory_region(data, size); }
void allow(const std::byte* data, std::size_t size) { __asan_unpoison_memory_region(data, size); }
#else
std::size_t with_margin(std::size_t size) { return size; }
void forbid(const std::byte*, std::size_t) {}
void allow(const std::byte*, std::size_t) {}
#endif

// Fresh pages, of zeros, when they are touched again.
void clear(std::byte* data, std::size_t size) {
#ifdef __linux__
  madvise(data, size, MADV_DONTNEED);
#else
  mmap(data, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
#endif
}

}  // namespace

std::byte* PageRegions::take(std::size_t size) {
  if (size > PTRDIFF_MAX) return nullptr;
  const std::size_t whole = rounded(with_margin(size), kPage);
  const std::lock_guard lock(mutex_);
  std::byte* data = nullptr;
  for (auto each = regions_.begin(); data == nullptr && each != regions_.end(); ++each) {
    data = take_from(each->second, whole);
  }
  if (data == nullptr) {
    std::byte* begin = map_region(std::max(kRegion, rounded(whole, kHugePage)));
    if (begin == nullptr) return nullptr;
    data = take_from(regions_.at(begin), whole);
  }
  allow(data, size);
  return data;
}

// The first place that is large enough: what is used stays together.
std::byte* PageRegions::take_from(Region& region, std::size_t size) {
  const auto found = std::ranges::find_if(region.free, [&](const auto& each) { return each.second >= size; });
  if (found == region.free.end()) return nullptr;
  const auto [data, room] = *found;
  region.free.erase(found);
  if (room > size) region.free.emplace(data + size, room - size);
  return data;
}

std::byte* PageRegions::map_region(std::size_t size) {
  // With room to begin at a multiple of a huge page.
  void* mapped = mmap(nullptr, size + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  auto* first = static_cast<std::byte*>(mapped);
  const std::size_t before =
      rounded(reinterpret_cast<std::uintptr_t>(first), kHugePage) - reinterpret_cast<std::uintptr_t>(first);
  if (before > 0) munmap(first, before);
  if (before < kHugePage) munmap(first + before + size, kHugePage - before);
#ifdef MADV_HUGEPAGE
  madvise(first + before, size, MADV_HUGEPAGE);
#endif
  forbid(first + before, size);
  regions_[first + before] = {.size = size, .free = {{first + before, size}}};
  return first + before;
}

void PageRegions::give_back(std::byte* data, std::size_t size) {
  const std::size_t whole = rounded(with_margin(size), kPage);
  const std::lock_guard lock(mutex_);
  const auto owner = std::prev(regions_.upper_bound(data));
  std::map<std::byte*, std::size_t>& free = owner->second.free;
  const auto next = free.lower_bound(data);
  std::byte* begin = data;
  std::size_t room = whole;
  if (next != free.end() && next->first == data + whole) room += next->second;
  if (next != free.begin()) {
    const auto before = std::prev(next);
    if (before->first + before->second == data) {
      begin = before->first;
      room += before->second;
    }
  }
  if (room == owner->second.size) {
    allow(owner->first, room);  // whatever is mapped there next
    munmap(owner->first, room);
    regions_.erase(owner);
    return;
  }
  if (next != free.end() && next->first == data + whole) free.erase(next);
  free[begin] = room;
  clear(data, whole);
  forbid(data, whole);
}

}  // namespace accelerate
