// Pages of memory for blocks side by side, so that huge ones hold several of them.
//
// Weights are read from end to end in every run. In pages of 4 KiB a processor looks up where each lies again and
// again, in a virtual machine twice over; blocks that are mapped one by one get huge pages (2 MiB) only where they
// happen to hold a whole one. In regions they nearly all have: MiniLM at 1 x 16 takes a seventh less time, a token of
// gpt2 after 512 a tenth (Emerald Rapids, virtual machine).
#pragma once

#include <cstddef>
#include <map>
#include <mutex>

namespace accelerate {

class PageRegions {
 public:
  // Zeroed, at a multiple of 4096; null where the system has no more.
  std::byte* take(std::size_t size);
  // What take() gave for this size. Whole pages go back to the system at once.
  void give_back(std::byte* data, std::size_t size);

 private:
  struct Region {
    std::size_t size = 0;
    std::map<std::byte*, std::size_t> free;  // what nobody has, by where it begins; never two that touch
  };
  std::byte* take_from(Region& region, std::size_t size);
  std::byte* map_region(std::size_t size);

  std::mutex mutex_;
  std::map<std::byte*, Region> regions_;
};

}  // namespace accelerate
