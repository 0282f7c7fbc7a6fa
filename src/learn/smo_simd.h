// The loops in which the SMO solver spends its time, compiled for each x86-64 generation and chosen at run time. Only
// for smo.cc.
//
// All of them are elementwise, or take extremes: without fused multiply-add their answers are the same, bit for bit,
// whatever the width of the vectors.
//
// Columns come in blocks of 64, so that a set of columns is one 64-bit word a block. `columns` is always a multiple of
// 64; a block of which neither set holds a column is skipped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

namespace dropscore::learn::smo {

inline constexpr std::size_t block = 64;

struct Extremes {
  double min_up = std::numeric_limits<double>::infinity();
  double max_low = -std::numeric_limits<double>::infinity();
};

/// What scan() and step() look at. Pointers are 64-byte aligned, rows of a matrix and scores alike.
struct Columns {
  double* scores = nullptr;            ///< y_k G_k, [columns]
  const std::uint64_t* up = nullptr;   ///< columns that may move up, [columns / 64]
  const std::uint64_t* low = nullptr;  ///< columns that may move down
  double* block_min_up = nullptr;      ///< [columns / 8]: each block's lanes' least score of `up`
  double* block_max_low = nullptr;     ///< [columns / 8]: each block's lanes' greatest score of `low`
  std::size_t columns = 0;
};

/// The least score in `up` and the greatest in `low`, also block by block.
Extremes scan(const Columns& columns);

/// scores += row_i delta_i + row_j delta_j, then as scan().
Extremes step(const Columns& columns, const float* row_i, double delta_i, const float* row_j, double delta_j);

/// Of the columns in `set` whose score is `value`, the one of the last position. REQUIRES: there is one;
/// `block_extremes` is from the scan() or step() just before.
std::uint32_t find(const Columns& columns, const std::uint64_t* set, const double* block_extremes, double value,
                   const std::uint32_t* positions);

/// Second-order choice of the partner. Over columns k in `low` with d = greatest + score_k > 0 the gain is
/// d^2 / (diagonal_i + diagonal_k - 2 row_i[k]), the divisor replaced by 1e-12 when it is not positive.
struct Partner {
  double gain = -1;
  std::uint32_t column = 0;
};
struct PartnerSearch {
  const float* row_i = nullptr;
  double greatest = 0;  ///< -min_up
  double diagonal_i = 0;
  const double* diagonal = nullptr;  ///< [columns]; nullptr: every entry is diagonal_i
  const std::uint32_t* positions = nullptr;
  double floor = 0;  ///< a gain, at least 0, that some column is known to reach
};
/// The column of the greatest gain; of equals, the one of the last position. gain is -1 when there is none.
Partner find_partner(const Columns& columns, const PartnerSearch& search);

/// sums += c[0] rows[0], then c[1] rows[1], ... one product added after the other, over blocks whose word is not 0.
void add_rows(double* sums, std::size_t columns, const std::uint64_t* set, const float* const* rows, const double* c,
              std::size_t count);

/// to[k] = from[columns[k]]. Not vectors, but with the row fetched ahead of its use.
void gather_row(const float* from, const std::uint32_t* columns, std::size_t count, float* to);

}  // namespace dropscore::learn::smo
