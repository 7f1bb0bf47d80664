// A trie over bytes: the values of all keys that begin a text, in time linear in their length.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

namespace accelerate::text {

// Children of a node lie side by side, so a node needs only where they begin; nodes with many have a table of 256, and
// what follows where only one key is left is kept as bytes.
// (A double-array trie walks no faster here and takes far longer to build.)
class Trie {
 public:
  // Keys need not be sorted; of equal keys the last value counts. Values are not negative. Empty keys are left out.
  void build(std::vector<std::pair<std::string_view, std::int32_t>> entries);
  bool empty() const { return nodes_.size() <= 1 && nodes_[0].count == 0; }

  // A place in the trie while a text is walked.
  using Node = std::uint32_t;
  static constexpr Node kRoot = 0;
  // Follows one byte; false where no key goes on that way.
  bool step(Node& node, unsigned char byte) const {
    if ((node & kInTail) != 0) return step_in_tail(node, node & ~kInTail, byte);
    const Unit& unit = nodes_[node];
    if (unit.count == kTail) return step_in_tail(node, unit.first, byte);
    if (unit.table != 0) {
      const std::uint8_t child = tables_[unit.table - 1][byte];
      if (child == 0) return false;
      node = unit.first + child - 1;
      return true;
    }
    for (std::uint32_t i = 0; i < unit.count; ++i) {
      if (labels_[unit.first + i] == byte) {
        node = unit.first + i;
        return true;
      }
    }
    return false;
  }
  // The value of the key that ends here, or -1.
  std::int32_t value(Node node) const {
    if ((node & kInTail) == 0) return nodes_[node].value;
    const std::uint32_t at = node & ~kInTail;
    if (tails_[at] != kTailEnd) return -1;
    std::int32_t value = -1;
    std::memcpy(&value, tails_.data() + at + 1, sizeof value);
    return value;
  }

 private:
  // A tail ends with a byte that UTF-8 has not, and the value; keys that do have that byte get no tail.
  static constexpr std::uint32_t kInTail = 1U << 31, kTail = 0xffffffff;
  static constexpr unsigned char kTailEnd = 0xff;
  bool step_in_tail(Node& node, std::uint32_t at, unsigned char byte) const {
    if (tails_[at] != byte || byte == kTailEnd) return false;
    node = kInTail | (at + 1);
    return true;
  }

  struct Unit {
    std::uint32_t first = 0;
    std::int32_t value = -1;
    std::uint32_t count = 0;  // kTail: `first` is where the tail begins
    std::uint32_t table = 0;  // one more than its index, 0 for none
  };
  void add_child(Unit& unit, unsigned char byte);
  void add_tail(Unit& unit, std::string_view rest, std::int32_t value);

  std::vector<Unit> nodes_{Unit{}};
  std::vector<unsigned char> labels_{0};  // the byte that leads to each node
  std::vector<unsigned char> tails_;
  std::vector<std::array<std::uint8_t, 256>> tables_;
};

}  // namespace accelerate::text
