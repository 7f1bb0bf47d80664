#include "report/doctor.hpp"

#include "cli/execute.hpp"
#include "cli/exit_code.hpp"
#include "cli/probed_devices.hpp"

namespace accelerate::cli {

int doctor(const DoctorCommand& command, const Cancellation& cancellation, Output& out) {
  const KnownDevices known = probed_devices({.refresh = command.refresh, .cancellation = cancellation}, out);
  const std::vector<report::Finding> findings = report::examine(known.reports);
  const bool well = report::all_well(findings);
  if (out.wants_json()) {
    out.json(report::to_json(findings));
    return well ? kExitOk : kExitMend;
  }
  Table table({{"what"}, {"state"}, {"found"}});
  for (const report::Finding& finding : findings) {
    table.row({finding.area, std::string(name_of(finding.health)), finding.message});
    if (!finding.advice.empty()) table.row({"", "", "  -> " + finding.advice});
  }
  out.print(table);
  out.line();
  out.line(well ? "all is well" : "what is marked \"mend\" does not work as it should");
  return well ? kExitOk : kExitMend;
}

}  // namespace accelerate::cli
