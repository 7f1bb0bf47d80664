#include "cli/run_input.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "accelerate/error.hpp"
#include "cli/arguments.hpp"
#include "core/json.hpp"

namespace accelerate::cli {
namespace {

class GivenTexts final : public TextSource {
 public:
  explicit GivenTexts(std::vector<TextItem> items) : items_(std::move(items)) {}

  std::vector<TextItem> next(std::size_t count) override {
    const std::size_t end = std::min(items_.size(), next_ + count);
    std::vector<TextItem> taken(items_.begin() + static_cast<std::ptrdiff_t>(next_),
                                items_.begin() + static_cast<std::ptrdiff_t>(end));
    next_ = end;
    return taken;
  }
  double fraction() const override {
    return items_.empty() ? 1.0 : static_cast<double>(next_) / static_cast<double>(items_.size());
  }

 private:
  std::vector<TextItem> items_;
  std::size_t next_ = 0;
};

// Lines of a file or of standard input, without their ends ("\n" or "\r\n").
class LineReader {
 public:
  LineReader(const std::string& path, Cancellation cancellation)
      : name_(path == "-" ? "stdin" : path), cancellation_(std::move(cancellation)) {
    if (path == "-") {
      descriptor_ = ::dup(STDIN_FILENO);
    } else {
      descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    }
    if (descriptor_ < 0) throw Error(ErrorKind::not_found, std::string("cannot be read: ") + strerror(errno), name_);
    struct stat status {};
    if (::fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode)) size_ = status.st_size;
    if (S_ISDIR(status.st_mode)) {
      ::close(descriptor_);
      throw Error(ErrorKind::invalid_input, "is a folder, expected a file of lines", name_);
    }
  }
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;
  ~LineReader() { ::close(descriptor_); }

  bool next(std::string& line) {
    for (;;) {
      const std::size_t end = buffer_.find('\n', searched_);
      if (end != std::string::npos || (ended_ && begin_ < buffer_.size())) {
        take(line, std::min(end, buffer_.size()));
        return true;
      }
      if (ended_) return false;
      searched_ = buffer_.size();
      fill();
    }
  }

  const std::string& name() const { return name_; }
  std::string place() const { return name_ + ": line " + std::to_string(lines_); }
  double fraction() const {
    if (size_ <= 0) return -1;
    const auto unread = static_cast<std::int64_t>(buffer_.size() - begin_);
    return static_cast<double>(read_ - unread) / static_cast<double>(size_);
  }

 private:
  void take(std::string& line, std::size_t end) {
    line.assign(buffer_, begin_, end - begin_);
    if (lines_ == 0 && line.starts_with("\xef\xbb\xbf")) line.erase(0, 3);
    if (line.ends_with('\r')) line.pop_back();
    begin_ = searched_ = std::min(end + 1, buffer_.size());
    ++lines_;
  }

  void fill() {
    constexpr std::size_t kPiece = 1 << 18;
    buffer_.erase(0, begin_);
    searched_ -= begin_;
    begin_ = 0;
    const std::size_t kept = buffer_.size();
    buffer_.resize(kept + kPiece);
    ssize_t got = -1;
    while ((got = ::read(descriptor_, buffer_.data() + kept, kPiece)) < 0 && errno == EINTR) cancellation_.check();
    buffer_.resize(kept + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0) throw Error(ErrorKind::invalid_input, std::string("cannot be read: ") + strerror(errno), name_);
    ended_ = got == 0;
    read_ += got;
  }

  std::string name_, buffer_;
  Cancellation cancellation_;
  int descriptor_ = -1;
  std::int64_t size_ = 0, read_ = 0, lines_ = 0;
  std::size_t begin_ = 0, searched_ = 0;  // of the next line; up to where it has no end
  bool ended_ = false;
};

std::string text_in(const Json& json, std::initializer_list<const char*> names, const std::string& where) {
  for (const char* name : names) {
    const Json* found = json.find(name);
    if (found == nullptr) continue;
    if (!found->is_string()) {
      throw Error(ErrorKind::invalid_input,
                  std::string("\"") + name + "\": found " + std::string(found->kind_name()) + ", expected a string",
                  where);
    }
    return found->as_string();
  }
  throw Error(ErrorKind::invalid_input, std::string("has no \"") + *names.begin() + "\"", where,
              "a line looks like {\"text\": \"...\"} or {\"text\": \"...\", \"pair\": \"...\"}");
}

class FileTexts final : public TextSource {
 public:
  FileTexts(const std::string& path, Pairs pairs, const Cancellation& cancellation)
      : lines_(path, cancellation), pairs_(pairs) {
    json_ = path.ends_with(".jsonl") || path.ends_with(".ndjson");
    has_line_ = lines_.next(line_);
    if (!has_line_) {
      throw Error(ErrorKind::invalid_input, "is empty, expected one text a line", lines_.name());
    }
    // A file says by its name what it is, standard input by how it begins.
    if (path == "-") json_ = line_.starts_with("{\"");
  }

  std::vector<TextItem> next(std::size_t count) override {
    std::vector<TextItem> items;
    while (has_line_ && items.size() < count) {
      items.push_back(json_ ? from_json() : from_line());
      has_line_ = lines_.next(line_);
    }
    return items;
  }
  double fraction() const override { return has_line_ ? lines_.fraction() : 1.0; }

 private:
  TextItem from_line() {
    TextItem item{line_, std::nullopt, lines_.place()};
    if (pairs_ != Pairs::needed) return item;
    const std::size_t tab = line_.find('\t');
    if (tab == std::string::npos) {
      throw Error(ErrorKind::invalid_input, "holds one text, expected two with a tab between them", item.where);
    }
    item.pair = line_.substr(tab + 1);
    item.text.resize(tab);
    return item;
  }

  TextItem from_json() {
    const std::string where = lines_.place();
    Json json;
    try {
      json = Json::parse(line_, where);
    } catch (const Error& error) {
      throw Error(ErrorKind::invalid_input, error.message(), error.where(), error.hint());
    }
    TextItem item{text_in(json, {"text", "question"}, where), std::nullopt, where};
    const bool has_pair =
        json.find("pair") != nullptr || json.find("text_pair") != nullptr || json.find("context") != nullptr;
    check_pair(has_pair, where);
    if (pairs_ == Pairs::needed || has_pair) item.pair = text_in(json, {"pair", "text_pair", "context"}, where);
    return item;
  }

  void check_pair(bool has_pair, const std::string& where) {
    if (has_pair && pairs_ == Pairs::none) {
      throw Error(ErrorKind::invalid_input, "has a second text, but this task takes one text at a time", where,
                  "pairs are for text-classification and question-answering (--task)");
    }
    if (pairs_ != Pairs::optional) return;
    if (paired_.value_or(has_pair) != has_pair) {
      throw Error(ErrorKind::invalid_input,
                  has_pair ? "has a second text, but the lines before it have none"
                           : "has no second text (\"pair\"), but the lines before it have one",
                  where);
    }
    paired_ = has_pair;
  }

  LineReader lines_;
  Pairs pairs_;
  std::optional<bool> paired_;  // whether the lines so far are pairs, where they need not be
  bool json_ = false, has_line_ = false;
  std::string line_;
};

// "--question Q CONTEXT...", "--context C QUESTION...", both, or pairs in order.
std::vector<TextItem> given_items(const RunCommand& command, bool pairs) {
  std::vector<TextItem> items;
  const auto place = [](std::size_t i) { return "text " + std::to_string(i + 1); };
  if (command.question && command.context) return {{*command.question, *command.context, "text 1"}};
  if (command.question || command.context) {
    for (std::size_t i = 0; i < command.texts.size(); ++i) {
      const std::string& text = command.texts[i];
      items.push_back(command.question ? TextItem{*command.question, text, place(i)}
                                       : TextItem{text, *command.context, place(i)});
    }
    return items;
  }
  if (!pairs) {
    for (std::size_t i = 0; i < command.texts.size(); ++i) items.push_back({command.texts[i], std::nullopt, place(i)});
    return items;
  }
  if (command.texts.size() % 2 != 0) {
    throw UsageError{"texts come in twos here, found " + std::to_string(command.texts.size()), ""};
  }
  for (std::size_t i = 0; i < command.texts.size(); i += 2) {
    items.push_back({command.texts[i], command.texts[i + 1], place(i)});
  }
  return items;
}

}  // namespace

std::unique_ptr<TextSource> open_texts(const RunCommand& command, Pairs pairs, const Cancellation& cancellation) {
  const bool both = command.question && command.context;
  const bool given = !command.texts.empty() || both;
  if (given && command.input) throw UsageError{"texts are given and --input too", "one of the two"};
  if (both && !command.texts.empty()) {
    throw UsageError{"--question and --context are given, and further texts too", "leave one of them out"};
  }
  if (given) return std::make_unique<GivenTexts>(given_items(command, pairs == Pairs::needed));
  if (command.question || command.context) {
    throw UsageError{command.question ? "--question needs --context" : "--context needs --question", ""};
  }
  if (!command.input && ::isatty(STDIN_FILENO) == 1) {
    throw UsageError{"no texts given", "ipfs-accelerate run MODEL \"A sentence.\", or --input FILE (- for stdin)"};
  }
  return std::make_unique<FileTexts>(command.input.value_or("-"), pairs, cancellation);
}

}  // namespace accelerate::cli
