#include "hardware/small_graph.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <span>

#include "graph/builder.hpp"
#include "graph/interpreter.hpp"
#include "hardware/device_report.hpp"

namespace accelerate::hardware {
namespace {

constexpr std::int64_t kWords = 16, kWidth = 32, kInner = 64, kHeads = 4;

// Uniform in [-1, 1), the same everywhere (Numerical Recipes' generator).
class Numbers {
 public:
  Tensor tensor(Dims dims, float scale, float middle = 0) {
    Tensor tensor(DType::f32, std::move(dims));
    for (float& value : tensor.as<float>()) value = middle + scale * next();
    return tensor;
  }

 private:
  float next() {
    state_ = state_ * 1664525U + 1013904223U;
    return static_cast<float>(state_ >> 8) / static_cast<float>(1 << 23) - 1;
  }
  std::uint32_t state_ = 20;
};

std::shared_ptr<Weights> make_weights() {
  auto weights = std::make_shared<Weights>();
  Numbers numbers;
  weights->add("words.weight", numbers.tensor({kWords, kWidth}, 1));
  const auto add_linear = [&](const std::string& name, std::int64_t from, std::int64_t to) {
    weights->add(name + ".weight", numbers.tensor({to, from}, 1 / std::sqrt(static_cast<float>(from))));
    weights->add(name + ".bias", numbers.tensor({to}, 0.5F));
  };
  for (const char* name : {"query", "key", "value", "output"}) add_linear(name, kWidth, kWidth);
  add_linear("up", kWidth, kInner);
  add_linear("down", kInner, kWidth);
  for (const char* name : {"first_norm", "second_norm"}) {
    weights->add(std::string(name) + ".weight", numbers.tensor({kWidth}, 0.5F, 1));
    weights->add(std::string(name) + ".bias", numbers.tensor({kWidth}, 0.5F));
  }
  return weights;
}

Graph make_graph(const Weights& weights) {
  Builder b("probe", weights);
  const Value x = b.embedding({{"words", b.token_input("ids")}});
  const Value context = b.attention(
      {.query = b.linear("query", x), .key = b.linear("key", x), .value = b.linear("value", x), .heads = kHeads});
  const Value middle = b.layer_norm("first_norm", b.linear("output", context, {.residual = x}), 1e-5);
  const Value inner = b.linear("up", middle, {.activation = Activation::gelu});
  const Value states = b.layer_norm("second_norm", b.linear("down", inner, {.residual = middle}), 1e-5);
  b.output("states", states);
  b.output("pooled", b.normalize(b.pool(states, ops::PoolMode::mean)));
  return b.finish();
}

Feeds make_feeds() {
  Feeds feeds;
  feeds.extents.set_ragged("tokens", {5, 3});
  feeds.tensors["ids"] = Tensor::of<std::int64_t>({8}, std::vector<std::int64_t>{3, 14, 15, 9, 2, 6, 5, 3});
  return feeds;
}

double relative_error(std::span<const float> found, std::span<const double> expected) {
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double error = static_cast<double>(found[i]) - expected[i];
    difference += error * error;
    norm += expected[i] * expected[i];
  }
  const double relative = std::sqrt(difference / norm);
  return std::isfinite(relative) ? relative : std::numeric_limits<double>::infinity();
}

std::string error_text(double error) {
  char text[64];
  std::snprintf(text, sizeof text, "a relative error of %.3g, allowed %.3g", error, kMostRelativeError);
  return text;
}

}  // namespace

double small_graph_error(const Backend& backend, const std::string& device) {
  const std::shared_ptr<const Weights> weights = make_weights();
  const Graph graph = make_graph(*weights);
  const Feeds feeds = make_feeds();
  const Outputs exact = interpret(graph, *weights, feeds);
  const Outputs found = backend.compile(graph, weights, {.device = device})->start()->run(feeds);
  double worst = 0;
  for (const auto& [name, expected] : exact) {
    const auto output = found.find(name);
    if (output == found.end() || output->second.dims() != expected.dims()) {
      return std::numeric_limits<double>::infinity();
    }
    worst = std::max(worst, relative_error(output->second.as<float>(), expected.as<double>()));
  }
  return worst;
}

DeviceReport judged(DeviceReport report, const Backend& backend, const std::string& device) {
  try {
    const double error = small_graph_error(backend, device);
    if (error > kMostRelativeError) {
      return failed(std::move(report), ProbeStage::wrong_result,
                    "a small graph ran and gave other numbers than the f64 interpreter: " + error_text(error),
                    "do not use this device; update its driver or runtime");
    }
  } catch (const Error& error) {
    return failed(std::move(report), error);
  }
  report.state = DeviceState::available;
  return report;
}

}  // namespace accelerate::hardware
