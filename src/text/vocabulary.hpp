// Tokens and their ids, both ways, in flat memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace accelerate::text {

// 64-bit hash of bytes, the same in every run.
std::uint64_t hash_bytes(std::string_view bytes);

// A map from strings to 32-bit values; a string that is added again takes the new value.
class StringMap {
 public:
  void reserve(std::size_t count, std::size_t bytes);
  void set(std::string_view key, std::int32_t value);
  // The value, or -1.
  std::int32_t find(std::string_view key) const;
  std::size_t size() const { return entries_.size(); }
  std::string_view key(std::size_t entry) const {
    return std::string_view(arena_).substr(entries_[entry].begin, entries_[entry].length);
  }
  std::int32_t value(std::size_t entry) const { return entries_[entry].value; }

 private:
  struct Entry {
    std::uint32_t begin, length;
    std::int32_t value;
  };
  struct Slot {
    std::uint32_t hash = 0, entry = 0;  // entry 0 is free, else one more than its index
  };
  void grow(std::size_t slots);

  std::string arena_;
  std::vector<Entry> entries_;
  std::vector<Slot> slots_;
};

// Ids are not negative; two tokens may share one, and the later then spells it.
class Vocabulary {
 public:
  void reserve(std::size_t count, std::size_t bytes) { tokens_.reserve(count, bytes); }
  void add(std::string_view token, std::int32_t id) { tokens_.set(token, id); }
  // To be called once after the last add.
  void index();

  std::int32_t find(std::string_view token) const { return tokens_.find(token); }
  std::optional<std::string_view> token(std::int32_t id) const;
  std::size_t size() const { return tokens_.size(); }
  std::string_view entry_token(std::size_t entry) const { return tokens_.key(entry); }
  std::int32_t entry_id(std::size_t entry) const { return tokens_.value(entry); }

 private:
  StringMap tokens_;
  std::vector<std::uint32_t> entry_of_id_;                      // one more than the entry, 0 for none
  std::vector<std::pair<std::int32_t, std::uint32_t>> sparse_;  // sorted, for ids far apart
};

}  // namespace accelerate::text
