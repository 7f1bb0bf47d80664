// What the program ends with; docs/cli.md lists them for users.
#pragma once

#include "accelerate/error.hpp"

namespace accelerate::cli {

enum ExitCode : int {
  kExitOk = 0,
  kExitVerifyFailed = 1,
  kExitMend = 1,  // doctor found something to mend
  kExitUsage = 2,
  kExitInvalidInput = 3,
  kExitNotFound = 4,
  kExitCorrupted = 5,
  kExitUnsupported = 6,
  kExitOutOfMemory = 7,
  kExitDeviceFailed = 8,
  kExitUnavailable = 9,
  kExitInternal = 70,
  kExitSignal = 128,  // plus the signal's number: 130 for Ctrl-C, 141 when the reader of the output has gone
};

inline ExitCode exit_code_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::invalid_input: return kExitInvalidInput;
    case ErrorKind::not_found: return kExitNotFound;
    case ErrorKind::corrupted: return kExitCorrupted;
    case ErrorKind::unsupported: return kExitUnsupported;
    case ErrorKind::out_of_memory: return kExitOutOfMemory;
    case ErrorKind::device_failed: return kExitDeviceFailed;
    case ErrorKind::unavailable: return kExitUnavailable;
    case ErrorKind::interrupted: return kExitSignal;
    case ErrorKind::internal: return kExitInternal;
  }
  return kExitInternal;
}

}  // namespace accelerate::cli
