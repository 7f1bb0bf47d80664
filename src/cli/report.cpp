#include "cli/arguments.hpp"
#include "cli/execute.hpp"
#include "cli/exit_code.hpp"
#include "records/records.hpp"
#include "report/compatibility.hpp"

namespace accelerate::cli {

int report(const ReportCommand& command, Output& out) {
  if (command.what != "compatibility") {
    throw UsageError{"there is no report \"" + command.what + "\"", "there is compatibility"};
  }
  const records::Records records(records::default_path(), records::Access::read);
  const std::vector<records::CompatibilityError> errors = records.compatibility_errors();
  if (out.wants_json() || command.format == "json") {
    out.json(report::compatibility_json(errors));
  } else {
    out.text(report::compatibility_markdown(errors));
  }
  return kExitOk;
}

}  // namespace accelerate::cli
