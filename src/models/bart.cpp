// BART (Lewis et al. 2020): learned positions behind two rows of none.
#include "models/bart_layers.hpp"
#include "models/register.hpp"

namespace accelerate {
namespace {

class Bart final : public BartLayers {
 public:
  std::string_view model_type() const override { return "bart"; }
  std::string_view tokenizer_class() const override { return "BartTokenizer"; }

 protected:
  std::int64_t position_offset() const override { return 2; }
  bool norms_embedding() const override { return true; }
};

}  // namespace

const Architecture& bart() {
  static const Bart architecture;
  return architecture;
}

}  // namespace accelerate
