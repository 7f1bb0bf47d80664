#include "records/records.hpp"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <mutex>
#include <utility>

#include "core/variables.hpp"
#include "records/content_hash.hpp"
#include "records/database_file.hpp"
#include "records/store.hpp"

namespace accelerate::records {
namespace {

namespace fs = std::filesystem;

// Version 4 of RFC 9562: random but for the six bits that say so.
std::string new_id() {
  std::array<unsigned char, 16> bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    throw Error(ErrorKind::internal, "the system gives no random numbers");
  }
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string id;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) id += '-';
    id += {kDigits[bytes[i] >> 4], kDigits[bytes[i] & 15]};
  }
  return id;
}

std::int64_t now_ms() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
}

void complete(Record& record) {
  if (record.id.empty()) record.id = new_id();
  if (record.time_ms == 0) record.time_ms = now_ms();
  if (record.machine.id.empty()) record.machine = this_machine();
  if (record.code.version.empty() && record.code.build.empty()) record.code = this_code();
}

// What a driver said is kept whatever it was: cut and without zero bytes, which no column takes.
void complete(CompatibilityError& error) {
  constexpr std::size_t kLongestText = 4096;
  for (std::string* text :
       {&error.hardware, &error.kind, &error.component, &error.model, &error.message, &error.advice}) {
    text->resize(std::min(text->size(), kLongestText));
    std::replace(text->begin(), text->end(), '\0', ' ');
  }
  error.first_ms = error.last_ms = now_ms();
  error.times = 1;
  error.machine = this_machine();
  error.code = this_code();
}

// A file that is still being written may change again within the clock's grain, and be taken for the same.
bool is_settled(const FileIdentity& file) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  return now_ms() * 1'000'000 - std::max(file.modified_ns, file.changed_ns) > kSecond;
}

}  // namespace

fs::path default_path() {
  const std::string chosen = environment_variable("ACCELERATE_RECORDS");
  if (chosen == "off") return {};
  if (!chosen.empty()) return chosen;
  const std::string data = environment_variable("XDG_DATA_HOME");
  // The specification has relative ones ignored.
  if (data.starts_with("/")) return fs::path(data) / "ipfs-accelerate/records.sqlite";
  const std::string home = environment_variable("HOME");
  if (home.empty()) return {};
  return fs::path(home) / ".local/share/ipfs-accelerate/records.sqlite";
}

struct Records::State {
  fs::path path;
  Access access;
  std::chrono::milliseconds patience;
  mutable std::mutex mutex;
  std::optional<Connection> connection;
  FileIdentity opened;
  std::vector<std::string> notes;

  void open() {
    connection.reset();
    if (access == Access::read) {
      connection = open_for_reading(path, patience);
      return;
    }
    try {
      connection = open_for_writing(path, patience);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::corrupted) throw;
      replace();
    }
    opened = identity_of(path);
  }

  void replace() {
    connection.reset();
    Recovered recovered = recover(path, patience);
    if (recovered.aside) {
      notes.push_back(path.string() + " was damaged: it lies now in " + recovered.aside->string() +
                      " and a new one was begun");
    }
    connection = std::move(recovered.connection);
    opened = identity_of(path);
  }

  // Another process may have moved the file aside, or somebody deleted it: what is written now must not go there.
  void reopen_if_replaced() {
    try {
      const FileIdentity now = identity_of(path);
      if (connection && now.device == opened.device && now.inode == opened.inode) return;
    } catch (const Error&) {
      // It is gone.
    }
    open();
  }

  // call(connection), on a sound database. With Access::read and nothing there: `otherwise`.
  template <typename Result, typename Call>
  Result with(Result otherwise, Call&& call) {
    const std::lock_guard guard(mutex);
    if (access == Access::read) return connection ? call(*connection) : otherwise;
    reopen_if_replaced();
    try {
      return call(*connection);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::corrupted) throw;
    }
    replace();
    return call(*connection);
  }

  std::string checksum(const fs::path& file) {
    const FileIdentity identity = identity_of(file);
    const auto known =
        with(std::optional<std::string>(), [&](const Connection& c) { return known_checksum(c, identity); });
    if (known) return *known;
    std::string sum = sha256_of_file(file);
    if (access == Access::write && is_settled(identity) && identity_of(file) == identity) remember(identity, sum);
    return sum;
  }

  // Remembering saves time and nothing else: without it the answer is the same.
  void remember(const FileIdentity& identity, const std::string& sum) {
    try {
      with(false, [&](const Connection& c) {
        remember_checksum(c, identity, sum);
        return true;
      });
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::unavailable) throw;
    }
  }
};

Records::Records(fs::path path, Access access, std::chrono::milliseconds patience) : state_(std::make_unique<State>()) {
  if (path.empty()) {
    throw Error(ErrorKind::invalid_input, "no records are kept", {},
                "ACCELERATE_RECORDS is \"off\", or there is neither XDG_DATA_HOME nor HOME");
  }
  state_->path = std::move(path);
  state_->access = access;
  state_->patience = patience;
  state_->open();
}

Records::~Records() = default;

const fs::path& Records::path() const { return state_->path; }

std::vector<std::string> Records::take_notes() {
  const std::lock_guard guard(state_->mutex);
  return std::exchange(state_->notes, {});
}

std::string Records::add(Record record) {
  complete(record);
  validate(record);
  if (state_->access == Access::read) throw Error(ErrorKind::internal, "is open for reading", path().string());
  const bool added = state_->with(false, [&](const Connection& connection) {
    Transaction transaction(connection);
    const bool is_new = insert(connection, record, Paths::newest);
    transaction.commit();
    return is_new;
  });
  if (!added) throw Error(ErrorKind::invalid_input, "has a record " + record.id + " already", path().string());
  return record.id;
}

void Records::add(CompatibilityError error) {
  complete(error);
  if (state_->access == Access::read) throw Error(ErrorKind::internal, "is open for reading", path().string());
  state_->with(false, [&](const Connection& connection) {
    Transaction transaction(connection);
    insert(connection, error);
    transaction.commit();
    return true;
  });
}

std::vector<CompatibilityError> Records::compatibility_errors() const {
  return state_->with(std::vector<CompatibilityError>(), [](const Connection& c) { return select_errors(c); });
}

std::vector<Record> Records::list(const Filter& filter) const {
  return state_->with(std::vector<Record>(), [&](const Connection& c) { return select(c, filter); });
}

std::optional<Record> Records::latest(Filter filter) const {
  filter.limit = 1;
  std::vector<Record> found = list(filter);
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

Record Records::find(std::string_view id) const {
  if (id.size() < 4) {
    throw Error(ErrorKind::invalid_input, "\"" + std::string(id) + "\" is too short for a record's id", {},
                "give at least four of its characters");
  }
  const std::vector<std::string> ids =
      state_->with(std::vector<std::string>(), [&](const Connection& c) { return ids_like(c, id); });
  if (ids.empty()) {
    throw Error(ErrorKind::not_found, "has no record " + std::string(id.substr(0, 40)), path().string(),
                "ipfs-accelerate records list shows what there is");
  }
  if (ids.size() > 1) {
    throw Error(ErrorKind::invalid_input,
                "several records begin with " + std::string(id) + ": " + ids[0] + ", " + ids[1], path().string());
  }
  const auto record = state_->with(std::optional<Record>(), [&](const Connection& c) { return record_of(c, ids[0]); });
  if (!record) throw Error(ErrorKind::not_found, "has no record " + ids[0], path().string());
  return *record;
}

std::string Records::content_hash(const fs::path& folder) {
  return records::content_hash(folder, [this](const fs::path& file) { return state_->checksum(file); });
}

// Defined here because it inserts under the lock; export_lines and the reading of lines are in exchange.cpp.
std::size_t Records::insert_all(const std::vector<Record>& records) {
  return state_->with(std::size_t{0}, [&](const Connection& connection) {
    Transaction transaction(connection);
    std::size_t added = 0;
    for (const Record& record : records) added += insert(connection, record, Paths::known) ? 1 : 0;
    transaction.commit();
    return added;
  });
}

}  // namespace accelerate::records
