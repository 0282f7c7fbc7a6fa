// The baseline: every row gets the training rows' rate of conversion. What any model has to beat.
#pragma once

#include <memory>

#include "model/predictor.h"

namespace dropscore::model {

class Constant final : public Predictor {
 public:
  /// Decision value = log(rate / (1 - rate)), for Calibration `none`. REQUIRES: features > 0, 0 < rate < 1.
  static std::unique_ptr<Constant> of_rate(std::size_t features, double rate);
  /// REQUIRES: features > 0, log_odds finite.
  Constant(std::size_t features, double log_odds) : features_(features), log_odds_(log_odds) {}

  std::string_view family() const override { return "constant"; }
  std::string_view display_name() const override { return "Constant"; }
  std::size_t features() const override { return features_; }
  void decide(features::MatrixView<float> rows, std::span<double> out) const override;
  void decide(features::MatrixView<double> rows, std::span<double> out) const override;
  void save(JsonWriter& json) const override;
  static Result<std::unique_ptr<Predictor>> load(JsonReader json);

 private:
  std::size_t features_;
  double log_odds_;
};

}  // namespace dropscore::model
