// Ctrl-C and SIGTERM, turned into a request that the work looks at between its steps.
#pragma once

#include "accelerate/progress.hpp"

namespace accelerate::cli {

// From now on the first signal sets the cancellation returned here, a second one ends the program at once. A reader
// that goes away is reported by write() instead of a signal. Called again, it is a new cancellation that the next
// signal sets, and none has come.
Cancellation install_signal_handlers();
// The signal that came, 0 for none.
int signal_received();

}  // namespace accelerate::cli
