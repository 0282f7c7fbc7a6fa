// The kernel matrix's inner loop, compiled for each x86-64 generation and chosen at run time. Only for gram.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace dropscore::learn {

/// Edge of a square tile of kernel values.
inline constexpr std::size_t gram_tile = 64;

struct GramTile {
  const double* transposed = nullptr;  ///< [features x stride]: feature f of row j at f * stride + j, zero-padded
  std::size_t stride = 0;              ///< a multiple of gram_tile
  std::size_t features = 0;
  const double* squares = nullptr;  ///< x.x of each row, [stride]
  double gamma = 0;                 ///< for rbf
  bool rbf = true;
  std::size_t row = 0;     ///< first row of the tile, a multiple of gram_tile
  std::size_t column = 0;  ///< first column
};

/// out[gram_tile x gram_tile] = the tile's kernel values, row-major. `out` is 64-byte aligned. Thread-safe.
void fill_gram_tile(const GramTile& tile, float* out);

/// Support vectors against up to gram_tile points.
struct PointTile {
  const double* points =
      nullptr;  ///< [features x gram_tile]: feature f of point j at f * gram_tile + j; 64-byte aligned
  const double* vectors = nullptr;  ///< [features x stride], as GramTile::transposed
  std::size_t stride = 0;
  std::size_t features = 0;
  double gamma = 0;
  bool rbf = true;
};

/// sums[j] += sum_i coefficients[i] K(vector rows[i], point j), everything in double, added in the order of `rows`;
/// rbf from the sum of squared differences, as LIBSVM predicts. `sums` is 64-byte aligned, [gram_tile]. Thread-safe.
void add_decisions(const PointTile& tile, std::span<const std::uint32_t> rows, std::span<const double> coefficients,
                   double* sums);

}  // namespace dropscore::learn
