#include "models/sentence_transformer.hpp"

#include <array>
#include <filesystem>

namespace accelerate {
namespace {

constexpr std::string_view kModules = "modules.json";

// The class without its package: releases moved the classes between packages, but kept their names.
std::string class_of(const std::string& type) { return type.substr(type.rfind('.') + 1); }

[[noreturn]] void fail_unsupported(const SentenceModule& module, const std::string& what) {
  throw Error(ErrorKind::unsupported, what, module.config ? module.config->where() : module.path);
}

std::optional<SentenceModule::Kind> kind_of(const std::string& class_name) {
  if (class_name == "Pooling") return SentenceModule::Kind::pooling;
  if (class_name == "Dense") return SentenceModule::Kind::dense;
  if (class_name == "Normalize") return SentenceModule::Kind::normalize;
  if (class_name == "LayerNorm") return SentenceModule::Kind::layer_norm;
  return std::nullopt;
}

// Sub-folders are named by the file: they must stay inside.
void require_inside(const Config& entry, const std::string& path) {
  const std::filesystem::path normal = std::filesystem::path(path).lexically_normal();
  if (normal.is_absolute() || (!normal.empty() && *normal.begin() == "..")) {
    entry.fail("path", "is \"" + path + "\", expected a sub-folder");
  }
}

// "0_Transformer/" and "./0_Transformer" as "0_Transformer"; "." as nothing.
std::filesystem::path inside(const std::string& path) {
  std::filesystem::path normal = std::filesystem::path(path).lexically_normal();
  if (!normal.has_filename()) normal = normal.parent_path();
  return normal == "." ? std::filesystem::path() : normal;
}

// One mode a pooled vector, in the order in which they are joined.
ops::PoolMode pool_mode(const SentenceModule& module, const std::string& name) {
  if (name == "cls") return ops::PoolMode::first;
  if (name == "max") return ops::PoolMode::max;
  if (name == "mean") return ops::PoolMode::mean;
  if (name == "mean_sqrt_len_tokens") return ops::PoolMode::mean_sqrt_length;
  if (name == "weightedmean") return ops::PoolMode::weighted_mean;
  if (name == "lasttoken") return ops::PoolMode::last;
  fail_unsupported(module,
                   "pooling mode \"" + name +
                       "\" is not known, expected cls, max, mean, mean_sqrt_len_tokens, weightedmean or lasttoken");
}

// Since release 5.3 a name or a list of names; before, a flag a mode, joined in this order.
std::vector<std::string> pool_mode_names(const Config& config) {
  if (const Json* mode = config.json().find("pooling_mode"); mode != nullptr && !mode->is_null()) {
    if (mode->is_array()) return config.require<std::vector<std::string>>("pooling_mode");
    return {config.require<std::string>("pooling_mode")};
  }
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kFlags{{
      {"pooling_mode_cls_token", "cls"},
      {"pooling_mode_max_tokens", "max"},
      {"pooling_mode_mean_tokens", "mean"},
      {"pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens"},
      {"pooling_mode_weightedmean_tokens", "weightedmean"},
      {"pooling_mode_lasttoken", "lasttoken"},
  }};
  std::vector<std::string> modes;
  for (const auto& [flag, mode] : kFlags) {
    if (config.get(flag, false)) modes.emplace_back(mode);
  }
  if (modes.empty()) modes.emplace_back("mean");
  return modes;
}

Value pooling(Builder& b, const SentenceModule& module, Value tokens) {
  const Config& config = *module.config;
  Value skip;
  if (!config.get("include_prompt", true)) {
    skip = b.input("prompt_length", {Element::index, Shape{kBatch}}, {InputRule::Fill::zeros});
  }
  std::vector<Value> pooled;
  for (const std::string& name : pool_mode_names(config))
    pooled.push_back(b.pool(tokens, pool_mode(module, name), skip));
  if (pooled.empty()) config.fail("pooling_mode", "is empty, expected at least one mode");
  return b.concat(pooled);
}

Activation dense_activation(const SentenceModule& module) {
  const std::string path = module.config->get<std::string>("activation_function", "torch.nn.modules.activation.Tanh");
  const std::string name = class_of(path);
  if (name == "Identity") return Activation::none;
  if (name == "Tanh") return Activation::tanh;
  if (name == "ReLU") return Activation::relu;
  if (name == "GELU") return Activation::gelu;
  if (name == "SiLU") return Activation::silu;
  if (name == "Sigmoid") return Activation::sigmoid;
  if (name == "Mish") return Activation::mish;
  if (name == "ReLU6") return Activation::relu6;
  if (name == "LeakyReLU") return Activation::leaky_relu;
  if (name == "Hardswish") return Activation::hard_swish;
  fail_unsupported(module, "activation function \"" + path + "\" is not known");
}

Value dense(Builder& b, const SentenceModule& module, Value x) {
  const Config& config = *module.config;
  LinearOptions options{.activation = dense_activation(module),
                        .bias = config.get("bias", true) ? Bias::required : Bias::none,
                        .out_features = config.size_or({"out_features"}, 0)};
  if (config.get("use_residual", false)) {
    const bool same = options.out_features == b.width(x);
    options.residual = same ? x : b.linear("residual", x, {.bias = Bias::none});
  }
  return b.linear("linear", x, options);
}

// The value that Dense and Normalize read and replace; by default the sentence's.
Value& target_of(const SentenceModule& module, Value& tokens, Value& sentence) {
  if (!module.config) return sentence;
  const auto input = module.config->get<std::string>("module_input_name", "sentence_embedding");
  const auto output = module.config->get<std::string>("module_output_name", input);
  if (input != output || (input != "sentence_embedding" && input != "token_embeddings")) {
    fail_unsupported(module, "reads \"" + input + "\" and writes \"" + output +
                                 "\", expected sentence_embedding or token_embeddings for both");
  }
  return input == "token_embeddings" ? tokens : sentence;
}

Value apply_module(Builder& b, const SentenceModule& module, Value x) {
  const auto scope = b.scope(module.path);
  switch (module.kind) {
    case SentenceModule::Kind::pooling: return pooling(b, module, x);
    case SentenceModule::Kind::dense: return dense(b, module, x);
    case SentenceModule::Kind::normalize: return b.normalize(x);
    case SentenceModule::Kind::layer_norm: return b.layer_norm("norm", x, 1e-5);
  }
  return x;
}

}  // namespace

std::filesystem::path transformer_path(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / kModules;
  if (!std::filesystem::is_regular_file(file)) return {};
  try {
    const Json list = read_json(file);
    if (!list.is_array() || list.items().empty()) return {};
    const Config first(list.items().front(), file.string());
    if (class_of(first.get<std::string>("type", "")) != "Transformer") return {};
    const auto path = first.get<std::string>("path", "");
    require_inside(first, path);
    return inside(path);
  } catch (const Error&) {
    return {};
  }
}

std::vector<SentenceModule> sentence_modules(const Checkpoint& checkpoint) {
  const std::optional<Json> list = checkpoint.json(kModules);
  if (!list) return {};
  const std::string where = checkpoint.path_of(kModules).string();
  if (!list->is_array() || list->items().empty()) {
    throw Error(ErrorKind::corrupted, "found " + std::string(list->kind_name()) + ", expected a list of modules",
                where);
  }
  std::vector<SentenceModule> modules;
  for (std::size_t i = 0; i < list->items().size(); ++i) {
    const Config entry(list->items()[i], where + ": [" + std::to_string(i) + "]");
    const auto type = entry.require<std::string>("type");
    const auto path = entry.get<std::string>("path", "");
    require_inside(entry, path);
    const std::string class_name = class_of(type);
    const bool ours = type.starts_with("sentence_transformers.");
    if (i == 0 && ours && class_name == "Transformer" && inside(path) == checkpoint.inner()) continue;
    if (i > 0 && ours && class_name == "Dropout") continue;
    const std::optional<SentenceModule::Kind> kind = kind_of(class_name);
    if (i == 0 || !ours || !kind) {
      entry.fail("type",
                 "is \"" + type + "\"" + (path.empty() ? "" : " in \"" + path + "\"") +
                     (i == 0 ? ", expected a Transformer module"
                             : ", expected Pooling, Dense, Normalize, LayerNorm or Dropout of sentence_transformers"),
                 ErrorKind::unsupported);
    }
    SentenceModule module{*kind, path, checkpoint.config(path + "/config.json")};
    const bool needs_config = *kind == SentenceModule::Kind::pooling || *kind == SentenceModule::Kind::dense;
    if (needs_config && !module.config) entry.fail("path", "names \"" + path + "\", which has no config.json");
    modules.push_back(std::move(module));
  }
  return modules;
}

void mount_sentence_modules(const Checkpoint& checkpoint, Weights& weights) {
  for (const SentenceModule& module : sentence_modules(checkpoint)) {
    if (module.kind != SentenceModule::Kind::dense && module.kind != SentenceModule::Kind::layer_norm) continue;
    weights.mount(module.path + ".", Checkpoint::open(checkpoint.path_of(module.path)), {});
  }
}

Value sentence_embedding(Builder& b, const std::vector<SentenceModule>& modules, Value tokens) {
  if (modules.empty()) return b.pool(tokens, ops::PoolMode::mean);
  Value sentence;
  for (const SentenceModule& module : modules) {
    if (module.kind == SentenceModule::Kind::pooling) {
      sentence = apply_module(b, module, tokens);
      continue;
    }
    Value& target = target_of(module, tokens, sentence);
    if (!target) fail_unsupported(module, "comes before the Pooling module that would give its input");
    target = apply_module(b, module, target);
  }
  if (!sentence) fail_unsupported(modules.back(), "ends the modules, and none of them is a Pooling module");
  return sentence;
}

}  // namespace accelerate
