#include "model/packed_standardizer.h"

#include <limits>

namespace dropscore::model {

PackedStandardizer::PackedStandardizer(const Standardizer& standardizer)
    : features_(standardizer.mean.size()),
      mean_((features_ + column_step - 1) / column_step * column_step),
      inverse_(mean_.size()),
      fill_(mean_.size()),
      lowest_(mean_.size()) {
  for (std::size_t j = 0; j < features_; ++j) {
    mean_[j] = standardizer.mean[j];
    inverse_[j] = 1 / standardizer.scale[j];
    fill_[j] = standardizer.fill[j];
    lowest_[j] = standardizer.categorical[j] ? 0 : -std::numeric_limits<double>::infinity();
  }
}

StandardizerTables PackedStandardizer::tables() const {
  return {features_, mean_.size(), mean_.data(), inverse_.data(), fill_.data(), lowest_.data()};
}

}  // namespace dropscore::model
