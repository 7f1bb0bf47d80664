// The commands: each parses nothing and computes nothing, it calls the library and prints. Returns the exit code;
// Error is for main() to print.
#pragma once

#include "accelerate/progress.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"

namespace accelerate::cli {

int devices(const DevicesCommand& command, const Cancellation& cancellation, Output& out);
int doctor(const DoctorCommand& command, const Cancellation& cancellation, Output& out);
int inspect(const InspectCommand& command, Output& out);
int tokenize(const TokenizeCommand& command, Output& out);
int run(const RunCommand& command, const Cancellation& cancellation, Output& out);
int chat(const ChatCommand& command, Output& out);
int verify(const VerifyCommand& command, const Cancellation& cancellation, Output& out);
int bench(const BenchCommand& command, const Cancellation& cancellation, Output& out);
int export_model(const ExportCommand& command, const Cancellation& cancellation, Output& out);
int records(const RecordsCommand& command, Output& out);
int report(const ReportCommand& command, Output& out);
int completion(const CompletionCommand& command, Output& out);

// The whole program: parse, call, print, exit code.
int run_program(int argc, const char* const* argv);

}  // namespace accelerate::cli
