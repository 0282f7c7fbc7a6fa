// Sums over many rows on a few threads, the same to the last bit on any number of them. Private to the room.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "learn/parallel.h"

namespace dropscore::learn {

inline constexpr std::size_t rows_per_chunk = 16384;

/// work(part, begin, end) adds up the rows [begin, end) into its own copy of `zero`; the parts are then added in order,
/// sum.add(part). Which chunks there are depends on `rows` alone.
template <class Sum, class Work>
Sum sum_chunks(std::size_t rows, unsigned threads, const Sum& zero, Work work) {
  std::vector<Sum> parts((rows + rows_per_chunk - 1) / rows_per_chunk, zero);
  for_each_index(parts.size(), threads, [&](std::size_t chunk) {
    work(parts[chunk], chunk * rows_per_chunk, std::min(rows, (chunk + 1) * rows_per_chunk));
  });
  Sum sum = zero;
  for (const Sum& part : parts) sum.add(part);
  return sum;
}

/// A number to be summed.
struct Total {
  double value = 0;
  void add(const Total& other) { value += other.value; }
};

}  // namespace dropscore::learn
