// Logistic regression over standardized features: f(x) = intercept + sum_j coefficient_j x_j, the log-odds of
// conversion, for calibration `none`.
#pragma once

#include <memory>
#include <vector>

#include "model/linear.h"
#include "model/predictor.h"
#include "model/standardizer.h"

namespace dropscore::model {

struct LogisticForm {
  double C = 1;  // NOLINT(readability-identifier-naming): the field's own name. 1 / strength of the ridge in training
  Standardizer standardizer;
  double intercept = 0;
  std::vector<double> coefficients;  ///< one for each feature, of standardized values
};

class Logistic final : public Predictor {
 public:
  /// Greatest size of a coefficient or the intercept: no row makes f infinite.
  static constexpr double bound = 1e15;

  /// REQUIRES: as many coefficients as the standardizer has columns, all numbers finite, none over `bound`.
  explicit Logistic(LogisticForm form);

  std::string_view family() const override { return "logistic"; }
  std::string_view display_name() const override { return "Logistic Regression"; }
  std::size_t features() const override { return form_.coefficients.size(); }
  void decide(features::MatrixView<float> rows, std::span<double> out) const override;
  void decide(features::MatrixView<double> rows, std::span<double> out) const override;
  void save(JsonWriter& json) const override;
  static Result<std::unique_ptr<Predictor>> load(JsonReader json);

  const LogisticForm& form() const { return form_; }

 private:
  LogisticForm form_;
  LinearKernel kernel_;  ///< what floats are decided with
};

}  // namespace dropscore::model
