// The numbers that customers' files are full of, digits with at most one decimal mark, read eight digits at a time
// without a branch on their bytes. Whatever else a cell holds is left to parse_number, whose answer this is.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

#include "table/text_index.h"

namespace dropscore::table {

/// digits / 10^decimals.
struct PlainNumber {
  std::uint64_t digits = 0;
  unsigned decimals = 0;
};

namespace plain {

static_assert(std::endian::native == std::endian::little, "the first digit is taken to be the lowest byte");

inline constexpr std::uint64_t zeros = 0x3030303030303030U;

inline std::uint64_t load_eight(const char* bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

/// The lowest `count` bytes: none below 1, all of them from 8 on.
inline std::uint64_t low_bytes(std::ptrdiff_t count) {
  const auto bits = static_cast<unsigned>(std::clamp<std::ptrdiff_t>(count, 0, 8) * 8);
  return bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
}

/// Eight digits, the first the lowest byte: pairs by one step, the whole by two multiplications that add them up in
/// their upper halves.
inline std::uint64_t value_of_eight(std::uint64_t text) {
  text -= zeros;
  text = text * 10 + (text >> 8U);
  constexpr std::uint64_t every_other_pair = 0x000000FF000000FFU;
  constexpr std::uint64_t first_and_third = 100 + (std::uint64_t{1000000} << 32U);
  constexpr std::uint64_t second_and_last = 1 + (std::uint64_t{10000} << 32U);
  return ((text & every_other_pair) * first_and_third + ((text >> 16U) & every_other_pair) * second_and_last) >> 32U;
}

/// A cell's digits, brought together where a mark stands among them.
struct Digits {
  const char* begin;  ///< of the digits once the mark is gone and what stood before it has moved up by one
  const char* end;
  const char* mark;  ///< before everything where there is none

  /// The value of the eight digits whose last stands `back` bytes before the end; 0 before the first.
  std::uint64_t eight(std::ptrdiff_t back) const {
    const char* const at = end - back - 8;
    const std::uint64_t moved = low_bytes(mark + 1 - at);
    const std::uint64_t digits = (load_eight(at - 1) & moved) | (load_eight(at) & ~moved);
    const std::uint64_t outside = low_bytes(begin - at);
    return value_of_eight((digits & ~outside) | (zeros & outside));
  }
  std::uint64_t all() const { return eight(0) + 100'000'000 * eight(8) + 10'000'000'000'000'000 * eight(16); }
};

}  // namespace plain

/// Reads the cell [begin, end) of the text that `index` was built from. False: not such a number, or a longer one.
/// REQUIRES: the cell holds no odd byte (TextIndex::next_odd).
inline bool read_plain_number(const TextIndex& index, const char* text, const char* begin, const char* end,
                              PlainNumber& out) {
  constexpr std::size_t most_digits = 19;  // of which 64 bits hold any
  const auto size = static_cast<std::size_t>(end - begin);
  if (size - 1 > most_digits) return false;
  const auto place = static_cast<std::size_t>(begin - text);
  const std::uint64_t inside = (std::uint64_t{1} << size) - 1;
  if ((index.others(place) & inside) != 0) return false;
  const std::uint64_t marks = index.marks(place) & inside;
  if (marks == 0) {
    const plain::Digits digits{begin, end, begin - 32};
    if (size > most_digits) return false;
    out = {size <= 8 ? digits.eight(0) : digits.all(), 0};
    return true;
  }
  if ((marks & (marks - 1)) != 0 || size == 1) return false;  // two marks, or nothing else
  const plain::Digits digits{begin + 1, end, begin + std::countr_zero(marks)};
  out = {digits.all(), static_cast<unsigned>(end - digits.mark - 1)};
  return true;
}

namespace plain {

// Exact: 5^22 has 52 bits.
inline constexpr std::array<double, 23> powers_of_ten = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                         1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                         1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
inline constexpr std::array<double, 23> parts_of_ten = {1e0,   1e-1,  1e-2,  1e-3,  1e-4,  1e-5,  1e-6,  1e-7,
                                                        1e-8,  1e-9,  1e-10, 1e-11, 1e-12, 1e-13, 1e-14, 1e-15,
                                                        1e-16, 1e-17, 1e-18, 1e-19, 1e-20, 1e-21, 1e-22};
inline constexpr std::uint64_t exact_digits = std::uint64_t{1} << 53U;

}  // namespace plain

/// The nearest double. False where it takes more than one rounding to find it.
inline bool nearest(const PlainNumber& number, double& out) {
  if (number.digits > plain::exact_digits) return false;
  out = static_cast<double>(number.digits) / plain::powers_of_ten[number.decimals];
  return true;
}

/// The float nearest to the nearest double: what a double that is read and stored as a float becomes.
inline bool nearest(const PlainNumber& number, float& out) {
  if (number.digits > std::numeric_limits<std::int64_t>::max()) return false;
  const double value =
      static_cast<double>(static_cast<std::int64_t>(number.digits)) * plain::parts_of_ten[number.decimals];
  // Three roundings, each of at most one unit: within 3.5 units of the nearest double. Both become the same float
  // unless the middle between two floats lies so near.
  constexpr std::uint64_t dropped_bits = 29;
  constexpr std::uint64_t margin = 4;
  const std::uint64_t from_middle =
      std::bit_cast<std::uint64_t>(value) - (std::uint64_t{1} << (dropped_bits - 1)) + margin;
  out = static_cast<float>(value);
  if ((from_middle & ((std::uint64_t{1} << dropped_bits) - 1)) > 2 * margin) [[likely]]
    return true;
  double exact = 0;
  if (!nearest(number, exact)) return false;
  out = static_cast<float>(exact);
  return true;
}

}  // namespace dropscore::table
