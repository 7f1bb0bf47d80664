// How the agreement of precisions is shown, as a table and as JSON.
#pragma once

#include "cli/output.hpp"
#include "core/json.hpp"
#include "verify/agreement.hpp"

namespace accelerate::cli {

void print_agreement(const verify::AgreementReport& report, Output& out);
Json agreement_json(const verify::AgreementReport& report);

}  // namespace accelerate::cli
