// One line an architecture.
#pragma once

#include "models/architecture.hpp"

namespace accelerate {

const Architecture& albert();
const Architecture& bert();
const Architecture& distilbert();
const Architecture& electra();
const Architecture& gemma();
const Architecture& gpt2();
const Architecture& llama();
const Architecture& mistral();
const Architecture& modernbert();
const Architecture& mpnet();
const Architecture& nomic_bert();
const Architecture& opt();
const Architecture& qwen2();
const Architecture& roberta();
const Architecture& xlm_roberta();

}  // namespace accelerate
