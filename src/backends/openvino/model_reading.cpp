#include "backends/openvino/model_reading.hpp"

#if defined(__linux__)
#include <sched.h>
#include <unistd.h>
#endif

#include <algorithm>
#include <exception>
#include <functional>
#include <optional>
#include <thread>

namespace accelerate::openvino {
namespace {

using lowering::ExternalPlace;
using lowering::OnnxInitializer;
using lowering::OnnxModel;

// Marks external data that lies at an address of this process: its offset is the address.
constexpr const char* kAddress = "*/_ORT_MEM_ADDR_/*";
// Below this OpenVINO wants to see values itself, for its rewriting of graphs.
constexpr std::int64_t kSmallest = 128;

bool is_in_file(const OnnxInitializer& each) {
  return each.weight != nullptr && each.weight->file != nullptr && each.in_place();
}

bool files_are_at_their_paths(const OnnxModel& model) {
  return std::all_of(model.initializers.begin(), model.initializers.end(),
                     [](const OnnxInitializer& each) { return !is_in_file(each) || each.weight->file->is_at_path(); });
}

ExternalPlace place_in_file(const OnnxInitializer& each) {
  const MappedFile& file = *each.weight->file;
  return {std::filesystem::absolute(file.path()).string(), each.weight->bytes.data() - file.bytes().data()};
}

Handle<ov::Model> read(const LibraryPtr& library, const OnnxModel& model, bool from_files,
                       const Cancellation& cancellation) {
  std::vector<Tensor> kept;
  const std::string bytes = lowering::to_bytes(model, [&](const OnnxInitializer& each) {
    cancellation.check();
    if (each.weight == nullptr || each.bytes() < kSmallest) return std::optional<ExternalPlace>();
    if (from_files && is_in_file(each)) return std::optional(place_in_file(each));
    const Tensor& values = kept.emplace_back(each.tensor());
    return std::optional(ExternalPlace{kAddress, reinterpret_cast<std::int64_t>(values.bytes().data())});
  });
  Handle<ov::Model> made(library, library->api().model_free);
  library->check(library->api().core_read_model_from_memory_buffer(library->core(), bytes.data(), bytes.size(), nullptr,
                                                                   made.out()),
                 "reading the lowered graph");
  return made;
}

// Calls `work` on a thread of its own whose working folder is the root, while that of all others stays what it is.
// False where that is not to be had; what `work` throws.
bool with_root_as_folder(const std::function<void()>& work) {
#if defined(__linux__)
  bool possible = false;
  std::exception_ptr thrown;
  std::thread thread([&] {
    possible = unshare(CLONE_FS) == 0 && chdir("/") == 0;
    if (!possible) return;
    try {
      work();
    } catch (...) {
      thrown = std::current_exception();
    }
  });
  thread.join();
  if (thrown) std::rethrow_exception(thrown);
  return possible;
#else
  static_cast<void>(work);
  return false;
#endif
}

// OpenVINO maps files below the working folder only, even where their paths are absolute.
std::optional<Handle<ov::Model>> read_from_files(const LibraryPtr& library, const OnnxModel& model,
                                                 const Cancellation& cancellation) {
  std::optional<Handle<ov::Model>> made;
  try {
    with_root_as_folder([&] { made.emplace(read(library, model, true, cancellation)); });
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) throw;
    made.reset();  // a path that it does not take, such as one with a colon
  }
  // Whether it mapped what we have mapped is known afterwards only.
  if (made && !files_are_at_their_paths(model)) made.reset();
  return made;
}

}  // namespace

Handle<ov::Model> read_model(const LibraryPtr& library, const OnnxModel& model, const Cancellation& cancellation) {
  std::optional<Handle<ov::Model>> made = read_from_files(library, model, cancellation);
  return made ? std::move(*made) : read(library, model, false, cancellation);
}

}  // namespace accelerate::openvino
