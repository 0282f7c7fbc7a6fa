// Small symmetric systems of equations, as Newton's method makes them. Private to the room. Pure, thread-safe.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>

namespace dropscore::learn {

/// Solves a x = b in place: b becomes x, a its own Cholesky factor. Of a, row-major and symmetric, the lower half is
/// read. False where a is not positive definite; a and b are then of no use.
/// REQUIRES: a.size() == b.size() * b.size().
inline bool solve_cholesky(std::span<double> a, std::span<double> b) {
  constexpr double least_pivot = 1e-12;
  const std::size_t n = b.size();
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t i = j; i < n; ++i) {
      double sum = a[i * n + j];
      for (std::size_t k = 0; k < j; ++k) sum -= a[i * n + k] * a[j * n + k];
      if (i > j) {
        a[i * n + j] = sum / a[j * n + j];
      } else if (sum > least_pivot) {
        a[j * n + j] = std::sqrt(sum);
      } else {
        return false;
      }
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < i; ++k) b[i] -= a[i * n + k] * b[k];
    b[i] /= a[i * n + i];
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t k = i + 1; k < n; ++k) b[i] -= a[k * n + i] * b[k];
    b[i] /= a[i * n + i];
  }
  return true;
}

}  // namespace dropscore::learn
