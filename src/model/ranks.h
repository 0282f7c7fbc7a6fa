// How many of a list of thresholds a number reaches, counted sixteen at a time. Private to the room.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/aligned.h"

namespace dropscore::model {

/// Immutable, thread-safe. The same on every processor.
class Ranks {
 public:
  /// REQUIRES: strictly ascending, finite, fewer than 2^16.
  explicit Ranks(std::span<const float> thresholds);
  /// out[i] = the number of thresholds that are at most x[i * stride], for a few; 0 of NaN.
  void count(const float* x, std::size_t stride, std::span<std::uint16_t> out) const;
  std::size_t thresholds() const { return thresholds_; }

 private:
  /// A level holds every sixteenth number of the one before, the last of each sixteen; +infinity fills each up.
  std::vector<AlignedVector<float>> levels_;
  std::size_t thresholds_ = 0;
};

}  // namespace dropscore::model
