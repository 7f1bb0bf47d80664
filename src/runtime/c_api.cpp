#include "runtime/c_api.hpp"

#include <new>
#include <utility>

#include "hardware/device_report.hpp"
#include "runtime/model_json.hpp"

namespace accelerate::c_api {
namespace {

struct LastError {
  std::string text, message, where, hint;
};

LastError& last_error() {
  thread_local LastError error;
  return error;
}

accelerate_status status_of(ErrorKind kind) { return static_cast<accelerate_status>(static_cast<int>(kind) + 1); }

static_assert(static_cast<int>(ErrorKind::internal) + 1 == ACCELERATE_INTERNAL);
static_assert(static_cast<int>(ErrorKind::interrupted) + 1 == ACCELERATE_INTERRUPTED);

accelerate_status keep(const Error& error) {
  last_error() = {error.what(), error.message(), error.where(), error.hint()};
  return status_of(error.kind());
}

}  // namespace

accelerate_status keep_error() noexcept {
  try {
    try {
      throw;
    } catch (const Error& error) {
      return keep(error);
    } catch (const std::bad_alloc&) {
      return keep(Error(ErrorKind::out_of_memory, "no memory"));
    } catch (const std::exception& error) {
      return keep(Error(ErrorKind::internal, error.what()));
    } catch (...) {
      return keep(Error(ErrorKind::internal, "something that is no std::exception was thrown"));
    }
  } catch (...) {
    // Not even the error's text has room.
    LastError& error = last_error();
    error.text.clear();
    error.message.clear();
    error.where.clear();
    error.hint.clear();
    return ACCELERATE_OUT_OF_MEMORY;
  }
}

BatchOptions batch_options(const accelerate_batch_options* given) {
  const accelerate_batch_options defaults = ACCELERATE_BATCH_OPTIONS;
  const accelerate_batch_options options = options_or(given, defaults);
  BatchOptions batch;
  if (options.tokens != 0) batch.tokens = options.tokens;
  batch.strict = options.strict;
  if (options.progress != nullptr) {
    batch.progress = [call = options.progress, context = options.progress_context](
                         std::int64_t done, std::int64_t total) { call(done, total, context); };
  }
  if (options.cancellation != nullptr) batch.cancellation = options.cancellation->value;
  return batch;
}

std::vector<std::string> strings(const char* const* texts, std::size_t count, const char* name) {
  std::vector<std::string> all;
  if (count > 0) required(texts, name);
  for (std::size_t i = 0; i < count; ++i) {
    if (texts[i] == nullptr) {
      throw Error(ErrorKind::invalid_input, "is NULL", std::string(name) + "[" + std::to_string(i) + "]");
    }
    all.emplace_back(texts[i]);
  }
  return all;
}

std::vector<TextPair> text_pairs(const char* const* texts, const char* const* pairs, std::size_t count) {
  std::vector<std::string> first = strings(texts, count, "texts"), second = strings(pairs, count, "pairs");
  std::vector<TextPair> both;
  for (std::size_t i = 0; i < count; ++i) both.push_back({std::move(first[i]), std::move(second[i])});
  return both;
}

std::map<std::string, std::string> layer_precisions(const char* text) {
  std::map<std::string, std::string> layers;
  std::string_view rest = text == nullptr ? "" : text;
  while (!rest.empty()) {
    const std::string_view one = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    const std::size_t equals = one.find('=');
    if (equals == std::string_view::npos) {
      throw Error(ErrorKind::invalid_input, "found \"" + std::string(one) + "\", expected PATH=PRECISION",
                  "layer_precisions");
    }
    layers[std::string(one.substr(0, equals))] = one.substr(equals + 1);
  }
  return layers;
}

char* new_string(std::string_view text) {
  char* copy = new char[text.size() + 1];
  *std::ranges::copy(text, copy).out = '\0';
  return copy;
}

}  // namespace accelerate::c_api

using accelerate::c_api::guarded;
using accelerate::c_api::required;

const char* accelerate_status_name(accelerate_status status) {
  if (status == ACCELERATE_OK) return "ok";
  if (status < ACCELERATE_OK || status > ACCELERATE_INTERNAL) return "unknown";
  return accelerate::name_of(static_cast<accelerate::ErrorKind>(static_cast<int>(status) - 1)).data();
}

const char* accelerate_last_error() { return accelerate::c_api::last_error().text.c_str(); }
const char* accelerate_last_error_message() { return accelerate::c_api::last_error().message.c_str(); }
const char* accelerate_last_error_where() { return accelerate::c_api::last_error().where.c_str(); }
const char* accelerate_last_error_hint() { return accelerate::c_api::last_error().hint.c_str(); }
const char* accelerate_version() { return accelerate::version().data(); }

accelerate_cancellation* accelerate_cancellation_new() {
  accelerate_cancellation* made = nullptr;
  guarded([&] { made = new accelerate_cancellation; });
  return made;
}

void accelerate_cancel(accelerate_cancellation* cancellation) {
  if (cancellation != nullptr) cancellation->value.cancel();
}

void accelerate_cancellation_free(accelerate_cancellation* cancellation) { delete cancellation; }

accelerate_status accelerate_model_open(const char* folder, const accelerate_open_options* options,
                                        accelerate_model** model) {
  return guarded([&] {
    *required(model, "model") = nullptr;
    required(folder, "folder");
    const accelerate_open_options defaults = ACCELERATE_OPEN_OPTIONS;
    const accelerate_open_options given = accelerate::c_api::options_or(options, defaults);
    accelerate::OpenOptions open;
    if (given.device != nullptr) open.device = given.device;
    open.fallback = !given.no_fallback;
    open.split = given.split;
    if (given.task != nullptr) open.task = given.task;
    if (given.precision != nullptr) open.precision = given.precision;
    open.layer_precisions = accelerate::c_api::layer_precisions(given.layer_precisions);
    open.threads = given.threads;
    if (given.cancellation != nullptr) open.cancellation = given.cancellation->value;
    open.memory_limit = given.memory_limit;
    if (given.cache_folder != nullptr) open.cache_folder = given.cache_folder;
    if (given.cache_precision != nullptr) open.cache_precision = given.cache_precision;
    const accelerate::Model opened = accelerate::Model::open(folder, open);
    *model = new accelerate_model{opened, accelerate::runtime::to_json(opened.info()).dump()};
  });
}

void accelerate_model_free(accelerate_model* model) { delete model; }

accelerate_status accelerate_model_with_precision(const accelerate_model* model, const char* precision,
                                                  const char* layer_precisions, accelerate_model** other) {
  return guarded([&] {
    *required(other, "other") = nullptr;
    const accelerate::Model made = required(model, "model")
                                       ->value.with_precision(required(precision, "precision"),
                                                              accelerate::c_api::layer_precisions(layer_precisions));
    *other = new accelerate_model{made, accelerate::runtime::to_json(made.info()).dump()};
  });
}

accelerate_status accelerate_model_layers_json(const accelerate_model* model, const char* task, char** json) {
  return guarded([&] {
    *required(json, "json") = nullptr;
    accelerate::Json paths = accelerate::Json::array();
    for (const std::string& path : required(model, "model")->value.layers(task == nullptr ? "" : task)) {
      paths.push(path);
    }
    *json = accelerate::c_api::new_string(paths.dump());
  });
}

const char* accelerate_model_info_json(const accelerate_model* model) {
  return model == nullptr ? "" : model->info_json.c_str();
}

const char* accelerate_model_task(const accelerate_model* model) {
  return model == nullptr ? "" : model->value.info().task.c_str();
}

accelerate_status accelerate_model_prepare(const accelerate_model* model, const char* task) {
  return guarded([&] { required(model, "model")->value.prepare(task == nullptr ? "" : task); });
}

accelerate_status accelerate_inspect_json(const char* folder, int64_t tokens, char** json) {
  return guarded([&] {
    *required(json, "json") = nullptr;
    accelerate::InspectOptions options;
    if (tokens != 0) options.tokens = {tokens};
    const accelerate::Inspection inspection = accelerate::inspect(required(folder, "folder"), options);
    *json = accelerate::c_api::new_string(accelerate::runtime::to_json(inspection).dump());
  });
}

accelerate_status accelerate_devices_json(bool refresh, char** json) {
  return guarded([&] {
    *required(json, "json") = nullptr;
    accelerate::Json devices;
    devices.set("devices", accelerate::hardware::to_json(accelerate::devices({.refresh = refresh})));
    *json = accelerate::c_api::new_string(devices.dump());
  });
}

void accelerate_string_free(char* string) { delete[] string; }

accelerate_status accelerate_describe_graph(const char* folder, bool graphviz, const char* const* outputs, size_t count,
                                            char** text) {
  return guarded([&] {
    *required(text, "text") = nullptr;
    const auto format = graphviz ? accelerate::GraphFormat::graphviz : accelerate::GraphFormat::text;
    const std::vector<std::string> wanted = accelerate::c_api::strings(outputs, count, "outputs");
    *text = accelerate::c_api::new_string(accelerate::describe_graph(required(folder, "folder"), format, wanted));
  });
}

accelerate_status accelerate_memory_use(accelerate_process_memory* memory) {
  return guarded([&] {
    *required(memory, "memory") = {};
    const accelerate::ProcessMemory use = accelerate::memory_use();
    *memory = {use.allocated, use.allocated_peak, use.resident, use.resident_peak};
  });
}

void accelerate_reset_peak_memory() {
  guarded([] { accelerate::reset_peak_memory(); });
}
