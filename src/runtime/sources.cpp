#include "runtime/sources.hpp"

#include <string>

#include "runtime/batches.hpp"

namespace accelerate::runtime {
namespace {

// The part of an encoder's outputs that is one text's: views, which keep all of them.
std::shared_ptr<const Source> part_of(const std::shared_ptr<const Outputs>& outputs, std::int64_t first_row,
                                      std::int64_t rows) {
  auto source = std::make_shared<Source>();
  source->tokens = rows;
  for (const auto& [name, all] : *outputs) {
    const auto width = static_cast<std::size_t>(all.dim(1));
    const auto own =
        all.as<float>().subspan(static_cast<std::size_t>(first_row) * width, static_cast<std::size_t>(rows) * width);
    source->rows.emplace(name, Tensor::view(DType::f32, {rows, all.dim(1)}, std::as_bytes(own), outputs));
  }
  return source;
}

}  // namespace

bool has_encoder(const LoadedModel& model) {
  return model.definition().program.graph("decode").find_input("cross.0.key") != nullptr;
}

std::shared_ptr<CompiledGraph> source_encoder(const LoadedModel& model) {
  std::vector<std::string> outputs;
  for (const Graph::Output& output : model.definition().program.graph(kEncode).outputs()) {
    if (output.name.starts_with("cross.")) outputs.push_back(output.name);
  }
  return model.compiled(outputs);
}

std::int32_t start_token(const decoding::GenerationSettings& settings) {
  if (settings.decoder_start_token_id) return *settings.decoder_start_token_id;
  throw Error(ErrorKind::unsupported, "has no decoder_start_token_id", "generation_config.json");
}

std::vector<Item> source_items(std::span<const std::vector<std::int32_t>> texts) {
  std::vector<Item> items;
  for (const std::vector<std::int32_t>& text : texts) {
    Item& item = items.emplace_back(Item{.number = items.size()});
    item.ids.assign(text.begin(), text.end());
  }
  return items;
}

std::vector<std::shared_ptr<const Source>> read_sources(const CompiledGraph& encoder,
                                                        std::span<const std::vector<std::int32_t>> texts,
                                                        const std::function<Outputs(Feeds)>& run) {
  std::vector<std::shared_ptr<const Source>> sources(texts.size());
  for_each_batch(source_items(texts), encoder.run_cost(), {}, [&](std::span<const Item> batch) {
    Feeds feeds = feeds_of(encoder.graph(), batch);
    const std::vector<std::int64_t> offsets = feeds.extents.offsets("tokens");
    const auto outputs = std::make_shared<const Outputs>(run(std::move(feeds)));
    for (std::size_t i = 0; i < batch.size(); ++i) {
      sources[batch[i].number] = part_of(outputs, offsets[i], batch[i].rows());
    }
  });
  return sources;
}

}  // namespace accelerate::runtime
