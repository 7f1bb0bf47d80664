#include "runtime/model_json.hpp"

namespace accelerate::runtime {
namespace {

Json list_of(const std::vector<std::string>& texts) {
  Json list = Json::array();
  for (const std::string& text : texts) list.push(text);
  return list;
}

Json to_json(const MemoryPrediction& prediction) {
  Json json = Json::object();
  json.set("device", prediction.device);
  json.set("precision", prediction.precision);
  json.set("batch", prediction.batch);
  json.set("tokens", prediction.tokens);
  json.set("weights", prediction.weights);
  json.set("mapped", prediction.mapped);
  json.set("activations", prediction.activations);
  json.set("workspace", prediction.workspace);
  json.set("cache", prediction.cache).set("cache_per_token", prediction.cache_per_token);
  json.set("runtime", prediction.runtime);
  json.set("total", prediction.total);
  json.set("estimated", prediction.estimated);
  json.set("flops", prediction.flops);
  return json;
}

}  // namespace

Json to_json(const DeviceCandidate& device) {
  Json json = Json::object();
  json.set("device", device.device).set("taken", device.taken);
  return json.set("stage", device.stage).set("reason", device.reason);
}

Json to_json(const ModelInfo& info) {
  Json json = Json::object();
  json.set("folder", info.folder.string());
  json.set("architecture", info.architecture);
  json.set("model_type", info.model_type);
  json.set("family", info.family);
  json.set("task", info.task);
  json.set("tasks", list_of(info.tasks));
  json.set("parameters", info.parameters);
  json.set("weight_bytes", info.weight_bytes);
  json.set("dtype", info.dtype);
  json.set("dtypes", list_of(info.dtypes));
  json.set("layers", info.layers);
  json.set("hidden_size", info.hidden_size);
  json.set("heads", info.heads);
  json.set("vocabulary", info.vocabulary);
  json.set("max_tokens", info.max_tokens);
  json.set("embedding_size", info.embedding_size);
  json.set("labels", list_of(info.labels));
  json.set("outputs", list_of(info.outputs));
  Json prompts = Json::object();
  for (const auto& [name, text] : info.prompts) prompts.set(name, text);
  json.set("prompts", std::move(prompts));
  json.set("default_prompt", info.default_prompt);
  if (info.device.empty()) return json;
  json.set("device", info.device);
  Json devices = Json::array();
  for (const DeviceCandidate& device : info.devices) devices.push(to_json(device));
  json.set("devices", std::move(devices)).set("split_operations", list_of(info.split_operations));
  json.set("precision", info.precision);
  Json layers = Json::object();
  for (const auto& [path, precision] : info.layer_precisions) layers.set(path, precision);
  json.set("layer_precisions", std::move(layers));
  json.set("precision_reason", info.precision_reason);
  return json;
}

Json to_json(const Inspection& inspection) {
  Json json = Json::object();
  json.set("info", to_json(inspection.info));
  Json memory = Json::array();
  for (const MemoryPrediction& prediction : inspection.memory) memory.push(to_json(prediction));
  json.set("memory", std::move(memory));
  json.set("missing", list_of(inspection.missing));
  json.set("notes", list_of(inspection.notes));
  return json;
}

}  // namespace accelerate::runtime
