#include "cli/run_output.hpp"

#include <array>
#include <charconv>

#include "checkpoint/numpy.hpp"
#include "checkpoint/safetensors.hpp"
#include "cli/arguments.hpp"
#include "core/file.hpp"

namespace accelerate::cli {
namespace {

std::span<const float> vector_of(const TaskResults& results, std::size_t row) {
  const auto width = static_cast<std::size_t>(results.vectors.dim(1));
  return results.vectors.as<float>().subspan(row * width, width);
}

class JsonFile final : public ResultFile {
 public:
  JsonFile(const std::string& path, bool lines) : file_(path), lines_(lines) {
    if (!lines_) file_.write("[");
  }
  void append(const TaskResults& results) override {
    std::string text;
    for (std::size_t i = 0; i < results.rows.size(); ++i) {
      if (!lines_) text += first_ ? "\n" : ",\n";
      first_ = false;
      text += row_with_vector(results, i).dump();
      if (lines_) text += '\n';
    }
    file_.write(text);
  }
  void commit() override {
    if (!lines_) file_.write("\n]\n");
    file_.commit();
  }

 private:
  AtomicFile file_;
  bool lines_, first_ = true;
};

class NpyFile final : public ResultFile {
 public:
  explicit NpyFile(std::string path) : path_(std::move(path)), probe_(std::make_unique<AtomicFile>(path_)) {}
  void append(const TaskResults& results) override {
    if (!writer_) {
      probe_.reset();
      writer_ = std::make_unique<NpyWriter>(path_, DType::f32, Dims{results.vectors.dim(1)});
    }
    writer_->append(results.vectors);
  }
  void commit() override { writer_->commit(); }

 private:
  std::string path_;
  std::unique_ptr<AtomicFile> probe_;  // an unwritable target shows before the work, not after
  std::unique_ptr<NpyWriter> writer_;
};

class SafetensorsOutput final : public ResultFile {
 public:
  explicit SafetensorsOutput(std::string path) : path_(std::move(path)) { const AtomicFile probe(path_); }
  void append(const TaskResults& results) override {
    const auto values = results.vectors.as<float>();
    width_ = results.vectors.dim(1);
    values_.insert(values_.end(), values.begin(), values.end());
  }
  void commit() override {
    const auto rows = static_cast<std::int64_t>(values_.size()) / width_;
    write_safetensors(path_, {{"sentence_embedding", Tensor::of<float>({rows, width_}, values_)}});
  }

 private:
  std::string path_;
  std::vector<float> values_;
  std::int64_t width_ = 1;
};

// RFC 4180: fields with a comma, a quote or a line end stand in quotes, quotes are doubled.
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string csv_field(const Json& value) { return value.is_string() ? csv_field(value.as_string()) : value.dump(); }

// One line an entry: every row's own fields, then each entry's. Vectors: a column a number.
class CsvFile final : public ResultFile {
 public:
  explicit CsvFile(const std::string& path) : file_(path) {}

  void append(const TaskResults& results) override {
    std::string text;
    for (std::size_t i = 0; i < results.rows.size(); ++i) {
      if (results.vectors.empty()) {
        add_entries(results.rows[i], text);
      } else {
        add_vector(results, i, text);
      }
    }
    file_.write(text);
  }
  void commit() override { file_.commit(); }

 private:
  void add_vector(const TaskResults& results, std::size_t row, std::string& text) {
    std::vector<std::pair<std::string, std::string>> fields = {
        {"text", csv_field(results.rows[row].at("text").as_string())}};
    const std::span<const float> vector = vector_of(results, row);
    for (std::size_t i = 0; i < vector.size(); ++i) {
      std::array<char, 32> number{};
      char* const end = std::to_chars(number.data(), number.data() + number.size(), vector[i]).ptr;
      fields.emplace_back(std::to_string(i), std::string(number.data(), end));
    }
    add_line(fields, text);
  }

  void add_entries(const Json& row, std::string& text) {
    std::vector<std::pair<std::string, std::string>> own;
    const Json* entries = nullptr;
    for (const auto& [key, value] : row.members()) {
      if (value.is_array()) {
        entries = &value;
      } else {
        own.emplace_back(key, csv_field(value));
      }
    }
    if (entries == nullptr) return;
    for (const Json& entry : entries->items()) {
      if (const Json* top = entry.find("top")) {
        for (const Json& word : top->items()) add_entry(own, entry, &word, text);
      } else {
        add_entry(own, entry, nullptr, text);
      }
    }
  }

  void add_entry(std::vector<std::pair<std::string, std::string>> fields, const Json& entry, const Json* inner,
                 std::string& text) {
    for (const Json* object : {&entry, inner}) {
      if (object == nullptr) continue;
      for (const auto& [key, value] : object->members()) {
        if (!value.is_array()) fields.emplace_back(key, csv_field(value));
      }
    }
    add_line(fields, text);
  }

  void add_line(const std::vector<std::pair<std::string, std::string>>& fields, std::string& text) {
    const auto line = [&text, &fields](bool names) {
      for (std::size_t i = 0; i < fields.size(); ++i) {
        if (i > 0) text += ',';
        text += names ? csv_field(fields[i].first) : fields[i].second;
      }
      text += "\r\n";
    };
    if (!headed_) line(true);
    headed_ = true;
    line(false);
  }

  AtomicFile file_;
  bool headed_ = false;
};

}  // namespace

Json row_with_vector(const TaskResults& results, std::size_t row) {
  Json json = results.rows.at(row);
  if (results.vectors.empty()) return json;
  Json numbers = Json::array();
  for (const float value : vector_of(results, row)) numbers.push(shortest(value));
  return json.set("embedding", std::move(numbers));
}

std::unique_ptr<ResultFile> create_result_file(const std::string& path, const std::string& task) {
  const bool vectors = task == "embed";
  if (path.ends_with(".json")) return std::make_unique<JsonFile>(path, false);
  if (path.ends_with(".jsonl")) return std::make_unique<JsonFile>(path, true);
  if (path.ends_with(".csv")) return std::make_unique<CsvFile>(path);
  if (vectors && path.ends_with(".npy")) return std::make_unique<NpyFile>(path);
  if (vectors && path.ends_with(".safetensors")) return std::make_unique<SafetensorsOutput>(path);
  throw UsageError{
      "--output: " + path + " does not end in " + (vectors ? ".npy, .safetensors, " : "") + ".json, .jsonl or .csv",
      vectors ? "" : "arrays (.npy, .safetensors) are for the task embed; --save-tensors writes logits"};
}

}  // namespace accelerate::cli
