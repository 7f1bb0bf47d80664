#include "text/vocabulary.hpp"

#include <algorithm>
#include <cstring>

namespace accelerate::text {

std::uint64_t hash_bytes(std::string_view bytes) {
  constexpr std::uint64_t kFirst = 0x9e3779b97f4a7c15U, kSecond = 0xd6e8feb86659fd93U;
  std::uint64_t hash = kFirst ^ (bytes.size() * kSecond);
  const char* data = bytes.data();
  std::size_t left = bytes.size();
  const auto mix = [&](std::uint64_t word) {
    hash = (hash ^ word) * kSecond;
    hash ^= hash >> 32;
  };
  for (; left >= 8; left -= 8, data += 8) {
    std::uint64_t word;
    std::memcpy(&word, data, 8);
    mix(word);
  }
  if (left > 0) {
    std::uint64_t word = 0;
    std::memcpy(&word, data, left);
    mix(word);
  }
  hash *= kFirst;
  return hash ^ (hash >> 29);
}

void StringMap::reserve(std::size_t count, std::size_t bytes) {
  arena_.reserve(bytes);
  entries_.reserve(count);
  std::size_t slots = 16;
  while (slots < count * 2) slots *= 2;
  if (slots > slots_.size()) grow(slots);
}

void StringMap::grow(std::size_t slots) {
  slots_.assign(slots, {});
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const auto hash = static_cast<std::uint32_t>(hash_bytes(key(i)));
    std::size_t at = hash & (slots - 1);
    while (slots_[at].entry != 0) at = (at + 1) & (slots - 1);
    slots_[at] = {hash, static_cast<std::uint32_t>(i + 1)};
  }
}

void StringMap::set(std::string_view text, std::int32_t value) {
  if ((entries_.size() + 1) * 2 > slots_.size()) grow(std::max<std::size_t>(16, slots_.size() * 2));
  const auto hash = static_cast<std::uint32_t>(hash_bytes(text));
  std::size_t at = hash & (slots_.size() - 1);
  for (; slots_[at].entry != 0; at = (at + 1) & (slots_.size() - 1)) {
    if (slots_[at].hash == hash && key(slots_[at].entry - 1) == text) {
      entries_[slots_[at].entry - 1].value = value;
      return;
    }
  }
  entries_.push_back({static_cast<std::uint32_t>(arena_.size()), static_cast<std::uint32_t>(text.size()), value});
  arena_.append(text);
  slots_[at] = {hash, static_cast<std::uint32_t>(entries_.size())};
}

std::int32_t StringMap::find(std::string_view text) const {
  if (slots_.empty()) return -1;
  const auto hash = static_cast<std::uint32_t>(hash_bytes(text));
  for (std::size_t at = hash & (slots_.size() - 1); slots_[at].entry != 0; at = (at + 1) & (slots_.size() - 1)) {
    if (slots_[at].hash == hash && key(slots_[at].entry - 1) == text) return entries_[slots_[at].entry - 1].value;
  }
  return -1;
}

void Vocabulary::index() {
  std::int32_t largest = -1;
  for (std::size_t i = 0; i < tokens_.size(); ++i) largest = std::max(largest, tokens_.value(i));
  const auto dense = static_cast<std::size_t>(largest) < tokens_.size() * 4 + 1024;
  if (largest >= 0 && dense) {
    entry_of_id_.assign(static_cast<std::size_t>(largest) + 1, 0);
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      entry_of_id_[static_cast<std::size_t>(tokens_.value(i))] = static_cast<std::uint32_t>(i + 1);
    }
    return;
  }
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    sparse_.emplace_back(tokens_.value(i), static_cast<std::uint32_t>(i));
  }
  std::sort(sparse_.begin(), sparse_.end());
}

std::optional<std::string_view> Vocabulary::token(std::int32_t id) const {
  if (id < 0) return std::nullopt;
  if (!sparse_.empty()) {
    const auto after = std::upper_bound(sparse_.begin(), sparse_.end(), id,
                                        [](std::int32_t wanted, const auto& entry) { return wanted < entry.first; });
    if (after == sparse_.begin() || std::prev(after)->first != id) return std::nullopt;
    return tokens_.key(std::prev(after)->second);
  }
  const auto at = static_cast<std::size_t>(id);
  if (at >= entry_of_id_.size() || entry_of_id_[at] == 0) return std::nullopt;
  return tokens_.key(entry_of_id_[at] - 1);
}

}  // namespace accelerate::text
