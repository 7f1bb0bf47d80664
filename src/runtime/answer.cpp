#include <algorithm>

#include "runtime/answers.hpp"
#include "runtime/tasks.hpp"

namespace accelerate::runtime {
namespace {

constexpr std::int64_t kMostAnswers = 10'000, kMostTokens = std::int64_t{1} << 31;

void expect_within(std::string_view name, std::int64_t value, std::int64_t least, std::int64_t most) {
  if (value >= least && value <= most) return;
  throw Error(ErrorKind::invalid_input,
              "is " + std::to_string(value) + ", expected " + std::to_string(least) + " to " + std::to_string(most),
              std::string(name));
}

text::EncodeOptions piece_options(const TextSettings& settings, const AnswerOptions& options) {
  std::int64_t length = options.max_seq_len.value_or(384);
  if (settings.max_tokens > 0) length = std::min(length, settings.max_tokens);
  const std::int64_t stride = options.doc_stride.value_or(std::min<std::int64_t>(length / 2, 128));
  expect_within("max_seq_len", length, 1, kMostTokens);
  expect_within("doc_stride", stride, 0, kMostTokens);
  expect_within("max_answer_len", options.max_answer_len, 1, kMostTokens);
  expect_within("top_k", static_cast<std::int64_t>(options.top_k), 1, kMostAnswers);
  text::EncodeOptions encode;
  encode.max_length = static_cast<std::size_t>(length);
  encode.strategy = text::TruncationStrategy::only_second;
  encode.stride = static_cast<std::size_t>(stride);
  return encode;
}

std::vector<text::Encoding> pieces_of(const TextProcessor& processor, std::string_view question,
                                      std::string_view context, const AnswerOptions& options) {
  std::vector<text::Encoding> pieces;
  text::Encoding first;
  try {
    first = processor.encode({question, context}, piece_options(processor.settings(), options));
  } catch (const Error& error) {
    throw error.within("question and context");
  }
  if (options.batch.strict && !first.overflowing.empty()) {
    throw Error(ErrorKind::invalid_input,
                "needs " + std::to_string(first.overflowing.size() + 1) + " pieces of " +
                    std::to_string(first.ids.size()) + " tokens",
                "context", "without strict all of them are searched");
  }
  std::vector<text::Encoding> rest = std::move(first.overflowing);
  pieces.push_back(std::move(first));
  std::ranges::move(rest, std::back_inserter(pieces));
  return pieces;
}

}  // namespace

std::vector<Answer> answer(const LoadedModel& model, std::string_view question, std::string_view context,
                           const AnswerOptions& options) {
  const std::shared_ptr<CompiledGraph> compiled = model.compiled(Task::question_answering);
  const TextProcessor& processor = model.processor();
  const std::vector<text::Encoding> pieces = pieces_of(processor, question, context, options);
  std::vector<Item> items;
  for (std::size_t i = 0; i < pieces.size(); ++i) items.push_back(item_of(i, pieces[i]));
  std::vector<std::vector<float>> starts(pieces.size()), ends(pieces.size());
  for_each_batch(std::move(items), compiled->run_cost(), options.batch, [&](std::span<const Item> batch) {
    const Outputs outputs = compiled->run(feeds_of(compiled->graph(), batch), options.batch.cancellation);
    std::size_t at = 0;
    for (const Item& item : batch) {
      const std::size_t count = item.ids.size();
      const auto start = outputs.at("start_logits").as<float>().subspan(at, count);
      const auto end = outputs.at("end_logits").as<float>().subspan(at, count);
      starts[item.number].assign(start.begin(), start.end());
      ends[item.number].assign(end.begin(), end.end());
      at += count;
    }
  });
  std::vector<ScoredPiece> scored;
  for (std::size_t i = 0; i < pieces.size(); ++i) scored.push_back({&pieces[i], starts[i], ends[i]});
  return best_answers(context, scored, processor.tokenizer().special_tokens().cls.value_or(-1), options);
}

}  // namespace accelerate::runtime
