// The modules that sentence-transformers runs after the encoder (Reimers & Gurevych 2019): pooling, dense layers,
// normalisation, as modules.json lists them. Folders written by releases 2 to 6 are read.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "models/architecture.hpp"

namespace accelerate {

struct SentenceModule {
  enum class Kind { pooling, dense, normalize, layer_norm };
  Kind kind = Kind::pooling;
  std::string path;              // its sub-folder: "2_Dense"; its parameters are "2_Dense.linear.weight", ...
  std::optional<Config> config;  // of the sub-folder
};

// The sub-folder in which modules.json says that the Transformer module lies ("0_Transformer"); empty where that is the
// folder itself, and where modules.json is absent or broken, which sentence_modules() tells.
std::filesystem::path transformer_path(const std::filesystem::path& folder);

// What follows the Transformer module, in order; nothing without modules.json, and nothing in a cross-encoder's folder,
// whose list is the Transformer alone. Modules that do nothing when a model is
// used (Dropout) are left out. Error{unsupported} naming a module that is not known or a list that does not begin with
// the Transformer module that the checkpoint was opened from; Error{corrupted} when modules.json is broken or a
// module's file is missing.
std::vector<SentenceModule> sentence_modules(const Checkpoint& checkpoint);

// Adds the parameters of the modules' own weight files. Errors of Checkpoint::open and sentence_modules().
void mount_sentence_modules(const Checkpoint& checkpoint, Weights& weights);

// tokens [batch, tokens~, hidden] to [batch, n]: by the modules, or the mean over tokens when there are none.
//
// Where pooling leaves the prompt out (include_prompt false), the input "prompt_length" [batch] says how many of each
// item's first tokens are the prompt; missing, it is zero. Error{unsupported} naming a setting that is not known.
Value sentence_embedding(Builder& b, const std::vector<SentenceModule>& modules, Value tokens);

}  // namespace accelerate
