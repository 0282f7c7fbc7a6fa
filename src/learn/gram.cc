#include "learn/gram.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>

#include <fmt/format.h>

#include "learn/gram_simd.h"
#include "learn/parallel.h"

namespace dropscore::learn {
namespace {

static_assert(GramMatrix::column_block == gram_tile);

double dot(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t f = 0; f < a.size(); ++f) sum += a[f] * b[f];
  return sum;
}

/// Copies a tile, and its mirror image below the diagonal, to where they belong. The matrix has no rows past `rows`.
void place_tile(const GramTile& tile, const float* values, float* matrix, std::size_t rows, std::size_t stride) {
  const std::size_t height = std::min(gram_tile, rows - tile.row);
  const std::size_t width = std::min(gram_tile, rows - tile.column);
  for (std::size_t i = 0; i < height; ++i) {
    std::copy_n(values + i * gram_tile, width, matrix + (tile.row + i) * stride + tile.column);
  }
  if (tile.row == tile.column) return;
  for (std::size_t j = 0; j < width; ++j) {
    float* mirrored = matrix + (tile.column + j) * stride + tile.row;
    for (std::size_t i = 0; i < height; ++i) mirrored[i] = values[i * gram_tile + j];
  }
}

}  // namespace

Result<GramMatrix> GramMatrix::allocate(std::size_t rows, std::size_t limit) {
  if (rows > limit) {
    return fail(
        ErrorKind::too_large,
        fmt::format("a support vector machine's kernel matrix is limited to {} rows; here are {}", limit, rows));
  }
  GramMatrix matrix;
  matrix.rows_ = rows;
  matrix.stride_ = (rows + column_block - 1) / column_block * column_block;
  const std::size_t count = rows * matrix.stride_;
  matrix.values_ = take_floats(count);
  if (matrix.values_ == nullptr) {
    return fail(ErrorKind::give_up,
                fmt::format("no memory for a kernel matrix of {} MB", count * sizeof(float) / 1'000'000));
  }
  matrix.diagonal_.resize(rows);
  return matrix;
}

void GramMatrix::fill(features::MatrixView<double> standardized, model::Kernel kernel, double gamma, unsigned threads) {
  const std::size_t n = rows_;
  const std::size_t columns = standardized.columns;
  const bool rbf = kernel == model::Kernel::rbf;
  // Feature by feature, so that a vector holds one feature of several rows; 64-byte aligned by hand.
  features_ = columns;
  rbf_ = rbf;
  gamma_ = gamma;
  transposed_.assign((columns + 1) * stride_ + 8, 0.0);
  void* aligned = transposed_.data();
  std::size_t space = transposed_.size() * sizeof(double);
  std::align(64, (columns + 1) * stride_ * sizeof(double), aligned, space);
  features_begin_ = static_cast<double*>(aligned);
  double* const transposed = features_begin_;
  double* const squares = transposed + columns * stride_;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t f = 0; f < columns; ++f) transposed[f * stride_ + i] = standardized(i, f);
    squares[i] = dot(standardized.row(i), standardized.row(i));
    diagonal_[i] = rbf ? std::exp(-gamma * (squares[i] + squares[i] - 2 * squares[i])) : squares[i];
  }
  const std::size_t tiles = stride_ / gram_tile;
  for_each_index(tiles, threads, [&](std::size_t tile_row) {
    alignas(64) std::array<float, gram_tile * gram_tile> values;
    GramTile tile{transposed, stride_, columns, squares, gamma, rbf, tile_row * gram_tile, 0};
    for (std::size_t tile_column = tile_row; tile_column < tiles; ++tile_column) {
      tile.column = tile_column * gram_tile;
      fill_gram_tile(tile, values.data());
      place_tile(tile, values.data(), values_.get(), n, stride_);
    }
    const std::size_t end = std::min(n, (tile_row + 1) * gram_tile);
    for (std::size_t i = tile_row * gram_tile; i < end; ++i) {
      std::fill(values_.get() + i * stride_ + n, values_.get() + (i + 1) * stride_, 0.0F);
    }
  });
}

void GramMatrix::decide(std::span<const std::uint32_t> rows, std::span<const double> coefficients, double rho,
                        std::span<const std::uint32_t> targets, std::span<double> out) const {
  std::vector<double> memory(features_ * gram_tile + 8);
  void* aligned = memory.data();
  std::size_t space = memory.size() * sizeof(double);
  std::align(64, features_ * gram_tile * sizeof(double), aligned, space);
  auto* points = static_cast<double*>(aligned);
  const PointTile tile{points, features_begin_, stride_, features_, gamma_, rbf_};
  for (std::size_t first = 0; first < targets.size(); first += gram_tile) {
    const std::size_t count = std::min(gram_tile, targets.size() - first);
    for (std::size_t f = 0; f < features_; ++f) {
      for (std::size_t j = 0; j < count; ++j)
        points[f * gram_tile + j] = features_begin_[f * stride_ + targets[first + j]];
    }
    alignas(64) std::array<double, gram_tile> sums{};
    add_decisions(tile, rows, coefficients, sums.data());
    for (std::size_t j = 0; j < count; ++j) out[first + j] = sums[j] - rho;
  }
}

}  // namespace dropscore::learn
