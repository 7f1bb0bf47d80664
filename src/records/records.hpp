// What has been measured, compared and decided on this machine, kept in one SQLite file.
//
// Two classes for two needs. `Recorder` is for work whose answer must come whatever happens to its record (bench, run,
// verify): it never throws and says every loss through the sink it was made with. `Records` is the database itself, for
// whoever asks about it (the command `records`): everything that goes wrong is an Error.
//
//   Recorder recorder(default_path(), [&](const std::string& text) { out.note(text); });
//   const std::string hash = recorder.content_hash(model_folder);
//   recorder.add({.model = {.content_hash = hash, ...}, .device = {"cpu", "avx2"}, .precision = "int8",
//                 .content = Measurement{...}});
//   const auto found = recorder.latest<Agreement>({.model = hash, .device = "cpu", .precision = "int8"});
//
// Several processes and threads may read and write at once; a record is one transaction, so that a process that is
// killed loses at most the one it was writing.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "records/compatibility.hpp"
#include "records/record.hpp"

namespace accelerate::records {

// The variable ACCELERATE_RECORDS, where it is set: a file, or "off" (empty path: keep none). Else
// $XDG_DATA_HOME/ipfs-accelerate/records.sqlite, else ~/.local/share/ipfs-accelerate/records.sqlite; empty where there
// is no home either.
std::filesystem::path default_path();

// Which records; what is empty matches all. The newest come first.
struct Filter {
  std::optional<Kind> kind = {};
  std::string model = {};  // content hash or its beginning (6 digits at least), a folder's path, or its last name
  std::string device = {}, level = {}, precision = {};
  std::string code = {};     // a version or a commit that the build's description names
  std::string machine = {};  // its id or the beginning of it
  std::string workload = {};
  std::optional<std::int64_t> batch = {}, tokens = {};
  std::optional<int> threads = {};
  std::int64_t since_ms = 0;  // milliseconds since 1970
  std::size_t limit = 0;      // 0: all
};

// A record whose content is known.
template <typename T>
struct Found {
  Record record;
  const T& content() const { return std::get<T>(record.content); }
};

struct Imported {
  std::size_t added = 0, known = 0;  // known: their ids were there before, left as they are
};

enum class Access : std::uint8_t {
  write,  // made where it is missing
  read,   // nothing is added; a file that is missing holds no records, and stays missing
};

// How long to wait for another process that writes.
inline constexpr std::chrono::milliseconds kPatience{5000};

// The database. Safe to use from several threads.
class Records {
 public:
  // An older schema is brought to this build's. Error{unsupported}: a newer one (says which was found and expected), or
  // a database of another program. Error{unavailable}: locked for longer than `patience`, read-only, a full disk, a
  // folder that cannot be made. With Access::write, a corrupt file is moved aside to PATH.corrupt-YYYYMMDD-HHMMSS,
  // never deleted, and a new one begun: take_notes() says so. With Access::read it is Error{corrupted}.
  explicit Records(std::filesystem::path path, Access access = Access::write,
                   std::chrono::milliseconds patience = kPatience);
  Records(const Records&) = delete;
  Records& operator=(const Records&) = delete;
  ~Records();

  const std::filesystem::path& path() const;
  // What a person should be told since the last call: a corrupt file that was moved aside.
  [[nodiscard]] std::vector<std::string> take_notes();

  // On disk when it returns, with its id. Errors as the constructor's, and validate()'s.
  std::string add(Record record);
  // Newest first.
  std::vector<Record> list(const Filter& filter) const;
  std::optional<Record> latest(Filter filter) const;
  template <typename T>
  std::optional<Found<T>> latest(Filter filter) const;
  // By id or the beginning of it (4 characters at least). Error{not_found}; Error{invalid_input} when several begin so.
  Record find(std::string_view id) const;

  // Records as lines of JSON, oldest first, each with its schema version.
  std::string export_lines(const Filter& filter) const;
  // All lines or none. Error{invalid_input} "WHERE: line 7: ..." for a line that is no valid record,
  // Error{unsupported} for one of a newer schema. Records whose id is there already are counted and left alone.
  Imported import_lines(std::string_view text, std::string_view where);

  // What failed on this machine; the time and the count are this call's. Texts are cut at 4096 bytes.
  void add(CompatibilityError error);
  // All of them, the last met first.
  std::vector<CompatibilityError> compatibility_errors() const;

  // records::content_hash(folder), remembered by each file's path, size, times and inode, so that a second call reads
  // no weights. With Access::read what is remembered is used and nothing is added.
  std::string content_hash(const std::filesystem::path& folder);

 private:
  std::size_t insert_all(const std::vector<Record>& records);
  struct State;
  std::unique_ptr<State> state_;
};

// For work that must go on. Never throws; each different loss is told once, when it happens. Safe to use from several
// threads; the sink is then called from any of them, one at a time.
class Recorder {
 public:
  using Note = std::function<void(const std::string&)>;
  // An empty path keeps nothing and says nothing. The file is opened when it is first needed: by add() and
  // content_hash() for writing, by the other questions for reading, so that asking never makes a file.
  Recorder(std::filesystem::path path, Note note, std::chrono::milliseconds patience = kPatience);
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;
  ~Recorder();

  bool keeps_records() const;
  // The new record's id. Empty where none are kept or it was lost ("not recorded: PATH: ..." went to the sink).
  std::string add(Record record) noexcept;
  // How many add() lost.
  std::size_t lost() const;

  // As Records' own; false where none are kept or it was lost (told).
  bool add(CompatibilityError error) noexcept;

  // Nothing where there is none, none are kept or they cannot be read (told).
  std::optional<Record> latest(const Filter& filter) const noexcept;
  template <typename T>
  std::optional<Found<T>> latest(Filter filter) const noexcept;
  std::vector<Record> list(const Filter& filter) const noexcept;

  // As Records::content_hash; computed anew where the database cannot help. Throws only for the model's own files:
  // Error{not_found} and what core/file.hpp names.
  std::string content_hash(const std::filesystem::path& folder);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

template <typename T>
constexpr Kind kind_of() {
  if constexpr (std::is_same_v<T, Measurement>) return Kind::measurement;
  if constexpr (std::is_same_v<T, Agreement>) return Kind::agreement;
  if constexpr (std::is_same_v<T, LayerChoice>) return Kind::layer_choice;
  if constexpr (std::is_same_v<T, BatchChoice>) return Kind::batch_choice;
}

template <typename T>
std::optional<Found<T>> Records::latest(Filter filter) const {
  filter.kind = kind_of<T>();
  std::optional<Record> record = latest(std::move(filter));
  if (!record) return std::nullopt;
  return Found<T>{std::move(*record)};
}

template <typename T>
std::optional<Found<T>> Recorder::latest(Filter filter) const noexcept {
  filter.kind = kind_of<T>();
  std::optional<Record> record = latest(static_cast<const Filter&>(filter));
  if (!record) return std::nullopt;
  return Found<T>{std::move(*record)};
}

}  // namespace accelerate::records
