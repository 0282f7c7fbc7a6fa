// The kernel matrix's inner loop, compiled for each x86-64 generation and chosen at run time. Only for gram.cc.
#pragma once

#include <cstddef>

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

}  // namespace dropscore::learn
