// The radial kernel's inner loops, compiled for each generation of processors and chosen at run time. Only for rbf.cc,
// which says what is computed. A row's answer depends on the target, not on the rows beside it.
#pragma once

#include <cstddef>

#include "model/packed_standardizer.h"

namespace dropscore::model {

/// Support vectors come in panels of this many, feature by feature within a panel.
inline constexpr std::size_t panel_vectors = 64;
/// Rows that are prepared together.
inline constexpr std::size_t rbf_block_rows = 64;
/// Partial sums of a row, one for each of the widest register's floats.
inline constexpr std::size_t rbf_lanes = 16;

/// Leading coefficient of the polynomial for |u| <= 1: the weights carry it, so that the polynomial need not.
inline constexpr float rest_scale = 2.52184891e-05F;

/// Every pointer is 64-byte aligned.
struct RbfTables {
  StandardizerTables standardizer;
  std::size_t panels = 0;
  double gamma = 0;
  double rho = 0;

  // In single precision, for rows with |u| <= reach |x| <= near_limit. Not set where near_limit is under 0.
  double near_limit = -1;
  double reach = 0;
  double constant = 0;
  const double* slope = nullptr;   ///< [padded]
  const double* curve = nullptr;   ///< [features x padded]
  const float* scaled = nullptr;   ///< 2 gamma s, [panels x features x panel_vectors]
  const float* weights = nullptr;  ///< rest_scale coefficient exp(-gamma |s|^2), [panels x panel_vectors]

  // In double, for all others.
  const double* vectors = nullptr;       ///< s, [panels x features x panel_vectors]
  const double* coefficients = nullptr;  ///< [panels x panel_vectors]; 0 past the last support vector
};

/// What decide_rbf() works in, 64-byte aligned; a thread's own.
struct RbfScratch {
  double* x = nullptr;        ///< [rbf_block_rows x padded]
  double* sums = nullptr;     ///< [rbf_block_rows x rbf_lanes]
  float* singles = nullptr;   ///< [rbf_block_rows x features]
  double* doubles = nullptr;  ///< [rbf_block_rows x features]
};

/// out = decision values of `count` raw rows of t.standardizer.features columns.
void decide_rbf(const RbfTables& t, const float* rows, std::size_t count, double* out, const RbfScratch& scratch);

}  // namespace dropscore::model
