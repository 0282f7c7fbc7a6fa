#include "model/rbf.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "model/svm.h"

namespace dropscore::model {
namespace {

/// Greatest |u| that the powers of rbf_simd.cc know, and the rounding in a decision value that single precision may
/// cause.
constexpr double farthest = 4;
constexpr double tolerance = 1e-5;
/// With more columns than this the quadratic form would cost more than it saves.
constexpr std::size_t max_curved_columns = 256;

double square(std::span<const double> x) {
  return std::transform_reduce(x.begin(), x.end(), 0.0, std::plus<>(), [](double value) { return value * value; });
}

/// The two signs evenly mixed, so that a float's running sum stays small.
std::vector<std::size_t> mixed_order(std::span<const double> coefficients) {
  std::vector<std::size_t> order(coefficients.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto positive =
      std::stable_partition(order.begin(), order.end(), [&](std::size_t i) { return coefficients[i] < 0; });
  std::vector<std::pair<double, std::size_t>> places;
  const auto spread = [&](auto begin, auto end) {
    const auto count = static_cast<double>(end - begin);
    for (auto at = begin; at != end; ++at) places.emplace_back((static_cast<double>(at - begin) + 0.5) / count, *at);
  };
  spread(order.begin(), positive);
  spread(positive, order.end());
  std::sort(places.begin(), places.end());
  std::transform(places.begin(), places.end(), order.begin(), [](const auto& place) { return place.second; });
  return order;
}

/// Where feature `column` of the support vector at `position` lies in panels.
std::size_t panel_place(std::size_t position, std::size_t column, std::size_t columns) {
  return (position / panel_vectors * columns + column) * panel_vectors + position % panel_vectors;
}

/// A thread's own memory for decide_rbf(), as large as the largest machine that it has met.
RbfScratch scratch_for(const StandardizerTables& standardizer) {
  thread_local AlignedVector<double> doubles;
  thread_local AlignedVector<float> singles;
  const std::size_t x = rbf_block_rows * standardizer.padded;
  const std::size_t sums = rbf_block_rows * rbf_lanes;
  const std::size_t packed = rbf_block_rows * standardizer.features;
  if (doubles.size() < x + sums + packed) doubles.resize(x + sums + packed);
  if (singles.size() < packed) singles.resize(packed);
  return {doubles.data(), doubles.data() + x, singles.data(), doubles.data() + x + sums};
}

}  // namespace

RbfKernel::RbfKernel(const SvmForm& form) : standardizer_(form.standardizer) {
  const features::Matrix<double>& vectors = form.support_vectors;
  const std::vector<std::size_t> order = mixed_order(form.coefficients);
  tables_.standardizer = standardizer_.tables();
  tables_.panels = (vectors.rows() + panel_vectors - 1) / panel_vectors;
  tables_.gamma = form.parameters.gamma;
  tables_.rho = form.rho;
  vectors_.assign(tables_.panels * panel_vectors * vectors.columns(), 0.0);
  coefficients_.assign(tables_.panels * panel_vectors, 0.0);
  for (std::size_t i = 0; i < order.size(); ++i) {
    coefficients_[i] = form.coefficients[order[i]];
    for (std::size_t j = 0; j < vectors.columns(); ++j) {
      vectors_[panel_place(i, j, vectors.columns())] = vectors(order[i], j);
    }
  }
  tables_.vectors = vectors_.data();
  tables_.coefficients = coefficients_.data();
  if (vectors.columns() <= max_curved_columns) pack_singles(form, order);
}

void RbfKernel::pack_singles(const SvmForm& form, std::span<const std::size_t> order) {
  const features::Matrix<double>& vectors = form.support_vectors;
  const double gamma = form.parameters.gamma;
  const std::size_t columns = vectors.columns();
  const std::size_t padded = tables_.standardizer.padded;
  scaled_.assign(vectors_.size(), 0.0F);
  weights_.assign(coefficients_.size(), 0.0F);
  slope_.assign(padded, 0.0);
  curve_.assign(columns * padded, 0.0);
  double longest = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::span<const double> s = vectors.row(order[i]);
    const double squared = square(s);
    const double weight = form.coefficients[order[i]] * std::exp(-gamma * squared);
    longest = std::max(longest, std::sqrt(squared));
    weights_[i] = static_cast<float>(weight * static_cast<double>(rest_scale));
    tables_.constant += weight;
    for (std::size_t j = 0; j < columns; ++j) {
      scaled_[panel_place(i, j, columns)] = static_cast<float>(2 * gamma * s[j]);
      const double step = weight * 2 * gamma * s[j];
      slope_[j] += step;
      for (std::size_t k = 0; k < columns; ++k) curve_[j * padded + k] += step * gamma * s[k];
    }
  }
  tables_.slope = slope_.data();
  tables_.curve = curve_.data();
  tables_.scaled = scaled_.data();
  tables_.weights = weights_.data();
  tables_.reach = 2 * gamma * longest;
  // A float's rounding of every term adds up as chance does, and the terms grow as the cube of u: with |u| at most
  // `farthest`, twice `noise` bounds what svm_test.cc finds, with room to spare also for narrow registers, whose sums
  // are fewer and longer.
  const double noise = std::sqrt(square(form.coefficients)) * 0x1p-24;
  tables_.near_limit = farthest * std::min(1.0, std::cbrt(tolerance / (2 * noise)));
}

void RbfKernel::decide(features::MatrixView<float> rows, std::span<double> out) const {
  decide_rbf(tables_, rows.data, rows.rows, out.data(), scratch_for(tables_.standardizer));
}

}  // namespace dropscore::model
