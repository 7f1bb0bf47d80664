// One line an architecture.
#pragma once

#include "models/architecture.hpp"

namespace accelerate {

const Architecture& albert();
const Architecture& bert();
const Architecture& distilbert();
const Architecture& electra();
const Architecture& modernbert();
const Architecture& mpnet();
const Architecture& nomic_bert();
const Architecture& roberta();
const Architecture& xlm_roberta();

}  // namespace accelerate
