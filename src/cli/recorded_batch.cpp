#include "cli/recorded_batch.hpp"

#include "bench/bench.hpp"
#include "core/thread_pool.hpp"
#include "records/content_hash.hpp"
#include "records/records.hpp"
#include "runtime/device_choice.hpp"

namespace accelerate::cli {
namespace {

std::string bound_text(const records::BatchChoice& choice) {
  if (choice.bound == "latency_ms") return " within " + significant_text(choice.bound_value, 4) + " ms";
  if (choice.bound == "memory_bytes") return " within " + bytes_text(static_cast<std::int64_t>(choice.bound_value));
  return "";
}

}  // namespace

std::optional<RecordedBatch> recorded_batch(const ModelInfo& model, const ExecutionOptions& execution,
                                            const Output& out) {
  records::Recorder recorder(records::default_path(), [&out](const std::string& text) { out.note(text); });
  records::Filter filter;
  // By the path first: the content hash of a model that nobody measured would read all its weights.
  filter.model = bench::recorded_path(model.folder);
  filter.machine = records::this_machine().id;
  filter.device = runtime::computed_on(model);
  filter.level = backend_named(model.device).level();
  filter.precision = model.precision;
  filter.threads = execution.threads > 0 ? execution.threads : default_thread_count();
  const auto found = recorder.latest<records::BatchChoice>(filter);
  if (!found || recorder.content_hash(model.folder) != found->record.model.content_hash) return std::nullopt;
  const records::BatchChoice& choice = found->content();
  return RecordedBatch{
      choice.batch * choice.tokens,
      std::to_string(choice.batch) + " x " + std::to_string(choice.tokens) + ", found by bench" + bound_text(choice)};
}

}  // namespace accelerate::cli
