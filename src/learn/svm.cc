#include "learn/svm.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <memory>
#include <mutex>
#include <numeric>
#include <random>
#include <utility>

#include <libsvm/svm.h>

#include "learn/parallel.h"
#include "learn/parameters.h"
#include "metrics/platt.h"
#include "metrics/random.h"

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

/// Rows as LIBSVM takes them. Views into one array of nodes; the rows stay where they are.
class Nodes {
 public:
  explicit Nodes(const features::Matrix<double>& x) : width_(x.columns() + 1), nodes_(x.rows() * width_) {
    for (std::size_t row = 0; row < x.rows(); ++row) {
      svm_node* node = &nodes_[row * width_];
      for (std::size_t j = 0; j < x.columns(); ++j) *node++ = {static_cast<int>(j) + 1, x(row, j)};
      *node = {-1, 0};
    }
  }
  svm_node* row(std::size_t index) { return &nodes_[index * width_]; }
  std::size_t rows() const { return nodes_.size() / width_; }

 private:
  std::size_t width_;
  std::vector<svm_node> nodes_;
};

struct Destroy {
  void operator()(svm_model* model) const { svm_free_and_destroy_model(&model); }
};
using LibsvmModel = std::unique_ptr<svm_model, Destroy>;

/// A fit of the rows `first` (LIBSVM's positive class) against the rows `second`, in these orders: the path of its
/// iteration, and so the very result, depends on them. `fitted` points into `nodes`.
struct Fit {
  std::vector<std::size_t> order;  ///< the rows given, `first` before `second`
  LibsvmModel model;
};

Fit fit_pair(Nodes& nodes, std::span<const std::size_t> first, std::span<const std::size_t> second,
             const Settings& settings) {
  static std::once_flag silenced;
  std::call_once(silenced, [] { svm_set_print_string_function([](const char*) {}); });
  Fit fit;
  fit.order.assign(first.begin(), first.end());
  fit.order.insert(fit.order.end(), second.begin(), second.end());
  std::vector<svm_node*> rows;
  std::vector<double> labels;
  for (const std::size_t row : fit.order) {
    rows.push_back(nodes.row(row));
    // LIBSVM numbers classes by first appearance, save that it turns -1 and +1 round: hence 0 and 1.
    labels.push_back(labels.size() < first.size() ? 0 : 1);
  }
  const svm_problem problem{static_cast<int>(rows.size()), labels.data(), rows.data()};
  svm_parameter parameter{};
  parameter.svm_type = C_SVC;
  parameter.kernel_type = settings.form.kernel == model::Kernel::rbf ? RBF : LINEAR;
  parameter.gamma = settings.form.gamma;
  parameter.cache_size = 512;
  parameter.eps = settings.eps;
  parameter.C = settings.form.C;
  parameter.shrinking = 1;
  fit.model.reset(svm_train(&problem, &parameter));
  return fit;
}

/// Greater means likelier of the rows that the fit calls `first`.
double decide(const Fit& fit, const svm_node* row) {
  double value = 0;
  svm_predict_values(fit.model.get(), row, &value);
  return value;
}

/// Rows of class 0, then rows of class 1, each in their order.
std::array<std::vector<std::size_t>, 2> by_class(std::span<const std::uint8_t> labels) {
  std::array<std::vector<std::size_t>, 2> rows;
  for (std::size_t row = 0; row < labels.size(); ++row) rows[labels[row] != 0 ? 1 : 0].push_back(row);
  return rows;
}

/// What fit and calibration both begin with.
struct Prepared {
  Settings settings;
  model::Standardizer standardizer;
  features::Matrix<double> x;  ///< standardized
  std::array<std::vector<std::size_t>, 2> rows;

  Prepared(Settings read, const TrainingSet& data)
      : settings(read), standardizer(fit_standardizer(data)), rows(by_class(data.labels)) {
    assert(data.rows.rows == data.labels.size() && !rows[0].empty() && !rows[1].empty());
    standardizer.apply(data.rows, x);
    if (settings.gamma_from_scale) settings.form.gamma = scale_gamma(x);
  }
};

tl::unexpected<Error> stopped() { return fail(ErrorKind::give_up, "stopped while fitting"); }

class SvmLearner final : public Learner {
 public:
  std::string_view name() const override { return "svm"; }
  Parameters defaults() const override { return {{"kernel", "rbf"}, {"C", "1"}, {"gamma", "scale"}, {"eps", "0.001"}}; }

  Result<std::unique_ptr<model::Predictor>> fit(const TrainingSet& data, const Parameters& parameters,
                                                const LearnContext& context) const override {
    DROPSCORE_TRY(const Settings settings, read_settings(*this, parameters));
    if (context.stop_requested()) return stopped();
    Prepared prepared(settings, data);
    Nodes nodes(prepared.x);
    // Class 0 first, as scikit-learn sorts its labels; LIBSVM's signs are then about class 0, and turned here.
    const Fit fit = fit_pair(nodes, prepared.rows[0], prepared.rows[1], prepared.settings);
    const svm_model& fitted = *fit.model;
    if (fitted.l == 0) return fail(ErrorKind::give_up, "the support vector machine found no support vector");
    model::SvmForm form;
    form.parameters = prepared.settings.form;
    form.standardizer = std::move(prepared.standardizer);
    form.rho = -fitted.rho[0];
    form.negative_support_vectors = static_cast<std::size_t>(fitted.nSV[0]);
    std::vector<std::size_t> chosen;
    for (int i = 0; i < fitted.l; ++i) {
      form.coefficients.push_back(-fitted.sv_coef[0][i]);
      chosen.push_back(fit.order[static_cast<std::size_t>(fitted.sv_indices[i]) - 1]);
    }
    form.support_vectors = features::gather(prepared.x.view(), chosen);
    return std::make_unique<model::Svm>(std::move(form));
  }
};

/// scikit-learn's generator for LIBSVM's shuffles: Lemire's multiplication (2019) in place of a remainder, with the
/// draws refused that would favour some results.
class BoundedRandom {
 public:
  explicit BoundedRandom(std::uint32_t seed) : engine_(seed) {}

  /// Uniform in [0, bound).
  std::uint32_t below(std::uint32_t bound) {
    const std::uint32_t favoured = (0U - bound) % bound;
    for (;;) {
      const std::uint64_t product = static_cast<std::uint64_t>(engine_()) * bound;
      if (static_cast<std::uint32_t>(product) >= favoured) return static_cast<std::uint32_t>(product >> 32U);
    }
  }

 private:
  std::mt19937 engine_;
};

/// LIBSVM's shuffle for Platt's folds: positions from the front, each exchanged with one not before it.
std::vector<std::size_t> shuffled(std::vector<std::size_t> rows, std::uint32_t seed) {
  BoundedRandom random(seed);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::swap(rows[i], rows[i + random.below(static_cast<std::uint32_t>(rows.size() - i))]);
  }
  return rows;
}

/// Writes the decision values, greater meaning class 0, of the rows order[begin, end) from a fit on all others.
void decide_inner_fold(Nodes& nodes, std::span<const std::size_t> order, std::size_t begin, std::size_t end,
                       std::span<const std::uint8_t> labels, const Settings& settings, std::span<double> decisions) {
  std::array<std::vector<std::size_t>, 2> rows;
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i < begin || i >= end) rows[labels[order[i]] != 0 ? 1 : 0].push_back(order[i]);
  }
  const std::span<const std::size_t> held = order.subspan(begin, end - begin);
  if (rows[0].empty() || rows[1].empty()) {
    const double only = rows[0].empty() ? (rows[1].empty() ? 0 : -1) : 1;
    for (const std::size_t row : held) decisions[row] = only;
    return;
  }
  // Here the labels are -1 for class 1 and +1 for class 0, so that sorting puts class 1 first.
  const Fit fit = fit_pair(nodes, rows[1], rows[0], settings);
  for (const std::size_t row : held) decisions[row] = -decide(fit, nodes.row(row));
}

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
  Prepared prepared(settings, data);
  Nodes nodes(prepared.x);
  std::vector<std::size_t> grouped = prepared.rows[0];
  grouped.insert(grouped.end(), prepared.rows[1].begin(), prepared.rows[1].end());
  const auto inner_seed =
      static_cast<std::uint32_t>(metrics::NumpyRandom(context.seed).randint((std::uint64_t{1} << 31U) - 1));
  const std::vector<std::size_t> order = shuffled(grouped, inner_seed);

  constexpr std::size_t folds = 5;
  std::vector<double> about_class_0(order.size());
  std::array<bool, folds> done{};
  for_each_index(folds, context.threads, [&](std::size_t fold) {
    if (context.stop_requested()) return;
    decide_inner_fold(nodes, order, fold * order.size() / folds, (fold + 1) * order.size() / folds, data.labels,
                      prepared.settings, about_class_0);
    done[fold] = true;
  });
  if (!std::all_of(done.begin(), done.end(), [](bool one) { return one; })) return stopped();

  // The sigmoid is fitted to class 0, row after row as LIBSVM has grouped them, and only then turned.
  std::vector<double> decisions;
  std::vector<std::uint8_t> is_class_0;
  for (const std::size_t row : grouped) {
    decisions.push_back(about_class_0[row]);
    is_class_0.push_back(data.labels[row] != 0 ? 0 : 1);
  }
  const metrics::Sigmoid fitted = metrics::fit_platt(decisions, is_class_0);
  return model::Calibration{.kind = model::CalibrationKind::original, .A = fitted.A, .B = -fitted.B};
}

}  // namespace dropscore::learn
