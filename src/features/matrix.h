// A dense matrix, row-major [rows x columns]: what every model takes. A missing value is NaN.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <span>
#include <vector>

namespace dropscore::features {

/// A view of someone else's matrix. T is float (scoring) or double (training, exact scoring).
template <class T>
struct MatrixView {
  const T* data = nullptr;
  std::size_t rows = 0;
  std::size_t columns = 0;

  std::span<const T> row(std::size_t index) const { return {data + index * columns, columns}; }
  T operator()(std::size_t row, std::size_t column) const { return data[row * columns + column]; }
  /// `count` rows from `first` on.
  MatrixView block(std::size_t first, std::size_t count) const { return {data + first * columns, count, columns}; }
};

template <class T>
class Matrix {
 public:
  Matrix() = default;
  Matrix(std::size_t rows, std::size_t columns) : rows_(rows), columns_(columns), values_(rows * columns) {}

  std::size_t rows() const { return rows_; }
  std::size_t columns() const { return columns_; }
  T* data() { return values_.data(); }
  std::span<T> row(std::size_t index) { return {values_.data() + index * columns_, columns_}; }
  std::span<const T> row(std::size_t index) const { return {values_.data() + index * columns_, columns_}; }
  T& operator()(std::size_t row, std::size_t column) { return values_[row * columns_ + column]; }
  T operator()(std::size_t row, std::size_t column) const { return values_[row * columns_ + column]; }
  MatrixView<T> view() const { return {values_.data(), rows_, columns_}; }
  operator MatrixView<T>() const { return view(); }  // NOLINT(google-explicit-constructor): a view is cheap and safe

  /// Keeps the memory, so that a matrix reused batch after batch allocates once.
  void resize(std::size_t rows, std::size_t columns) {
    rows_ = rows;
    columns_ = columns;
    values_.resize(rows * columns);
  }

 private:
  std::size_t rows_ = 0;
  std::size_t columns_ = 0;
  std::vector<T> values_;
};

/// The given rows of `from`, in that order.
template <class T>
Matrix<T> gather(MatrixView<T> from, std::span<const std::size_t> rows) {
  Matrix<T> out(rows.size(), from.columns);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    assert(rows[i] < from.rows);
    const std::span<const T> source = from.row(rows[i]);
    std::copy(source.begin(), source.end(), out.row(i).begin());
  }
  return out;
}

}  // namespace dropscore::features
