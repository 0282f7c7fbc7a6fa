// Made-up rows for the tests of the support vector machine, and LIBSVM's own answer to them. Only for tests.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <vector>

#include <libsvm/svm.h>

#include "features/matrix.h"
#include "model/svm.h"

namespace dropscore::learn {

/// Two classes that overlap, about 30 % of them 0; with `grid` values are rounded, so that rows and distances coincide.
struct TestData {
  TestData(std::size_t count, std::size_t columns, std::uint64_t seed, bool grid = false) : rows(count, columns) {
    std::mt19937_64 engine(seed);
    std::normal_distribution<double> normal;
    for (std::size_t i = 0; i < count; ++i) {
      labels.push_back(i < 2 ? static_cast<std::uint8_t>(i) : engine() % 10 < 3 ? 0 : 1);
      for (std::size_t f = 0; f < columns; ++f) {
        const double value = normal(engine) + (labels[i] != 0 ? 0.6 : -0.6) / static_cast<double>(f + 1);
        rows(i, f) = grid ? std::round(value) : value;
      }
      (labels[i] != 0 ? class_1 : class_0).push_back(static_cast<std::uint32_t>(i));
    }
  }
  features::Matrix<double> rows;
  std::vector<std::uint8_t> labels;
  std::vector<std::uint32_t> class_0;
  std::vector<std::uint32_t> class_1;
};

/// svm_train() of `first` (as LIBSVM's +1) against `second`.
class LibsvmFit {
 public:
  LibsvmFit(const features::Matrix<double>& rows, std::span<const std::uint32_t> first,
            std::span<const std::uint32_t> second, const model::SvmParameters& form, double eps = 1e-3)
      : width_(rows.columns() + 1), nodes_(rows.rows() * width_), order(first.begin(), first.end()) {
    for (std::size_t i = 0; i < rows.rows(); ++i) {
      for (std::size_t f = 0; f < rows.columns(); ++f) nodes_[i * width_ + f] = {static_cast<int>(f) + 1, rows(i, f)};
      nodes_[i * width_ + width_ - 1] = {-1, 0};
    }
    order.insert(order.end(), second.begin(), second.end());
    for (std::size_t i = 0; i < order.size(); ++i) {
      pointers_.push_back(&nodes_[order[i] * width_]);
      labels_.push_back(i < first.size() ? 0 : 1);
    }
    svm_set_print_string_function([](const char*) {});
    const svm_problem problem{static_cast<int>(order.size()), labels_.data(), pointers_.data()};
    svm_parameter parameter{};
    parameter.svm_type = C_SVC;
    parameter.kernel_type = form.kernel == model::Kernel::rbf ? RBF : LINEAR;
    parameter.gamma = form.gamma;
    parameter.cache_size = 64;
    parameter.eps = eps;
    parameter.C = form.C;
    parameter.shrinking = 1;
    model_.reset(svm_train(&problem, &parameter));
  }

  double rho() const { return model_->rho[0]; }
  /// a_i of each row of `order`.
  std::vector<double> multipliers() const {
    std::vector<double> all(order.size());
    for (int i = 0; i < model_->l; ++i) {
      all[static_cast<std::size_t>(model_->sv_indices[i]) - 1] = std::abs(model_->sv_coef[0][i]);
    }
    return all;
  }
  /// Greater means likelier `first`.
  double decide(std::uint32_t row) const {
    double value = 0;
    svm_predict_values(model_.get(), &nodes_[row * width_], &value);
    return value;
  }

 private:
  struct Destroy {
    void operator()(svm_model* model) const { svm_free_and_destroy_model(&model); }
  };
  std::size_t width_;
  std::vector<svm_node> nodes_;
  std::vector<svm_node*> pointers_;
  std::vector<double> labels_;
  std::unique_ptr<svm_model, Destroy> model_;

 public:
  std::vector<std::uint32_t> order;
};

}  // namespace dropscore::learn
