// An additive model: one shape function for each feature, a table that anybody can read, and a link with a floor and a
// ceiling.
//
//   f(x) = intercept + sum_j shape_j(x_j)
//   P(converts | x) = floor + (1 - floor - drop) / (1 + exp(-f(x)))
//
// The decision value is log(P / (1 - P)), so that calibration `none` gives exactly P. floor is the rate at which rows
// convert whatever their features say, drop the rate at which they do not; both 0 make it a logistic link.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/predictor.h"
#include "model/shapes.h"
#include "schema/schema.h"

namespace dropscore::model {

/// One feature's part of f. Numeric, x in single precision: bin b holds cuts[b - 1] <= x < cuts[b], the outer ones
/// being open; within it the part is contribution[b] + slope[b] (x - cuts[b - 1]). Categorical: contribution[code], no
/// cuts and no slopes.
struct AdditiveShape {
  bool categorical = false;
  std::vector<double> cuts;          ///< strictly ascending once rounded to single precision
  std::vector<double> contribution;  ///< one for each bin (cuts + 1 of them) or code; at least one
  std::vector<double> slope;         ///< empty, or one for each bin, the outer two 0: f stays bounded
  double missing = 0;                ///< of NaN, of an unknown category, of a code that is none

  /// x as it is compared: in single precision, the infinities as its greatest numbers. So both precisions of decide()
  /// look a row up in the same bins, whatever its numbers.
  static float rounded(double x);
  /// Instantiated for float and double, which agree to the last bit.
  template <class T>
  double at(T x) const;
};

struct AdditiveForm {
  double intercept = 0;
  double floor = 0;
  double drop = 0;
  std::vector<AdditiveShape> shapes;  ///< one for each feature; at least one
};

class Additive final : public Predictor {
 public:
  /// Every number in a form is at most this much, so that no row makes f infinite.
  static constexpr double bound = 1e15;

  /// REQUIRES: check(form) is empty.
  explicit Additive(AdditiveForm form);
  /// What is wrong with a form, or nothing: lengths, order, floor and drop in [0, 0.5), finite and bounded numbers.
  static std::string check(const AdditiveForm& form);

  std::string_view family() const override { return "additive"; }
  std::string_view display_name() const override { return "Additive"; }
  std::size_t features() const override { return form_.shapes.size(); }
  void decide(features::MatrixView<float> rows, std::span<double> out) const override;
  void decide(features::MatrixView<double> rows, std::span<double> out) const override;
  void save(JsonWriter& json) const override;
  static Result<std::unique_ptr<Predictor>> load(JsonReader json);

  const AdditiveForm& form() const { return form_; }
  /// Each feature's part of f; with form().intercept they add up to it exactly as decide() adds them. As training
  /// centres them, a part is what the feature adds compared with the average training row.
  /// REQUIRES: row.size() == features().
  std::vector<double> contributions(std::span<const double> row) const;
  /// P from f.
  double probability_of(double f) const;
  /// The model as a table for people: one line for each bin or category. REQUIRES: schema.size() == features().
  std::string scorecard(const schema::Schema& schema) const;

 private:
  double decision_of(double f) const;

  AdditiveForm form_;
  ShapeKernel kernel_;  ///< what floats are decided with: the same f, the same decision value within 1e-14 (1 + |f|)
};

}  // namespace dropscore::model
