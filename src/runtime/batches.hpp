// Many items as few runs: sorted by length and packed under a budget of tokens, so that no run waits for padding.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "backends/backend.hpp"
#include "runtime/packing.hpp"
#include "runtime/text_processor.hpp"

namespace accelerate::runtime {

// Items of tokenized texts, numbered in their order. Error{invalid_input} naming a text without tokens (an empty one,
// where the tokenizer adds none).
std::vector<Item> items_of(const TokenizedTexts& texts);

Item item_of(std::size_t number, const text::Encoding& encoding);

// Hands out all items, the longest first, at most options.tokens of them at once, padding included (but at least one
// item): in as few runs as that takes, or where items are padded in those that cost the least. Items of equal length
// keep their order. Reports progress after and looks for cancellation before each run: Error{interrupted}.
// Error{invalid_input} when options.tokens is below 1.
void for_each_batch(std::vector<Item> items, const RunCost& cost, const BatchOptions& options,
                    const std::function<void(std::span<const Item>)>& run);

}  // namespace accelerate::runtime
