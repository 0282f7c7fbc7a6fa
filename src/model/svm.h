// A support vector machine: decision = sum_i coefficient_i K(x, sv_i) - rho over standardized features;
// K is exp(-gamma |x - z|^2) (rbf) or x.z (linear). Positive means "converts".
#pragma once

#include <memory>
#include <vector>

#include "model/predictor.h"
#include "model/standardizer.h"

namespace dropscore::model {

enum class Kernel : std::uint8_t { rbf, linear };
std::string_view name(Kernel kernel);  ///< "rbf", "linear"

struct SvmParameters {
  Kernel kernel = Kernel::rbf;
  double C = 1;  // NOLINT(readability-identifier-naming): the field's own name
  double gamma = 0;
};

struct SvmForm {
  SvmParameters parameters;
  Standardizer standardizer;
  features::Matrix<double> support_vectors;  ///< [support vectors x features], standardized
  std::vector<double> coefficients;          ///< y_i alpha_i, one for each support vector
  double rho = 0;
  std::size_t negative_support_vectors = 0;  ///< of class 0; the others are of class 1
};

class Svm final : public Predictor {
 public:
  /// REQUIRES: shapes agree, at least one support vector.
  explicit Svm(SvmForm form);
  ~Svm() override;

  std::string_view family() const override { return "svm"; }
  std::string_view display_name() const override { return "SVM"; }
  std::size_t features() const override { return form_.standardizer.mean.size(); }
  void decide(features::MatrixView<float> rows, std::span<double> out) const override;
  void decide(features::MatrixView<double> rows, std::span<double> out) const override;
  void save(JsonWriter& json) const override;
  static Result<std::unique_ptr<Predictor>> load(JsonReader json);

  const SvmForm& form() const { return form_; }

 private:
  struct Evaluation;

  SvmForm form_;
  std::unique_ptr<const Evaluation> evaluation_;
};

}  // namespace dropscore::model
