// One line an architecture.
#pragma once

#include "models/architecture.hpp"

namespace accelerate {

const Architecture& albert();
const Architecture& bart();
const Architecture& bert();
const Architecture& distilbert();
const Architecture& electra();
const Architecture& gemma();
const Architecture& gemma2();
const Architecture& gemma3_text();
const Architecture& gpt2();
const Architecture& gpt_neox();
const Architecture& llama();
const Architecture& marian();
const Architecture& mistral();
const Architecture& mixtral();
const Architecture& modernbert();
const Architecture& mpnet();
const Architecture& nomic_bert();
const Architecture& opt();
const Architecture& phi3();
const Architecture& qwen2();
const Architecture& qwen3();
const Architecture& roberta();
const Architecture& t5();
const Architecture& xlm_roberta();

}  // namespace accelerate
