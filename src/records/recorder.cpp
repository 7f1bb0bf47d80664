#include <algorithm>
#include <mutex>
#include <set>

#include "records/content_hash.hpp"
#include "records/records.hpp"

namespace accelerate::records {
namespace {

namespace fs = std::filesystem;

// After a first wait in vain the next ones are short: a bench of many rows must not wait for each.
constexpr std::chrono::milliseconds kShortPatience{100};

std::string one_line(const Error& error) {
  std::string text = error.where().empty() ? error.message() : error.where() + ": " + error.message();
  if (!error.hint().empty()) text += " (" + error.hint() + ")";
  return text;
}

}  // namespace

struct Recorder::State {
  fs::path path;
  Note note;
  std::chrono::milliseconds patience;
  std::mutex mutex;
  std::unique_ptr<Records> writer, reader;
  std::size_t lost = 0;
  std::set<std::string> told;

  void tell(const std::string& text) noexcept {
    try {
      if (told.insert(text).second && note) note(text);
    } catch (...) {
      // A sink that fails has nobody to tell it to.
    }
  }

  void tell_notes(Records& records) {
    for (const std::string& text : records.take_notes()) tell(text);
  }

  Records& open_writer() {
    if (!writer) writer = std::make_unique<Records>(path, Access::write, patience);
    tell_notes(*writer);
    return *writer;
  }

  // Null where there is no file yet.
  Records* open_reader() {
    if (writer) return writer.get();
    std::error_code ignored;
    if (!fs::exists(path, ignored)) return nullptr;
    if (!reader) reader = std::make_unique<Records>(path, Access::read, patience);
    return reader.get();
  }

  void give_up(const std::string& what, const Error& error) noexcept {
    if (error.kind() == ErrorKind::unavailable) patience = std::min(patience, kShortPatience);
    writer.reset();
    reader.reset();
    try {
      tell(what + one_line(error));
    } catch (...) {
      // No memory even for the words.
    }
  }

  // call(), its failures told with `what` before them.
  template <typename Result, typename Call>
  Result guarded(const char* what, Result otherwise, Call&& call) noexcept {
    try {
      return call();
    } catch (const Error& error) {
      give_up(what, error);
    } catch (const std::exception& error) {
      give_up(what, Error(ErrorKind::internal, error.what()));
    }
    return otherwise;
  }
};

Recorder::Recorder(fs::path path, Note note, std::chrono::milliseconds patience) : state_(std::make_unique<State>()) {
  state_->path = std::move(path);
  state_->note = std::move(note);
  state_->patience = patience;
}

Recorder::~Recorder() = default;

bool Recorder::keeps_records() const { return !state_->path.empty(); }

std::size_t Recorder::lost() const {
  const std::lock_guard guard(state_->mutex);
  return state_->lost;
}

std::string Recorder::add(Record record) noexcept {
  if (!keeps_records()) return {};
  const std::lock_guard guard(state_->mutex);
  std::string id = state_->guarded("not recorded: ", std::string(), [&] {
    Records& records = state_->open_writer();
    std::string added = records.add(std::move(record));
    state_->tell_notes(records);
    return added;
  });
  if (id.empty()) ++state_->lost;
  return id;
}

bool Recorder::add(CompatibilityError error) noexcept {
  if (!keeps_records()) return false;
  const std::lock_guard guard(state_->mutex);
  return state_->guarded("not recorded: ", false, [&] {
    Records& records = state_->open_writer();
    records.add(std::move(error));
    state_->tell_notes(records);
    return true;
  });
}

std::vector<Record> Recorder::list(const Filter& filter) const noexcept {
  if (!keeps_records()) return {};
  const std::lock_guard guard(state_->mutex);
  return state_->guarded("records cannot be read: ", std::vector<Record>(), [&] {
    Records* records = state_->open_reader();
    return records == nullptr ? std::vector<Record>() : records->list(filter);
  });
}

std::optional<Record> Recorder::latest(const Filter& filter) const noexcept {
  if (!keeps_records()) return std::nullopt;
  const std::lock_guard guard(state_->mutex);
  return state_->guarded("records cannot be read: ", std::optional<Record>(), [&]() -> std::optional<Record> {
    Records* records = state_->open_reader();
    return records == nullptr ? std::nullopt : records->latest(filter);
  });
}

std::string Recorder::content_hash(const fs::path& folder) {
  if (!keeps_records()) return records::content_hash(folder);
  const std::lock_guard guard(state_->mutex);
  try {
    return state_->open_writer().content_hash(folder);
  } catch (const Error&) {
    // A database that cannot help costs time, not the answer, and add() says what is wrong with it. A folder that
    // cannot be read fails again below.
  }
  return records::content_hash(folder);
}

}  // namespace accelerate::records
