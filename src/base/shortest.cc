#include "base/shortest.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>

namespace dropscore {
namespace {

__extension__ typedef unsigned __int128 Wide;

// "00", "01", ... "99".
constexpr std::array<char, 200> make_digit_pairs() {
  std::array<char, 200> pairs{};
  for (std::size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}
constexpr std::array<char, 200> digit_pairs = make_digit_pairs();

constexpr unsigned fraction_bits = 52;
constexpr std::uint64_t fraction_mask = (std::uint64_t{1} << fraction_bits) - 1;
constexpr unsigned exponent_of_one = 1023;
constexpr unsigned least_exponent = exponent_of_one - 10;  // 2^-10 is under 0.001
constexpr double least_fraction = 0.001;                   // below it the exponent form may be shorter

// For a number in [2^-e, 2^(1-e)), e = 1 to 10, how many decimals surely suffice: 10^-decimals is at most the distance
// 2^-(e + 52) to the next double, and 10 times that is more. 10^19 fits 64 bits.
struct Scale {
  unsigned decimals;
  std::uint64_t power;
};
constexpr Scale scale_of(unsigned e) {
  Scale scale{16, 10'000'000'000'000'000U};
  while ((Wide{1} << (e + fraction_bits)) > Wide{scale.power}) {
    ++scale.decimals;
    scale.power *= 10;
  }
  return scale;
}
constexpr std::array<Scale, 11> make_scales() {
  std::array<Scale, 11> scales{};
  for (unsigned e = 1; e < scales.size(); ++e) scales[e] = scale_of(e);
  return scales;
}
constexpr std::array<Scale, 11> scales = make_scales();

/// The decimal in units of 10^-decimals that reads back as significand * 2^-shift and has the fewest digits, the
/// nearest of those. `scaled` is significand * 10^decimals: the number in those units with `shift` binary places, so
/// that all comparisons are exact. Idea: R. Giulietti, "The Schubfach way to render doubles", 2020.
std::uint64_t shortest_units(std::uint64_t significand, Wide scaled, std::uint64_t power, unsigned shift) {
  // What lies nearer than half the distance to the next double reads back as this one; at half, an even one does.
  const bool even = (significand & 1U) == 0;
  const Wide low = scaled - power / 2 + (even ? 0 : 1);
  const Wide high = scaled + power / 2 - (even ? 0 : 1);
  const auto below = static_cast<std::uint64_t>(scaled >> shift);
  const std::uint64_t tens = below - below % 10;
  if ((Wide{tens} << shift) >= low) return tens;
  if ((Wide{tens + 10} << shift) <= high) return tens + 10;
  const Wide rest = scaled - (Wide{below} << shift);
  const Wide half = Wide{1} << (shift - 1);
  if (rest != half) return rest < half ? below : below + 1;
  return below + (below & 1U);
}

void put_pair(char* out, std::uint32_t number) { std::memcpy(out, digit_pairs.data() + std::size_t{2} * number, 2); }

void put_eight(char* out, std::uint32_t number) {
  const std::uint32_t high = number / 10000;
  const std::uint32_t low = number % 10000;
  put_pair(out, high / 100);
  put_pair(out + 2, high % 100);
  put_pair(out + 4, low / 100);
  put_pair(out + 6, low % 100);
}

/// `units` with leading zeros. REQUIRES: 16 <= decimals <= 19.
char* put_decimals(char* out, std::uint64_t units, unsigned decimals) {
  constexpr std::uint64_t sixteen = 10'000'000'000'000'000U;
  auto front = static_cast<std::uint32_t>(units / sixteen);
  const std::uint64_t rest = units % sixteen;
  for (unsigned i = decimals - 16; i > 0; --i) {
    out[i - 1] = static_cast<char>('0' + front % 10);
    front /= 10;
  }
  out += decimals - 16;
  put_eight(out, static_cast<std::uint32_t>(rest / 100'000'000));
  put_eight(out + 8, static_cast<std::uint32_t>(rest % 100'000'000));
  return out + 16;
}

}  // namespace

char* write_shortest(char* out, double number) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &number, sizeof bits);
  const std::uint64_t fraction = bits & fraction_mask;
  // A power of two is nearer to the double below it than to the one above: left to the library, as the rest.
  const bool usual = number >= least_fraction && number < 1 && fraction != 0;
  if (!usual) return std::to_chars(out, out + most_number_bytes, number).ptr;
  const auto e = static_cast<unsigned>(exponent_of_one - (bits >> fraction_bits));
  static_assert(exponent_of_one - least_exponent < scales.size());
  const Scale scale = scales[e];
  const std::uint64_t significand = fraction | (fraction_mask + 1);
  const std::uint64_t units =
      shortest_units(significand, Wide{significand} * scale.power, scale.power, e + fraction_bits);
  out[0] = '0';
  out[1] = '.';
  char* end = put_decimals(out + 2, units, scale.decimals);
  while (end[-1] == '0') --end;
  return end;
}

}  // namespace dropscore
