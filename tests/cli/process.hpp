// Runs the program as a user would and keeps what it printed.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace accelerate::cli::test {

struct Finished {
  int code = -1;  // exit code, or 128 + the signal that ended it
  std::string out, err;
  long peak_resident_kb = 0;
  double milliseconds = 0;
};

struct Call {
  std::vector<std::string> arguments;
  std::string input = {};                         // standard input; a pipe in any case
  std::vector<std::string> environment = {};      // "NAME=value", besides ours
  std::function<void(int process)> started = {};  // called with the process id once it runs
  std::string output = {};                        // a file that stdout goes to; empty: into Finished::out
  bool closes_output = false;                     // nobody reads stdout: the pipe is closed at once
};

// The program that was built with these tests.
Finished run_program(const Call& call);
inline Finished run_program(std::vector<std::string> arguments) {
  return run_program(Call{.arguments = std::move(arguments)});
}

// A folder of its own for each test, removed with it.
class Folder {
 public:
  Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder();
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }
  // Files in it, partial ones too.
  std::vector<std::string> names() const;

 private:
  std::filesystem::path path_;
};

// tests/goldens/models/NAME
std::filesystem::path fixture(const std::string& name);
// A copy of it in `folder`, for a test to break.
std::filesystem::path copy_of(const std::string& name, const Folder& folder);

void write(const std::filesystem::path& path, const std::string& text);
std::string read(const std::filesystem::path& path);

}  // namespace accelerate::cli::test
