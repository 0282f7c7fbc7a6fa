// A Standardizer's numbers as the kernels read them: registers of columns, filled up with columns of nothing but 0.
// Private to the room.
#pragma once

#include <cstddef>

#include "model/aligned.h"
#include "model/standardizer.h"

namespace dropscore::model {

/// Columns are filled up to a multiple of this: the doubles of the widest register.
inline constexpr std::size_t column_step = 8;

/// What a kernel sees of it. Owned by the PackedStandardizer.
struct StandardizerTables {
  std::size_t features = 0;
  std::size_t padded = 0;           ///< features rounded up to a multiple of column_step
  const double* mean = nullptr;     ///< [padded], as all below
  const double* inverse = nullptr;  ///< 1 / scale: an ulp from dividing
  const double* fill = nullptr;
  const double* lowest =
      nullptr;  ///< what is not at least this much is absent: 0 for a category's code, else -infinity
};

/// Immutable, thread-safe.
class PackedStandardizer {
 public:
  explicit PackedStandardizer(const Standardizer& standardizer);
  StandardizerTables tables() const;

 private:
  std::size_t features_;
  AlignedVector<double> mean_;
  AlignedVector<double> inverse_;
  AlignedVector<double> fill_;
  AlignedVector<double> lowest_;
};

}  // namespace dropscore::model
