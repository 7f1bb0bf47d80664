#include "decoding/stopping.hpp"

#include <algorithm>
#include <array>

#include "text/unicode.hpp"

namespace accelerate::decoding {
namespace {

bool contains(const std::vector<std::int32_t>& ids, std::int32_t token) {
  return std::find(ids.begin(), ids.end(), token) != ids.end();
}

}  // namespace

std::string_view name_of(StopReason reason) {
  constexpr std::array<std::string_view, 5> kNames = {"none", "eos", "stop_token", "stop_string", "length"};
  return kNames[static_cast<std::size_t>(reason)];
}

Stopping::Stopping(const GenerationSettings& settings, std::size_t prompt_length, std::size_t max_positions)
    : eos_(settings.eos_token_ids), stop_(settings.stop_token_ids) {
  const std::size_t limit = length_limit(settings, prompt_length, max_positions);
  most_ = limit > prompt_length ? limit - prompt_length : 0;
  if (most_ == 0) reason_ = StopReason::length;
}

StopReason Stopping::after(std::int32_t token, bool has_stop_string) {
  ++generated_;
  if (reason_ != StopReason::none) return reason_;
  if (contains(eos_, token)) {
    reason_ = StopReason::eos;
  } else if (contains(stop_, token)) {
    reason_ = StopReason::stop_token;
  } else if (has_stop_string) {
    reason_ = StopReason::stop_string;
  } else if (generated_ >= most_) {
    reason_ = StopReason::length;
  }
  return reason_;
}

StopStrings::StopStrings(std::vector<std::string> strings, bool keep) : strings_(std::move(strings)), keep_(keep) {
  for (const std::string& text : strings_) {
    if (!text.empty() && text::find_invalid_utf8(text) == std::string::npos) continue;
    throw Error(ErrorKind::invalid_input, text.empty() ? "found an empty text" : "found a text that is no UTF-8",
                "stop_strings");
  }
}

StopStrings::Place StopStrings::first_in(std::string_view text) const {
  Place first;
  for (const std::string& each : strings_) {
    const std::size_t begin = text.find(each);
    if (begin == std::string::npos) continue;
    const std::size_t end = begin + each.size();
    if (end < first.end || (end == first.end && begin < first.begin)) first = {begin, end};
  }
  return first;
}

std::size_t StopStrings::possible_beginning(std::string_view text) const {
  std::size_t longest = 0;
  for (const std::string& each : strings_) {
    for (std::size_t length = std::min(each.size() - 1, text.size()); length > longest; --length) {
      if (text.substr(text.size() - length) == std::string_view(each).substr(0, length)) longest = length;
    }
  }
  return text.size() - longest;
}

std::string StopStrings::push(std::string_view piece) {
  if (found_) return {};
  held_ += piece;
  const Place place = first_in(held_);
  found_ = place.end != std::string::npos;
  const std::size_t certain = found_ ? (keep_ ? place.end : place.begin) : possible_beginning(held_);
  std::string text = held_.substr(0, certain);
  if (found_) {
    held_.clear();
  } else {
    held_.erase(0, certain);
  }
  return text;
}

std::string StopStrings::finish() {
  std::string text;
  text.swap(held_);
  return text;
}

bool StopStrings::completes(std::string_view piece) const {
  return !found_ && first_in(held_ + std::string(piece)).end != std::string::npos;
}

}  // namespace accelerate::decoding
