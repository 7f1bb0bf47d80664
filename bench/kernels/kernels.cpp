// How near the kernels come to this machine's limit: products, attention and norms at the shapes of real models.
//
// kernels_bench [--threads 1,2] [--level NAME] [--precision f32|bf16|int8] [--only linear|attention|rows]
//               [--seconds S a figure]
//               [--rows R1,R2.. --in K --out N --gap G] (products of these shapes instead)
//               [--matrices M] (so many of each shape in turn: weights come from memory, as a model's do)
// Products show the median of repeated runs and the best; the peak is measured again beside each. Attention and rows
// show the best.
#include "backends/cpu/kernels.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

namespace {

using namespace accelerate;
using namespace accelerate::cpu;

struct Options {
  std::vector<int> threads = {1, 2};
  Level level = current_level();
  Precision precision = Precision::f32;  // of products
  std::string only;
  std::vector<int> rows;
  int in = 384, out = 384;
};

int gap = 0;       // floats between two rows of X
int matrices = 1;  // multiplied one after the other

double seconds_a_figure = 0.25;

// One thread is timed by its own processor time, which other processes do not add to; several by the clock on the wall.
bool own_time = true;

double now() {
  timespec time{};
  clock_gettime(own_time ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double seconds_of(const std::function<void()>& work) {
  const double start = now();
  work();
  return now() - start;
}

struct Times {
  double median = 0, best = 0;
};

// Seconds of `work`, repeated for about `budget` seconds. The best is what undisturbed caches give.
Times time(const std::function<void()>& work, double budget = seconds_a_figure) {
  work();
  const double once = std::max(seconds_of(work), 1e-7);
  const int inner = std::max(1, static_cast<int>(2e-4 / once));
  std::vector<double> times;
  const double until = now() + budget;
  do {
    times.push_back(seconds_of([&] {
                      for (int i = 0; i < inner; ++i) work();
                    }) /
                    inner);
  } while (now() < until || times.size() < 5);
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
  return {times[times.size() / 2], *std::min_element(times.begin(), times.end())};
}

struct Floats {
  explicit Floats(std::int64_t count) : buffer(static_cast<std::size_t>(count) * sizeof(float)) {
    float* values = data();
    for (std::int64_t i = 0; i < count; ++i) values[i] = static_cast<float>((i * 2654435761 % 1000) - 500) * 1e-3F;
  }
  float* data() { return reinterpret_cast<float*>(buffer.data()); }
  HostBuffer buffer;
};

struct Product {
  const char* what;
  std::int64_t rows, in, out;
  Activation activation = Activation::none;
};

const Product kProducts[] = {
    {"LIMITS", 18, 384, 384},
    {"LIMITS", 18, 384, 1536},
    {"LIMITS", 126, 384, 384},
    {"LIMITS", 126, 384, 1152},
    {"LIMITS", 126, 384, 1536},
    {"LIMITS", 126, 1536, 384},
    {"LIMITS", 126, 768, 3072},
    {"LIMITS", 1020, 384, 1536},
    {"MiniLM qkv 1x16", 16, 384, 1152},
    {"MiniLM out 1x16", 16, 384, 384},
    {"MiniLM up 1x16, gelu", 16, 384, 1536, Activation::gelu_erf},
    {"MiniLM down 1x16", 16, 1536, 384},
    {"MiniLM qkv 1x128", 128, 384, 1152},
    {"MiniLM out 1x128", 128, 384, 384},
    {"MiniLM up 1x128, gelu", 128, 384, 1536, Activation::gelu_erf},
    {"MiniLM down 1x128", 128, 1536, 384},
    {"MiniLM qkv 8x128", 1024, 384, 1152},
    {"MiniLM up 8x128, gelu", 1024, 384, 1536, Activation::gelu_erf},
    {"MiniLM down 8x128", 1024, 1536, 384},
    {"bert-base qkv 1x16", 16, 768, 2304},
    {"bert-base qkv 1x128", 128, 768, 2304},
    {"bert-base out 1x128", 128, 768, 768},
    {"bert-base up 1x128, gelu", 128, 768, 3072, Activation::gelu_erf},
    {"bert-base down 1x128", 128, 3072, 768},
    {"bert-base up 8x128, gelu", 1024, 768, 3072, Activation::gelu_erf},
    {"bert-base down 8x128", 1024, 3072, 768},
    {"bert-large up 1x128, gelu", 128, 1024, 4096, Activation::gelu_erf},
    {"bert-tiny qkv 1x16", 16, 128, 384},
    {"head 8 rows", 8, 768, 30522},
    {"decode", 1, 768, 3072},
};

void bench_linear(const Kernels& kernels, ThreadPool& pool, Precision precision, const std::vector<Product>& products) {
  std::printf("\n%-26s %20s %10s %8s %8s %7s %7s\n", "product", "rows x in x out", "us", "GFLOP/s", "peak", "share",
              "best");
  for (const Product& p : products) {
    Floats x(p.rows * (p.in + gap)), w(p.out * p.in), bias(p.out), y(p.rows * p.out);
    const WeightSource source{.data = w.data(), .out_features = p.out};
    std::vector<PackedMatrix> weights;
    for (int i = 0; i < matrices; ++i) {
      weights.push_back(
          PackedMatrix::pack(pool, kernels.level(), p.in, {&source, 1}, {.precision = precision, .done = {}}));
    }
    HostBuffer scratch(kernels.linear_scratch_bytes(p.rows, p.in, packing_of(precision)));
    const double before = kernels.measure_peak_gflops(15, precision);
    Times times = time([&] {
      for (const PackedMatrix& packed : weights) {
        kernels.linear(pool, p.rows, {x.data(), p.in + gap}, packed,
                       {.bias = bias.data(), .activation = p.activation, .residual = {}}, {y.data(), p.out},
                       scratch.data());
      }
    });
    times.median /= matrices;
    times.best /= matrices;
    const double peak = std::max(before, kernels.measure_peak_gflops(15, precision)) * pool.threads();
    const double work = 2e-9 * static_cast<double>(p.rows * p.in) * static_cast<double>(p.out);
    const double gflops = work / times.median;
    const std::string shape = std::to_string(p.rows) + " x " + std::to_string(p.in) + " x " + std::to_string(p.out);
    std::printf("%-26s %20s %10.1f %8.1f %8.1f %6.1f%% %6.1f%%\n", p.what, shape.c_str(), times.median * 1e6, gflops,
                peak, 100 * gflops / peak, 100 * work / times.best / peak);
    std::fflush(stdout);
  }
}

struct Heads {
  const char* what;
  std::int64_t batch, tokens, heads, head_dim, window;
};

const Heads kHeads[] = {
    {"MiniLM 1x16", 1, 16, 12, 32, 1 << 20},      {"MiniLM 1x128", 1, 128, 12, 32, 1 << 20},
    {"MiniLM 8x128", 8, 128, 12, 32, 1 << 20},    {"bert-base 1x128", 1, 128, 12, 64, 1 << 20},
    {"bert-base 1x512", 1, 512, 12, 64, 1 << 20}, {"modernbert local 1x1024", 1, 1024, 12, 64, 64},
    {"bert-tiny 1x16", 1, 16, 2, 64, 1 << 20},    {"1x2048, head 128", 1, 2048, 4, 128, 1 << 20},
};

void bench_attention(const Kernels& kernels, ThreadPool& pool, Precision precision) {
  std::printf("\n%-26s %10s %8s %10s\n", "attention", "us", "GFLOP/s", "us a Mexp");
  for (const Heads& h : kHeads) {
    const std::int64_t rows = h.batch * h.tokens, width = h.heads * h.head_dim;
    Floats qkv(rows * width * 3), out(rows * width);
    Floats scratch(static_cast<std::int64_t>(kernels.attention_scratch_floats(h.head_dim, pool.threads())));
    std::vector<std::int64_t> offsets;
    for (std::int64_t b = 0; b <= h.batch; ++b) offsets.push_back(b * h.tokens);
    Attention args;
    args.query = {qkv.data(), 3 * width};
    args.key = {qkv.data() + width, 3 * width};
    args.value = {qkv.data() + 2 * width, 3 * width};
    args.output = {out.data(), width};
    args.heads = args.kv_heads = h.heads;
    args.head_dim = h.head_dim;
    args.query_offsets = offsets;
    args.scale = 0.125F;
    args.window = h.window;
    args.precision = precision;
    args.scratch = scratch.data();
    const double seconds = time([&] { kernels.attention(pool, args); }).best;
    const double pairs = static_cast<double>(rows * h.heads * std::min(h.tokens, 2 * h.window + 1));
    std::printf("%-26s %10.1f %8.1f %10.1f\n", h.what, seconds * 1e6,
                4e-9 * pairs * static_cast<double>(h.head_dim) / seconds, seconds * 1e6 / (pairs * 1e-6));
    std::fflush(stdout);
  }
}

void print_row(const char* what, const Times& times, double bytes, double elements) {
  std::printf("%-26s %10.1f %8.1f %10.2f\n", what, times.best * 1e6, bytes / times.best * 1e-9,
              elements / times.best * 1e-9);
  std::fflush(stdout);
}

void bench_rows(const Kernels& kernels, ThreadPool& pool) {
  constexpr std::int64_t kRows = 128, kWidth = 1536;
  Floats x(kRows * kWidth), y(kRows * kWidth), weight(kWidth), bias(kWidth);
  std::printf("\n%-26s %10s %8s %10s\n", "rows 128", "us", "GB/s", "Gelement/s");
  for (const std::int64_t width : {384, 768}) {
    const auto elements = static_cast<double>(kRows * width);
    const std::string tail = " " + std::to_string(width);
    const NormedRows norm{
        .norm = {.kind = Norm::Kind::layer, .weight = weight.data(), .bias = bias.data(), .epsilon = 1e-5F},
        .input = {x.data(), width},
        .output = {y.data(), width},
        .rows = kRows,
        .width = width};
    print_row(("layer_norm" + tail).c_str(), time([&] { kernels.norm(pool, norm); }), elements * 8, elements);
    print_row(("softmax" + tail).c_str(), time([&] {
                kernels.softmax(pool, kRows, width, {x.data(), width}, {y.data(), width});
              }),
              elements * 8, elements);
  }
  const auto elements = static_cast<double>(kRows * kWidth);
  const std::pair<const char*, Activation> kinds[] = {{"gelu_erf", Activation::gelu_erf},
                                                      {"gelu_tanh", Activation::gelu_tanh},
                                                      {"silu", Activation::silu},
                                                      {"tanh", Activation::tanh}};
  for (const auto& [name, kind] : kinds) {
    print_row(name, time([&] {
                kernels.activate(pool, kind, kRows, kWidth, {x.data(), kWidth}, {y.data(), kWidth});
              }),
              elements * 8, elements);
  }
}

std::vector<int> numbers(const std::string& list) {
  std::vector<int> all;
  for (const char* p = list.c_str(); *p != '\0'; p += *p == ',' ? 1 : 0) {
    char* end = nullptr;
    all.push_back(static_cast<int>(std::strtol(p, &end, 10)));
    if (end == p) break;
    p = end;
  }
  return all;
}

Options parse(int count, char** arguments) {
  Options options;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string name = arguments[i], value = arguments[i + 1];
    if (name == "--threads") options.threads = numbers(value);
    if (name == "--rows") options.rows = numbers(value);
    if (name == "--in") options.in = std::atoi(value.c_str());
    if (name == "--out") options.out = std::atoi(value.c_str());
    if (name == "--gap") gap = std::atoi(value.c_str());
    if (name == "--matrices") matrices = std::max(1, std::atoi(value.c_str()));
    if (name == "--seconds") seconds_a_figure = std::atof(value.c_str());
    if (name == "--level") {
      for (const Level level : supported_levels()) {
        if (name_of(level) == value) options.level = level;
      }
    }
    if (name == "--precision") options.precision = precision_named(value);
    if (name == "--only") options.only = value;
  }
  return options;
}

}  // namespace

int main(int count, char** arguments) {
  const Options options = parse(count, arguments);
  const Kernels& set = kernels(options.level);
  std::vector<Product> products(std::begin(kProducts), std::end(kProducts));
  if (!options.rows.empty()) products.clear();
  for (const int rows : options.rows) products.push_back({"asked for", rows, options.in, options.out});
  for (const int threads : options.threads) {
    ThreadPool pool(threads);
    own_time = threads == 1;
    std::printf("\n== level %s, %d thread(s), peak %.1f GFLOP/s a core\n", std::string(name_of(options.level)).c_str(),
                threads, set.measure_peak_gflops(50, options.precision));
    const double round_trip = time([&] { pool.parallel_for(2, [](std::int64_t, int) {}); }).best;
    std::printf("an empty parallel loop: %.2f us\n", round_trip * 1e6);
    if (options.only.empty() || options.only == "linear") bench_linear(set, pool, options.precision, products);
    if (options.only.empty() || options.only == "attention") bench_attention(set, pool, options.precision);
    if (options.only.empty() || options.only == "rows") bench_rows(set, pool);
  }
  return 0;
}
