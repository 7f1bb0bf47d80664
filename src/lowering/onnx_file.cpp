#include "lowering/onnx_file.hpp"

#include <map>

#include "core/file.hpp"

namespace accelerate::lowering {
namespace {

namespace fs = std::filesystem;

constexpr const char* kModelName = "model.onnx";
constexpr const char* kWeightsName = "model.onnx.data";
constexpr std::int64_t kAlignment = 4096;
// Smaller constants stay in the model: shapes and numbers that readers look at when they rewrite it.
constexpr std::int64_t kSmallestOutside = 1024;

void refuse_to_replace(const fs::path& file) {
  std::error_code ignored;
  if (!fs::exists(fs::symlink_status(file, ignored))) return;
  throw Error(ErrorKind::invalid_input, "is there already", file.string(), "--force replaces it");
}

// A folder that is removed again, unless kept, if it was not there before.
class MadeFolder {
 public:
  explicit MadeFolder(fs::path folder) : folder_(std::move(folder)) {
    std::error_code failure;
    made_ = fs::create_directory(folder_, failure);
    if (failure) throw Error(ErrorKind::invalid_input, "cannot be made: " + failure.message(), folder_.string());
  }
  MadeFolder(const MadeFolder&) = delete;
  MadeFolder& operator=(const MadeFolder&) = delete;
  ~MadeFolder() {
    std::error_code ignored;
    if (made_) fs::remove(folder_, ignored);
  }
  void keep() { made_ = false; }

 private:
  fs::path folder_;
  bool made_ = false;
};

bool is_outside(const OnnxInitializer& initializer) { return initializer.bytes() >= kSmallestOutside; }

// Where each initializer of the weight file begins.
std::map<std::string, std::int64_t> write_weights(const OnnxModel& model, AtomicFile& file, std::int64_t& end,
                                                  const Cancellation& cancellation) {
  std::map<std::string, std::int64_t> offsets;
  for (const OnnxInitializer& initializer : model.initializers) {
    if (!is_outside(initializer)) continue;
    cancellation.check();
    file.write(std::string(static_cast<std::size_t>((kAlignment - end % kAlignment) % kAlignment), '\0'));
    end = (end + kAlignment - 1) / kAlignment * kAlignment;
    offsets[initializer.name] = end;
    const Tensor values = initializer.tensor();
    file.write(values.bytes());
    end += initializer.bytes();
    if (initializer.weight != nullptr) initializer.weight->release();
  }
  return offsets;
}

}  // namespace

OnnxFiles write_onnx(const OnnxModel& model, const fs::path& folder, bool force, const Cancellation& cancellation) {
  OnnxFiles files{folder / kModelName, folder / kWeightsName};
  if (!force) {
    refuse_to_replace(files.model);
    refuse_to_replace(files.weights);
  }
  MadeFolder made(folder);
  AtomicFile weights(files.weights), graph(files.model);
  const auto offsets = write_weights(model, weights, files.bytes, cancellation);
  const std::string bytes = to_bytes(model, [&](const OnnxInitializer& initializer) {
    return is_outside(initializer) ? std::optional(ExternalPlace{kWeightsName, offsets.at(initializer.name)})
                                   : std::nullopt;
  });
  graph.write(bytes);
  files.bytes += static_cast<std::int64_t>(bytes.size());
  weights.commit();
  graph.commit();
  made.keep();
  return files;
}

}  // namespace accelerate::lowering
