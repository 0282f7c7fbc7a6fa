#include "learn/svm.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "learn/gram.h"
#include "learn/linear_svm.h"
#include "learn/parameters.h"
#include "learn/svc_fit.h"
#include "learn/svm_grid.h"
#include "metrics/platt.h"
#include "metrics/random.h"
#include "metrics/split.h"

namespace dropscore::learn {
namespace {

struct Settings {
  model::SvmParameters form;  // gamma is 0 until `scale` is known
  bool gamma_from_scale = false;
  double eps = 1e-3;  ///< how far LIBSVM's iteration goes; 1e-3 is scikit-learn's
};

Result<Settings> read_settings(const Learner& learner, const Parameters& given) {
  DROPSCORE_TRY(const Parameters parameters, with_defaults(learner, given));
  Settings settings;
  const std::string& kernel = parameters.at("kernel");
  if (kernel != "rbf" && kernel != "linear") {
    return bad_parameter(learner, parameters, "kernel", "neither rbf nor linear");
  }
  settings.form.kernel = kernel == "rbf" ? model::Kernel::rbf : model::Kernel::linear;
  DROPSCORE_TRY(settings.form.C, positive_number(learner, parameters, "C"));
  settings.gamma_from_scale = parameters.at("gamma") == "scale";
  if (!settings.gamma_from_scale) {
    auto gamma = positive_number(learner, parameters, "gamma");
    if (!gamma) return bad_parameter(learner, parameters, "gamma", "neither \"scale\" nor a number over 0");
    settings.form.gamma = *gamma;
  }
  DROPSCORE_TRY(settings.eps, positive_number(learner, parameters, "eps"));
  return settings;
}

/// scikit-learn's gamma="scale": 1 / (columns x variance of all numbers of the matrix together).
double scale_gamma(const features::Matrix<double>& x) {
  const std::span<const double> all(x.view().data, x.rows() * x.columns());
  const auto count = static_cast<double>(all.size());
  const double mean = std::accumulate(all.begin(), all.end(), 0.0) / count;
  double squares = 0;
  for (const double value : all) squares += (value - mean) * (value - mean);
  const double variance = squares / count;
  return variance == 0 ? 1.0 : 1 / (static_cast<double>(x.columns()) * variance);
}

/// What fits and calibration begin with.
struct Prepared {
  Settings settings;
  model::Standardizer standardizer;
  features::Matrix<double> x;  ///< standardized

  Prepared(const Settings& read, const TrainingSet& data) : settings(read), standardizer(fit_standardizer(data)) {
    assert(data.rows.rows == data.labels.size());
    standardizer.apply(data.rows, x);
    if (settings.gamma_from_scale) settings.form.gamma = scale_gamma(x);
  }

  Result<GramMatrix> gram(unsigned threads) const {
    DROPSCORE_TRY(GramMatrix matrix, GramMatrix::allocate(x.rows()));
    matrix.fill(x.view(), settings.form.kernel, settings.form.gamma, threads);
    return matrix;
  }
  SvcOptions options(const LearnContext& context) const {
    return {.C = settings.form.C,
            .tolerance = settings.eps,
            .threads = context.threads,
            .stop_requested = context.stop_requested};
  }
  bool linear() const { return settings.form.kernel == model::Kernel::linear; }
};

/// Rows of one class, in their order.
std::vector<std::uint32_t> rows_of_class(std::span<const std::uint8_t> labels, std::uint8_t wanted) {
  std::vector<std::uint32_t> rows;
  for (std::size_t row = 0; row < labels.size(); ++row) {
    if (labels[row] == wanted) rows.push_back(static_cast<std::uint32_t>(row));
  }
  return rows;
}

Result<LinearSvmResult> fit_linear(const Prepared& prepared, std::span<const std::uint8_t> labels,
                                   std::span<const std::uint32_t> chosen, const LearnContext& context) {
  LinearSvmProblem problem;
  problem.rows = prepared.x.view();
  problem.chosen = chosen;
  problem.labels = labels;
  problem.C = prepared.settings.form.C;
  problem.stop_requested = context.stop_requested;
  return solve_linear_svm(problem);
}

/// The weights as the one support vector that says the same.
model::SvmForm linear_form(const LinearSvmResult& fit) {
  model::SvmForm form;
  form.support_vectors = features::Matrix<double>(1, fit.weights.size());
  std::copy(fit.weights.begin(), fit.weights.end(), form.support_vectors.row(0).begin());
  form.coefficients = {1};
  form.rho = -fit.bias;
  return form;
}

/// Class 0 first, as scikit-learn sorts its labels; the solver's signs are then about class 0, and turned here.
Result<model::SvmForm> kernel_form(const Prepared& prepared, std::span<const std::uint8_t> labels,
                                   const LearnContext& context) {
  DROPSCORE_TRY(const GramMatrix gram, prepared.gram(context.threads));
  SmoWorkspace workspace;
  DROPSCORE_TRY(const SvcFit fit, fit_svc(gram, rows_of_class(labels, 0), rows_of_class(labels, 1),
                                          prepared.options(context), workspace));
  if (fit.rows.empty()) return fail(ErrorKind::give_up, "the support vector machine found no support vector");
  model::SvmForm form;
  form.rho = -fit.rho;
  form.negative_support_vectors = fit.first_count;
  for (const double coefficient : fit.coefficients) form.coefficients.push_back(-coefficient);
  form.support_vectors =
      features::gather(prepared.x.view(), std::vector<std::size_t>(fit.rows.begin(), fit.rows.end()));
  return form;
}

/// Out-of-fold decision values of a linear machine, each fold solved to the optimum.
Result<std::vector<double>> decide_linear_folds(const Prepared& prepared, const TrainingSet& data,
                                                std::span<const std::uint32_t> fold_of, const LearnContext& context) {
  std::vector<double> decisions(data.labels.size());
  const std::uint32_t folds = *std::max_element(fold_of.begin(), fold_of.end()) + 1;
  for (std::uint32_t fold = 0; fold < folds; ++fold) {
    std::vector<std::uint32_t> outside;
    for (std::size_t row = 0; row < fold_of.size(); ++row) {
      if (fold_of[row] != fold) outside.push_back(static_cast<std::uint32_t>(row));
    }
    DROPSCORE_TRY(const LinearSvmResult fit, fit_linear(prepared, data.labels, outside, context));
    for (std::size_t row = 0; row < fold_of.size(); ++row) {
      if (fold_of[row] != fold) continue;
      const std::span<const double> x = prepared.x.row(row);
      decisions[row] = std::inner_product(x.begin(), x.end(), fit.weights.begin(), fit.bias);
    }
  }
  return decisions;
}

class SvmLearner final : public Learner {
 public:
  std::string_view name() const override { return "svm"; }
  Parameters defaults() const override { return {{"kernel", "rbf"}, {"C", "10"}, {"gamma", "0.01"}, {"eps", "0.001"}}; }

  Result<std::unique_ptr<model::Predictor>> fit(const TrainingSet& data, const Parameters& parameters,
                                                const LearnContext& context) const override {
    DROPSCORE_TRY(const Settings settings, read_settings(*this, parameters));
    if (context.stop_requested()) return fail(ErrorKind::give_up, "stopped while fitting");
    Prepared prepared(settings, data);
    model::SvmForm form;
    if (prepared.linear()) {
      std::vector<std::uint32_t> all(data.labels.size());
      std::iota(all.begin(), all.end(), 0U);
      DROPSCORE_TRY(const LinearSvmResult linear, fit_linear(prepared, data.labels, all, context));
      form = linear_form(linear);
    } else {
      DROPSCORE_TRY(form, kernel_form(prepared, data.labels, context));
    }
    form.parameters = prepared.settings.form;
    form.standardizer = std::move(prepared.standardizer);
    return std::make_unique<model::Svm>(std::move(form));
  }

  /// One kernel matrix for all folds; columns are standardized over all of `data`, as the original's search does.
  Result<std::vector<double>> decide_out_of_fold(const TrainingSet& data, const Parameters& parameters,
                                                 std::span<const std::uint32_t> fold_of,
                                                 const LearnContext& context) const override {
    DROPSCORE_TRY(const Settings settings, read_settings(*this, parameters));
    const Prepared prepared(settings, data);
    if (prepared.linear()) return decide_linear_folds(prepared, data, fold_of, context);
    DROPSCORE_TRY(const GramMatrix gram, prepared.gram(context.threads));
    return learn::decide_out_of_fold(gram, folds_by_number(data.labels, fold_of), prepared.options(context));
  }
};

}  // namespace

const Learner& svm_learner() {
  static const SvmLearner learner;
  return learner;
}

model::Standardizer fit_standardizer(const TrainingSet& data) {
  assert(data.schema != nullptr && data.schema->size() == data.rows.columns && data.rows.rows > 0);
  model::Standardizer standardizer;
  const auto count = static_cast<double>(data.rows.rows);
  constexpr double epsilon = std::numeric_limits<double>::epsilon();
  for (std::size_t column = 0; column < data.rows.columns; ++column) {
    const schema::Feature& feature = data.schema->features[column];
    const bool categorical = feature.kind == schema::Kind::categorical;
    const auto value = [&](std::size_t row) {
      const double raw = data.rows(row, column);
      return std::isnan(raw) || (categorical && raw < 0) ? feature.fill : raw;
    };
    double sum = 0;
    for (std::size_t row = 0; row < data.rows.rows; ++row) sum += value(row);
    const double mean = sum / count;
    // Two passes, the second corrected by what rounding left in the mean (Chan, Golub, LeVeque 1983).
    double left = 0;
    double squares = 0;
    for (std::size_t row = 0; row < data.rows.rows; ++row) {
      const double off = value(row) - mean;
      left += off;
      squares += off * off;
    }
    const double variance = (squares - left * left / count) / count;
    // scikit-learn's bound under which a variance is nothing but rounding.
    const double rounding = count * epsilon * variance + (count * mean * epsilon) * (count * mean * epsilon);
    standardizer.mean.push_back(mean);
    standardizer.scale.push_back(variance <= rounding ? 1.0 : std::sqrt(variance));
    standardizer.fill.push_back(feature.fill);
    standardizer.categorical.push_back(categorical);
  }
  return standardizer;
}

Result<model::Calibration> fit_original_calibration(const TrainingSet& data, const Parameters& parameters,
                                                    const LearnContext& context) {
  DROPSCORE_TRY(const Settings settings, read_settings(svm_learner(), parameters));
  if (context.stop_requested()) return fail(ErrorKind::give_up, "stopped while calibrating");
  const Prepared prepared(settings, data);
  DROPSCORE_TRY(const GramMatrix gram, prepared.gram(context.threads));
  const auto inner_seed =
      static_cast<std::uint32_t>(metrics::NumpyRandom(context.seed).randint((std::uint64_t{1} << 31U) - 1));
  const std::vector<SvcFold> folds = original_inner_folds(data.labels, inner_seed);
  DROPSCORE_TRY(const std::vector<double> about_class_1,
                learn::decide_out_of_fold(gram, folds, prepared.options(context)));

  // The sigmoid is fitted to class 0, row after row as LIBSVM has grouped them, and only then turned.
  std::vector<double> decisions;
  std::vector<std::uint8_t> is_class_0;
  for (const std::uint8_t label : {std::uint8_t{0}, std::uint8_t{1}}) {
    for (const std::uint32_t row : rows_of_class(data.labels, label)) {
      decisions.push_back(-about_class_1[row]);
      is_class_0.push_back(label != 0 ? 0 : 1);
    }
  }
  const metrics::Sigmoid fitted = metrics::fit_platt(decisions, is_class_0);
  return model::Calibration{.kind = model::CalibrationKind::original, .A = fitted.A, .B = -fitted.B};
}

Result<std::vector<SearchedPoint>> search_original_grid(
    const TrainingSet& data, const LearnContext& context,
    std::function<void(std::size_t done, std::size_t total)> progress) {
  const model::Standardizer standardizer = fit_standardizer(data);
  features::Matrix<double> x;
  standardizer.apply(data.rows, x);
  DROPSCORE_TRY(const std::vector<std::uint32_t> folds, metrics::stratified_folds(data.labels, 5));
  const std::vector<model::SvmParameters> points = original_svm_grid();
  SvmGridOptions options;
  options.threads = context.threads;
  options.stop_requested = context.stop_requested;
  options.progress = std::move(progress);
  DROPSCORE_TRY(const std::vector<SvmGridScore> scores,
                search_svm_grid({x.view(), data.labels, folds, points}, options));
  std::vector<SearchedPoint> out;
  for (const SvmGridScore& score : scores) {
    Parameters parameters{{"kernel", std::string(model::name(score.point.kernel))},
                          {"C", fmt::format("{}", score.point.C)},
                          {"gamma", fmt::format("{}", score.point.gamma)}};
    out.push_back({std::move(parameters), score.mean_f1});
  }
  return out;
}

}  // namespace dropscore::learn
