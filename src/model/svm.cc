#include "model/svm.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>

#include <fmt/format.h>

#include "base/json_reader.h"

namespace dropscore::model {
namespace {

/// Support vectors evaluated side by side, so that the compiler fills vector registers.
constexpr std::size_t lanes = 32;

/// Greatest |u| that the float path takes, and the rounding in a decision value that it allows itself.
constexpr double farthest = 4;
constexpr double tolerance = 1e-5;
/// With more columns than this the quadratic form would cost more than it saves.
constexpr std::size_t max_fast_columns = 256;

/// Support vectors in tiles of `lanes`, feature by feature within a tile; the last tile is filled up with zeros.
template <class T>
std::vector<T> tile(const features::Matrix<double>& vectors) {
  const std::size_t tiles = (vectors.rows() + lanes - 1) / lanes;
  std::vector<T> out(tiles * vectors.columns() * lanes, T{0});
  for (std::size_t row = 0; row < vectors.rows(); ++row) {
    for (std::size_t column = 0; column < vectors.columns(); ++column) {
      out[(row / lanes * vectors.columns() + column) * lanes + row % lanes] = static_cast<T>(vectors(row, column));
    }
  }
  return out;
}

double square(std::span<const double> x) {
  double sum = 0;
  for (const double value : x) sum += value * value;
  return sum;
}

/// (e^u - 1 - u - u^2 / 2) / u^3 for |u| <= 4 by Chebyshev interpolation of degree 11, as powers of u; off by less than
/// 2e-8.
float remainder_over_cube(float u) {
  constexpr std::array powers{0.166666657F,   0.0416666679F,  0.0083333673F,   0.0013888909F,
                              1.98388298e-4F, 2.48000906e-5F, 2.76218407e-6F,  2.75969256e-7F,
                              2.42868996e-8F, 2.04062256e-9F, 2.01646685e-10F, 1.40048077e-11F};
  float sum = powers.back();
  for (std::size_t k = powers.size() - 1; k-- > 0;) sum = sum * u + powers[k];
  return sum;
}

}  // namespace

// Single precision, rbf. Kernel values lie close together and their coefficients add up to 0, so that a plain sum of
// floats loses most of its digits. With a = gamma |s|^2, b = gamma |x|^2, u = 2 gamma x.s the kernel is
// exp(-a) exp(-b) exp(u), and exp(u) = 1 + u + u^2 / 2 + (the rest): over all support vectors, the 1s add up to a
// constant, the us to a scalar product with x and the squares to a quadratic form of x, all known in double beforehand.
// Only the rest, which is small, is summed in float. Rows for which it would not be small are decided in double.
struct Svm::Evaluation {
  std::vector<double> linear;  ///< linear kernel: the sum of all support vectors, weighted
  std::vector<double> exact_tiles;

  std::vector<float> float_tiles;
  std::vector<float> weights;  ///< coefficient exp(-a), one for each lane of each tile
  double constant = 0;         ///< sum of coefficient exp(-a)
  std::vector<double> slope;   ///< sum of coefficient exp(-a) 2 gamma s
  std::vector<double> curve;   ///< sum of coefficient exp(-a) (2 gamma s) (2 gamma s)' / 2, row by row
  double longest = 0;          ///< greatest |s|
  double noise = 0;            ///< a float's rounding of every term, added up as chance does

  explicit Evaluation(const SvmForm& form);
  double exact(const SvmForm& form, std::span<const double> x) const;
  double fast(const SvmForm& form, std::span<const double> x, std::span<float> scaled) const;
};

Svm::Evaluation::Evaluation(const SvmForm& form) {
  const features::Matrix<double>& vectors = form.support_vectors;
  if (form.parameters.kernel == Kernel::linear) {
    linear.assign(vectors.columns(), 0.0);
    for (std::size_t i = 0; i < vectors.rows(); ++i) {
      for (std::size_t j = 0; j < vectors.columns(); ++j) linear[j] += form.coefficients[i] * vectors(i, j);
    }
    return;
  }
  exact_tiles = tile<double>(vectors);
  if (vectors.columns() > max_fast_columns) return;
  float_tiles = tile<float>(vectors);
  weights.assign(float_tiles.size() / vectors.columns(), 0.0F);
  slope.assign(vectors.columns(), 0.0);
  curve.assign(vectors.columns() * vectors.columns(), 0.0);
  const double gamma = form.parameters.gamma;
  for (std::size_t i = 0; i < vectors.rows(); ++i) {
    const double squared = square(vectors.row(i));
    const double weight = form.coefficients[i] * std::exp(-gamma * squared);
    longest = std::max(longest, std::sqrt(squared));
    weights[i] = static_cast<float>(weight);
    constant += weight;
    for (std::size_t j = 0; j < slope.size(); ++j) {
      const double step = weight * 2 * gamma * vectors(i, j);
      slope[j] += step;
      for (std::size_t k = 0; k < slope.size(); ++k) curve[j * slope.size() + k] += step * gamma * vectors(i, k);
    }
  }
  noise = std::sqrt(square(form.coefficients)) * 0x1p-24;
}

/// The formula as it stands, in the order of the support vectors.
double Svm::Evaluation::exact(const SvmForm& form, std::span<const double> x) const {
  double sum = 0;
  if (form.parameters.kernel == Kernel::linear) {
    for (std::size_t j = 0; j < x.size(); ++j) sum += x[j] * linear[j];
    return sum - form.rho;
  }
  for (std::size_t first = 0; first < form.coefficients.size(); first += lanes) {
    const double* at = exact_tiles.data() + first * x.size();
    std::array<double, lanes> distance{};
    for (const double value : x) {
      for (std::size_t lane = 0; lane < lanes; ++lane) {
        const double difference = value - at[lane];
        distance[lane] += difference * difference;
      }
      at += lanes;
    }
    const std::size_t used = std::min(lanes, form.coefficients.size() - first);
    for (std::size_t lane = 0; lane < used; ++lane) {
      sum += form.coefficients[first + lane] * std::exp(-form.parameters.gamma * distance[lane]);
    }
  }
  return sum - form.rho;
}

double Svm::Evaluation::fast(const SvmForm& form, std::span<const double> x, std::span<float> scaled) const {
  const double gamma = form.parameters.gamma;
  const double squared = square(x);
  // The rest grows as the cube of u. Half of `noise` bounds what svm_test.cc finds at the far end.
  const double share = 2 * gamma * std::sqrt(squared) * longest / farthest;
  const bool near = share <= 1 && noise / 2 * share * share * share <= tolerance;
  if (weights.empty() || !near) return exact(form, x);

  double sum = constant;
  for (std::size_t j = 0; j < x.size(); ++j) {
    double bend = 0;
    for (std::size_t k = 0; k < x.size(); ++k) bend += x[k] * curve[j * x.size() + k];
    sum += x[j] * (slope[j] + bend);
    scaled[j] = static_cast<float>(2 * gamma * x[j]);
  }
  std::array<float, lanes> rest{};
  for (std::size_t first = 0; first < weights.size(); first += lanes) {
    const float* at = float_tiles.data() + first * x.size();
    std::array<float, lanes> u{};
    for (const float value : scaled) {
      for (std::size_t lane = 0; lane < lanes; ++lane) u[lane] += value * at[lane];
      at += lanes;
    }
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      rest[lane] += weights[first + lane] * (u[lane] * u[lane] * u[lane] * remainder_over_cube(u[lane]));
    }
  }
  for (const float value : rest) sum += static_cast<double>(value);
  return std::exp(-gamma * squared) * sum - form.rho;
}

std::string_view name(Kernel kernel) { return kernel == Kernel::rbf ? "rbf" : "linear"; }

Svm::Svm(SvmForm form) : form_(std::move(form)), evaluation_(std::make_unique<Evaluation>(form_)) {
  assert(form_.support_vectors.rows() > 0 && form_.coefficients.size() == form_.support_vectors.rows());
  assert(form_.support_vectors.columns() == features());
}

Svm::~Svm() = default;

void Svm::decide(features::MatrixView<float> rows, std::span<double> out) const {
  assert(rows.columns == features() && out.size() == rows.rows);
  std::vector<double> x(rows.columns);
  std::vector<float> scratch(rows.columns);
  for (std::size_t row = 0; row < rows.rows; ++row) {
    for (std::size_t j = 0; j < x.size(); ++j) x[j] = form_.standardizer.apply(static_cast<double>(rows(row, j)), j);
    out[row] = evaluation_->fast(form_, x, scratch);
  }
}

void Svm::decide(features::MatrixView<double> rows, std::span<double> out) const {
  assert(rows.columns == features() && out.size() == rows.rows);
  std::vector<double> x(rows.columns);
  for (std::size_t row = 0; row < rows.rows; ++row) {
    for (std::size_t j = 0; j < x.size(); ++j) x[j] = form_.standardizer.apply(rows(row, j), j);
    out[row] = evaluation_->exact(form_, x);
  }
}

void Svm::save(JsonWriter& json) const {
  json.member("kernel", name(form_.parameters.kernel)).member("C", form_.parameters.C);
  json.member("gamma", form_.parameters.gamma).member("rho", form_.rho);
  json.key("standardizer");
  form_.standardizer.save(json);
  json.member("negative_support_vectors", form_.negative_support_vectors);
  json.key("coefficients").numbers(form_.coefficients);
  json.key("support_vectors").begin_array();
  for (std::size_t i = 0; i < form_.support_vectors.rows(); ++i) json.numbers(form_.support_vectors.row(i));
  json.end_array();
}

namespace {

Result<SvmParameters> read_parameters(JsonReader& json) {
  SvmParameters parameters;
  DROPSCORE_TRY(const JsonReader kernel, json.member("kernel"));
  DROPSCORE_TRY(const std::string kernel_name, kernel.text());
  if (kernel_name != name(Kernel::rbf) && kernel_name != name(Kernel::linear)) {
    return kernel.error("neither \"rbf\" nor \"linear\"");
  }
  parameters.kernel = kernel_name == name(Kernel::rbf) ? Kernel::rbf : Kernel::linear;
  DROPSCORE_TRY(const JsonReader c, json.member("C"));
  DROPSCORE_TRY(parameters.C, c.number());
  if (parameters.C <= 0) return c.error("not over 0");
  DROPSCORE_TRY(const JsonReader gamma, json.member("gamma"));
  DROPSCORE_TRY(parameters.gamma, gamma.number());
  if (parameters.gamma < 0) return gamma.error("under 0");
  return parameters;
}

Result<features::Matrix<double>> read_vectors(const JsonReader& json, std::size_t rows, std::size_t columns) {
  DROPSCORE_TRY(const std::vector<JsonReader> lines, json.items());
  if (lines.size() != rows) {
    return json.error(fmt::format("{} vectors, but \"coefficients\" has {} numbers", lines.size(), rows));
  }
  features::Matrix<double> vectors(rows, columns);
  for (std::size_t i = 0; i < rows; ++i) {
    DROPSCORE_TRY(const std::vector<double> line, lines[i].numbers());
    if (line.size() != columns) {
      return lines[i].error(fmt::format("{} numbers, but the standardizer has {} columns", line.size(), columns));
    }
    std::copy(line.begin(), line.end(), vectors.row(i).begin());
  }
  return vectors;
}

}  // namespace

Result<std::unique_ptr<Predictor>> Svm::load(JsonReader json) {
  SvmForm form;
  DROPSCORE_TRY(form.parameters, read_parameters(json));
  DROPSCORE_TRY(const JsonReader rho, json.member("rho"));
  DROPSCORE_TRY(form.rho, rho.number());
  DROPSCORE_TRY(const JsonReader standardizer, json.member("standardizer"));
  DROPSCORE_TRY(form.standardizer, Standardizer::load(standardizer));
  DROPSCORE_TRY(const JsonReader coefficients, json.member("coefficients"));
  DROPSCORE_TRY(form.coefficients, coefficients.numbers());
  if (form.coefficients.empty()) return coefficients.error("empty");
  DROPSCORE_TRY(const JsonReader negative, json.member("negative_support_vectors"));
  DROPSCORE_TRY(form.negative_support_vectors, negative.natural());
  if (form.negative_support_vectors > form.coefficients.size()) {
    return negative.error(fmt::format("more than there are support vectors ({})", form.coefficients.size()));
  }
  DROPSCORE_TRY(const JsonReader vectors, json.member("support_vectors"));
  DROPSCORE_TRY(form.support_vectors, read_vectors(vectors, form.coefficients.size(), form.standardizer.mean.size()));
  DROPSCORE_CHECK(json.no_other_members());
  return std::make_unique<Svm>(std::move(form));
}

}  // namespace dropscore::model
