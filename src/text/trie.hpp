// A double-array trie over bytes (Aoe 1989): the values of all keys that begin a text, in time linear in their length.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace accelerate::text {

class Trie {
 public:
  // Keys need not be sorted; of equal keys the last value counts. Values are not negative. Empty keys are left out.
  void build(std::vector<std::pair<std::string_view, std::int32_t>> entries);
  bool empty() const { return units_.size() <= 1; }

  // A place in the trie while a text is walked.
  using Node = std::uint32_t;
  static constexpr Node kRoot = 0;
  // Follows one byte; false where no key goes on that way.
  bool step(Node& node, unsigned char byte) const {
    const std::uint32_t next = units_[node].base + byte;
    if (next >= units_.size() || units_[next].parent != node) return false;
    node = next;
    return true;
  }
  // The value of the key that ends here, or -1.
  std::int32_t value(Node node) const { return values_[node]; }

 private:
  struct Unit {
    std::uint32_t base = 0;
    std::uint32_t parent = kNone;
  };
  static constexpr std::uint32_t kNone = 0xffffffff;
  std::vector<Unit> units_{Unit{}};
  std::vector<std::int32_t> values_{-1};
};

}  // namespace accelerate::text
