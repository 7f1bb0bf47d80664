#include <algorithm>
#include <cmath>
#include <numeric>

#include "verify/expected.hpp"

namespace accelerate::verify {
namespace {

using Matrix = std::vector<std::vector<double>>;

Matrix rows_of(const Tensor& vectors) {
  Matrix rows;
  const auto values = vectors.as<float>();
  const auto width = static_cast<std::size_t>(vectors.dim(1));
  for (std::size_t begin = 0; begin < values.size(); begin += width) {
    const auto row = values.subspan(begin, width);
    rows.emplace_back(row.begin(), row.end());
  }
  return rows;
}

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

double cosine(const std::vector<double>& a, const std::vector<double>& b) {
  return dot(a, b) / std::sqrt(dot(a, a) * dot(b, b));
}

// Numbers of nested lists, in order.
void flatten(const Json& value, std::vector<double>& numbers) {
  if (!value.is_array()) {
    numbers.push_back(value.as_double());
    return;
  }
  for (const Json& item : value.items()) flatten(item, numbers);
}

std::vector<double> numbers_of(const Json& value) {
  std::vector<double> numbers;
  flatten(value, numbers);
  return numbers;
}

// The leading numbers of each row, as many as `expected` has.
std::vector<double> heads_of(const Matrix& rows, const Json& expected) {
  std::vector<double> heads;
  for (std::size_t i = 0; i < rows.size() && i < expected.items().size(); ++i) {
    const std::size_t count = std::min(expected.items()[i].items().size(), rows[i].size());
    heads.insert(heads.end(), rows[i].begin(), rows[i].begin() + static_cast<std::ptrdiff_t>(count));
  }
  return heads;
}

std::vector<double> cosines_of(const Matrix& rows) {
  std::vector<double> cosines;
  for (const auto& a : rows) {
    for (const auto& b : rows) cosines.push_back(cosine(a, b));
  }
  return cosines;
}

std::vector<double> norms_of(const Matrix& rows) {
  std::vector<double> norms;
  for (const auto& row : rows) norms.push_back(std::sqrt(dot(row, row)));
  return norms;
}

std::size_t nearest_of(const Matrix& rows, std::size_t i) {
  std::size_t best = rows.size();
  for (std::size_t j = 0; j < rows.size(); ++j) {
    if (j != i && (best == rows.size() || cosine(rows[i], rows[j]) > cosine(rows[i], rows[best]))) best = j;
  }
  return best;
}

void check_nearest(const Matrix& rows, const Json& expected, WeightKind weights, Source from, CaseReport& report) {
  std::vector<double> wanted, found;
  std::string different;
  for (const Json& each : expected.items()) {
    const auto sentence = static_cast<std::size_t>(each.at("sentence").as_int());
    const auto other = static_cast<std::size_t>(each.at("other").as_int());
    if (sentence >= rows.size() || other >= rows.size()) {
      throw Error(ErrorKind::corrupted, "names a sentence that is not there", "expected.nearest");
    }
    const std::size_t best = nearest_of(rows, sentence);
    if (best != other && different.empty()) {
      different = "sentence " + std::to_string(sentence) + ": found " + std::to_string(best) + " as the nearest, " +
                  "expected " + std::to_string(other);
    }
    wanted.push_back(each.at("cosine").as_double());
    found.push_back(cosine(rows[sentence], rows[other]));
  }
  add_check(report, from, "expected.nearest", different);
  add_check(report, from, "expected.nearest cosines", compare(wanted, found, tolerance_of(Quantity::score, weights)),
            tolerance_of(Quantity::score, weights));
}

}  // namespace

void check_vectors(const Tensor& vectors, const GoldenCase& golden, WeightKind weights, Source from,
                   CaseReport& report) {
  if (!golden.expected.is_object()) return;
  const Matrix rows = rows_of(vectors);
  for (const auto& [key, expected] : golden.expected.members()) {
    const std::string what = "expected." + key;
    try {
      if (key == "nearest") {
        check_nearest(rows, expected, weights, from, report);
        continue;
      }
      std::vector<double> found;
      Quantity quantity = Quantity::score;
      if (key == "mean_pooled_head" || key == "embedding_head") {
        found = heads_of(rows, expected);
        quantity = Quantity::rounded;
      } else if (key == "cosine") {
        found = cosines_of(rows);
      } else if (key == "norm") {
        found = norms_of(rows);
      } else {
        continue;
      }
      const Tolerance tolerance = tolerance_of(quantity, weights);
      add_check(report, from, what, compare(numbers_of(expected), found, tolerance), tolerance);
    } catch (const Error& error) {
      add_check(report, from, what, error);
    }
  }
}

}  // namespace accelerate::verify
