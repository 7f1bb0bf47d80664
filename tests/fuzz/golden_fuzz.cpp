// Any text as the cases.json of a golden folder: an Error that is the text's fault, or cases whose parts fit together
// and whose expectations can be compared with whatever a model gives.
// Layers: verify runtime records models backends hardware lowering graph decoding text checkpoint core
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "verify/expected.hpp"
#include "verify/golden.hpp"

namespace {

using namespace accelerate;

template <typename Call>
void attempt(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::internal) std::abort();
  }
}

void check(const verify::GoldenCase& each, verify::WeightKind weights) {
  if (!each.pairs.empty() && each.pairs.size() != each.texts.size()) std::abort();
  if (each.questions.size() != each.contexts.size()) std::abort();
  if (!each.pairs.empty()) verify::pairs_of(each);
  attempt([&] { verify::read_tensors(each); });
  if (!verify::expects_vectors(each)) return;
  const Tensor vectors(DType::f32, {static_cast<std::int64_t>(each.texts.empty() ? 1 : each.texts.size()), 4});
  verify::CaseReport report;
  attempt([&] { verify::check_vectors(vectors, each, weights, verify::Source::text, report); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  attempt([&] {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const verify::GoldenFolder folder = verify::parse_golden(text, "no such folder");
    if (folder.cases.empty()) std::abort();
    for (const verify::GoldenCase& each : folder.cases) check(each, folder.weights);
  });
  return 0;
}
