#include "cli/execute.hpp"

#include <new>

#include "cli/arguments.hpp"
#include "cli/completion.hpp"
#include "cli/exit_code.hpp"
#include "cli/interrupt.hpp"

namespace accelerate::cli {
namespace {

constexpr int kBrokenPipe = 13;

struct Execute {
  const Cancellation& cancellation;

  int operator()(const DevicesCommand& c) const {
    return finished(c.common, [&](Output& out) { return devices(c, cancellation, out); });
  }
  int operator()(const DoctorCommand& c) const {
    return finished(c.common, [&](Output& out) { return doctor(c, cancellation, out); });
  }
  int operator()(const InspectCommand& c) const {
    return finished(c.common, [&](Output& out) { return inspect(c, out); });
  }
  int operator()(const TokenizeCommand& c) const {
    return finished(c.common, [&](Output& out) { return tokenize(c, out); });
  }
  int operator()(const RunCommand& c) const {
    return finished(c.common, [&](Output& out) { return run(c, cancellation, out); });
  }
  int operator()(const ChatCommand& c) const {
    return finished(c.common, [&](Output& out) { return chat(c, out); });
  }
  int operator()(const VerifyCommand& c) const {
    return finished(c.common, [&](Output& out) { return verify(c, cancellation, out); });
  }
  int operator()(const BenchCommand& c) const {
    return finished(c.common, [&](Output& out) { return bench(c, cancellation, out); });
  }
  int operator()(const ExportCommand& c) const {
    return finished(c.common, [&](Output& out) { return export_model(c, cancellation, out); });
  }
  int operator()(const RecordsCommand& c) const {
    return finished(c.common, [&](Output& out) { return records(c, out); });
  }
  int operator()(const ReportCommand& c) const {
    return finished(c.common, [&](Output& out) { return report(c, out); });
  }
  int operator()(const CompletionCommand& c) const {
    return finished({}, [&](Output& out) { return completion(c, out); });
  }

  template <typename Call>
  static int finished(const CommonOptions& common, Call&& call) {
    Output out(common);
    const int code = call(out);
    out.finish();
    return code;
  }
};

int answer(const Printout& printout) {
  Output out({});
  out.text(printout.text);
  out.finish();
  return kExitOk;
}

int dispatch(int argc, const char* const* argv) {
  const Cancellation cancellation = install_signal_handlers();
  const std::variant<Command, Printout, UsageError> parsed = parse_arguments(argc, argv);
  if (const auto* printout = std::get_if<Printout>(&parsed)) return answer(*printout);
  if (const auto* wrong = std::get_if<UsageError>(&parsed)) throw *wrong;
  return std::visit(Execute{cancellation}, std::get<Command>(parsed));
}

}  // namespace

int completion(const CompletionCommand& command, Output& out) {
  out.text(completion_script(command.shell, command_facts()));
  return kExitOk;
}

int run_program(int argc, const char* const* argv) {
  try {
    return dispatch(argc, argv);
  } catch (const OutputClosed&) {
    return kExitSignal + kBrokenPipe;
  } catch (const UsageError& wrong) {
    print_error(wrong.message, wrong.hint);
    return kExitUsage;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) {
      print_error("stopped by a signal");
      return kExitSignal + signal_received();
    }
    print_error(error.what());
    return exit_code_of(error.kind());
  } catch (const std::bad_alloc&) {
    print_error("out of memory");
    return kExitOutOfMemory;
  } catch (const std::exception& error) {
    print_error(std::string("internal fault: ") + error.what(), "please report this with the command that caused it");
    return kExitInternal;
  }
}

}  // namespace accelerate::cli
