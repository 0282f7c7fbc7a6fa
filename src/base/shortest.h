// Doubles as text: the shortest decimal that reads back as the same double.
#pragma once

#include <cstddef>

namespace dropscore {

/// The most bytes that write_shortest writes.
inline constexpr std::size_t most_number_bytes = 32;

/// Writes the shortest decimal that reads back as `number`, byte for byte as std::to_chars does, and returns its end.
/// Several times as fast for what scoring writes, probabilities of 0.001 and over. REQUIRES: most_number_bytes bytes
/// at `out`; `number` is finite.
char* write_shortest(char* out, double number);

}  // namespace dropscore
