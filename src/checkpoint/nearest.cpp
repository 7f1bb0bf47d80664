#include "checkpoint/nearest.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace accelerate {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({substituted, row[j] + 1, diagonal + 1});
    }
  }
  return row[b.size()];
}

std::vector<std::string> nearest(std::string_view wanted, std::span<const std::string> known, std::size_t count) {
  std::vector<std::pair<std::size_t, std::size_t>> by_distance;  // and index, so that ties keep their order
  for (std::size_t i = 0; i < known.size(); ++i) by_distance.emplace_back(edit_distance(wanted, known[i]), i);
  std::sort(by_distance.begin(), by_distance.end());
  by_distance.resize(std::min(count, by_distance.size()));
  std::vector<std::string> result;
  for (const auto& [distance, index] : by_distance) result.push_back(known[index]);
  return result;
}

}  // namespace accelerate
