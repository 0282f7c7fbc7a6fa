#include "learn/constant.h"

#include <algorithm>
#include <cassert>

#include "learn/parameters.h"
#include "model/constant.h"

namespace dropscore::learn {
namespace {

class ConstantLearner final : public Learner {
 public:
  std::string_view name() const override { return "constant"; }
  Parameters defaults() const override { return {}; }

  Result<std::unique_ptr<model::Predictor>> fit(const TrainingSet& data, const Parameters& parameters,
                                                const LearnContext& context) const override {
    DROPSCORE_CHECK(with_defaults(*this, parameters));
    if (context.stop_requested()) return fail(ErrorKind::give_up, "stopped while fitting");
    const auto ones = std::count(data.labels.begin(), data.labels.end(), std::uint8_t{1});
    assert(ones > 0 && ones < std::ssize(data.labels));
    const double rate = static_cast<double>(ones) / static_cast<double>(data.labels.size());
    return model::Constant::of_rate(data.rows.columns, rate);
  }
};

}  // namespace

const Learner& constant_learner() {
  static const ConstantLearner learner;
  return learner;
}

}  // namespace dropscore::learn
