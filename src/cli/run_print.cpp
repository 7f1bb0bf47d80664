#include "cli/run_print.hpp"

#include <algorithm>
#include <cmath>

#include "cli/text_width.hpp"

namespace accelerate::cli {
namespace {

constexpr std::size_t kMostRows = 40, kMostCosines = 12, kTextWidth = 48;

std::string short_text(const Json& row, const char* field) {
  return shortened(printable(row.at(field).as_string()), kTextWidth);
}

// A text, with its pair where there is one.
std::string text_cell(const Json& row) {
  const std::string text = short_text(row, "text");
  return row.find("pair") == nullptr ? text : text + " | " + short_text(row, "pair");
}

std::span<const float> vector_of(const Tensor& vectors, std::size_t row) {
  const auto width = static_cast<std::size_t>(vectors.dim(1));
  return vectors.as<float>().subspan(row * width, width);
}

double dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

void print_cosines(const Tensor& vectors, std::size_t count, Output& out) {
  std::vector<Table::Column> columns = {{"cosine"}};
  for (std::size_t i = 0; i < count; ++i) columns.push_back({std::to_string(i + 1), Align::right});
  Table table(columns);
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<std::string> cells = {std::to_string(i + 1)};
    const auto a = vector_of(vectors, i);
    for (std::size_t j = 0; j < count; ++j) {
      const auto b = vector_of(vectors, j);
      cells.push_back(fixed_text(dot(a, b) / std::sqrt(dot(a, a) * dot(b, b)), 4));
    }
    table.row(std::move(cells));
  }
  out.line();
  out.print(table);
}

void print_vectors(const TaskResults& results, std::size_t count, Output& out) {
  constexpr std::size_t kFirst = 4;
  const auto width = static_cast<std::size_t>(results.vectors.dim(1));
  Table table(
      {{"", Align::right}, {"text"}, {"first of " + std::to_string(width) + " numbers"}, {"norm", Align::right}});
  for (std::size_t i = 0; i < count; ++i) {
    const auto vector = vector_of(results.vectors, i);
    std::string numbers;
    for (std::size_t k = 0; k < std::min(kFirst, width); ++k) {
      const std::string number = fixed_text(static_cast<double>(vector[k]), 4);
      numbers += (k > 0 ? "  " : "") + std::string(number.starts_with('-') ? "" : " ") + number;
    }
    table.row({std::to_string(i + 1), text_cell(results.rows[i]), numbers + (width > kFirst ? "  ..." : ""),
               fixed_text(std::sqrt(dot(vector, vector)), 4)});
  }
  out.print(table);
  if (count == results.rows.size() && count > 1 && count <= kMostCosines) print_cosines(results.vectors, count, out);
}

std::string score_text(const Json& record) { return fixed_text(record.at("score").as_double(), 4); }

// The text stands in the first line of its entries only.
void print_scores(const TaskResults& results, std::size_t count, Output& out) {
  Table table({{"", Align::right}, {"text"}, {"label"}, {"score", Align::right}});
  for (std::size_t i = 0; i < count; ++i) {
    bool first = true;
    for (const Json& score : results.rows[i].at("scores").items()) {
      table.row({first ? std::to_string(i + 1) : "", first ? text_cell(results.rows[i]) : "",
                 score.at("label").as_string(), score_text(score)});
      first = false;
    }
  }
  out.print(table);
}

void print_masks(const TaskResults& results, std::size_t count, Output& out) {
  Table table({{"", Align::right}, {"text"}, {"mask", Align::right}, {"token"}, {"score", Align::right}});
  for (std::size_t i = 0; i < count; ++i) {
    bool first = true;
    std::int64_t number = 0;
    for (const Json& mask : results.rows[i].at("masks").items()) {
      ++number;
      bool first_of_mask = true;
      for (const Json& word : mask.at("top").items()) {
        table.row({first ? std::to_string(i + 1) : "", first ? text_cell(results.rows[i]) : "",
                   first_of_mask ? std::to_string(number) : "", word.at("label").as_string(), score_text(word)});
        first = first_of_mask = false;
      }
    }
  }
  out.print(table);
}

void print_entities(const TaskResults& results, std::size_t count, Output& out) {
  Table table({{"", Align::right}, {"label"}, {"word"}, {"score", Align::right}, {"characters"}});
  for (std::size_t i = 0; i < count; ++i) {
    const Json::Array& entities = results.rows[i].at("entities").items();
    if (entities.empty()) table.row({std::to_string(i + 1), "none", "", "", ""});
    bool first = true;
    for (const Json& entity : entities) {
      table.row({first ? std::to_string(i + 1) : "", entity.at("label").as_string(), entity.at("word").as_string(),
                 score_text(entity),
                 std::to_string(entity.at("start").as_int()) + " to " + std::to_string(entity.at("end").as_int())});
      first = false;
    }
  }
  out.print(table);
}

void print_answers(const TaskResults& results, std::size_t count, Output& out) {
  Table table({{"", Align::right}, {"question"}, {"answer"}, {"score", Align::right}, {"characters"}});
  for (std::size_t i = 0; i < count; ++i) {
    bool first = true;
    for (const Json& found : results.rows[i].at("answers").items()) {
      const std::string& text = found.at("answer").as_string();
      table.row({first ? std::to_string(i + 1) : "", first ? short_text(results.rows[i], "question") : "",
                 text.empty() ? "(no answer)" : text, score_text(found),
                 std::to_string(found.at("start").as_int()) + " to " + std::to_string(found.at("end").as_int())});
      first = false;
    }
  }
  out.print(table);
}

}  // namespace

void print_results(const TaskResults& results, const std::string& task, Output& out) {
  const std::size_t count = std::min(results.rows.size(), kMostRows);
  if (!results.vectors.empty()) {
    print_vectors(results, count, out);
  } else if (task == "text-classification") {
    print_scores(results, count, out);
  } else if (task == "fill-mask") {
    print_masks(results, count, out);
  } else if (task == "token-classification") {
    print_entities(results, count, out);
  } else {
    print_answers(results, count, out);
  }
  if (count < results.rows.size()) {
    out.line("... and " + std::to_string(results.rows.size() - count) + " more: --json or --output FILE has all");
  }
}

}  // namespace accelerate::cli
