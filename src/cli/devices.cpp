#include "cli/execute.hpp"
#include "cli/exit_code.hpp"

namespace accelerate::cli {

int devices(const DevicesCommand&, Output&) { throw Error(ErrorKind::unsupported, "devices is not built yet"); }

}  // namespace accelerate::cli
