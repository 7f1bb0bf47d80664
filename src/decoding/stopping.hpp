// When a text ends: ids, length, stop strings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "decoding/settings.hpp"

namespace accelerate::decoding {

enum class StopReason : std::uint8_t { none, eos, stop_token, stop_string, length };

// "none", "eos", "stop_token", "stop_string", "length"
std::string_view name_of(StopReason reason);

// The end of one sequence. Of several reasons the first in the order of StopReason is named.
class Stopping {
 public:
  // `max_positions` as in length_limit().
  Stopping(const GenerationSettings& settings, std::size_t prompt_length, std::size_t max_positions = 0);

  // Counts a new token. `has_stop_string` says that the text holds a stop string with it (TextStream::stopped).
  StopReason after(std::int32_t token, bool has_stop_string = false);
  StopReason reason() const { return reason_; }
  std::size_t generated() const { return generated_; }
  std::size_t most() const { return most_; }  // new tokens that the length leaves room for

 private:
  std::vector<std::int32_t> eos_, stop_;
  std::size_t most_ = 0, generated_ = 0;
  StopReason reason_ = StopReason::none;
};

// Finds stop strings in a text that comes in pieces, wherever it is cut: the one that is complete first, of those that
// are complete at the same character the longest. Holds back what may be the beginning of one.
class StopStrings {
 public:
  // `keep`: the text ends behind the stop string instead of before it. Error{invalid_input} for a string that is empty
  // or no UTF-8.
  explicit StopStrings(std::vector<std::string> strings, bool keep = false);

  // Text that certainly stays. Once found(), nothing more comes.
  std::string push(std::string_view piece);
  // What was held back.
  std::string finish();
  bool found() const { return found_; }
  // Would push(piece) complete one?
  bool completes(std::string_view piece) const;
  bool empty() const { return strings_.empty(); }

 private:
  struct Place {
    std::size_t begin = std::string::npos, end = std::string::npos;
  };
  Place first_in(std::string_view text) const;
  std::size_t possible_beginning(std::string_view text) const;

  std::vector<std::string> strings_;
  std::string held_;
  bool keep_, found_ = false;
};

}  // namespace accelerate::decoding
