#include "model/svm.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "base/json_reader.h"
#include "model/linear.h"
#include "model/rbf.h"

namespace dropscore::model {
namespace {

/// Support vectors evaluated side by side, so that the compiler fills vector registers.
constexpr std::size_t lanes = 32;

/// Support vectors in tiles of `lanes`, feature by feature within a tile; the last tile is filled up with zeros.
std::vector<double> tile(const features::Matrix<double>& vectors) {
  const std::size_t tiles = (vectors.rows() + lanes - 1) / lanes;
  std::vector<double> out(tiles * vectors.columns() * lanes, 0.0);
  for (std::size_t row = 0; row < vectors.rows(); ++row) {
    for (std::size_t column = 0; column < vectors.columns(); ++column) {
      out[(row / lanes * vectors.columns() + column) * lanes + row % lanes] = vectors(row, column);
    }
  }
  return out;
}

}  // namespace

struct Svm::Evaluation {
  std::vector<double> tiles;  ///< rbf, in double
  std::optional<RbfKernel> rbf;
  std::vector<double> slope;  ///< linear kernel: the sum of all support vectors, weighted
  std::optional<LinearKernel> linear;

  explicit Evaluation(const SvmForm& form);
  double exact(const SvmForm& form, std::span<const double> x) const;
};

Svm::Evaluation::Evaluation(const SvmForm& form) {
  const features::Matrix<double>& vectors = form.support_vectors;
  if (form.parameters.kernel == Kernel::rbf) {
    tiles = tile(vectors);
    rbf.emplace(form);
    return;
  }
  slope.assign(vectors.columns(), 0.0);
  for (std::size_t i = 0; i < vectors.rows(); ++i) {
    for (std::size_t j = 0; j < vectors.columns(); ++j) slope[j] += form.coefficients[i] * vectors(i, j);
  }
  linear.emplace(form.standardizer, slope, -form.rho);
}

/// The formula as it stands, in the order of the support vectors.
double Svm::Evaluation::exact(const SvmForm& form, std::span<const double> x) const {
  double sum = 0;
  if (form.parameters.kernel == Kernel::linear) {
    for (std::size_t j = 0; j < x.size(); ++j) sum += x[j] * slope[j];
    return sum - form.rho;
  }
  for (std::size_t first = 0; first < form.coefficients.size(); first += lanes) {
    const double* at = tiles.data() + first * x.size();
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

std::string_view name(Kernel kernel) { return kernel == Kernel::rbf ? "rbf" : "linear"; }

Svm::Svm(SvmForm form) : form_(std::move(form)), evaluation_(std::make_unique<Evaluation>(form_)) {
  assert(form_.support_vectors.rows() > 0 && form_.coefficients.size() == form_.support_vectors.rows());
  assert(form_.support_vectors.columns() == features());
}

Svm::~Svm() = default;

void Svm::decide(features::MatrixView<float> rows, std::span<double> out) const {
  assert(rows.columns == features() && out.size() == rows.rows);
  if (evaluation_->rbf) {
    evaluation_->rbf->decide(rows, out);
  } else {
    evaluation_->linear->decide(rows, out);
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
