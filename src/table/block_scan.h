// Finds the bytes that mean something to CSV, 64 at a time: a bit for each byte. The hot loop of all reading.
#pragma once

#include <cstdint>

#if defined(__SSE2__) && !defined(DROPSCORE_PORTABLE_SCAN)
#include <emmintrin.h>
#define DROPSCORE_SCAN_SSE2 1
#elif defined(__AARCH64EL__) && !defined(DROPSCORE_PORTABLE_SCAN)
#include <arm_neon.h>
#define DROPSCORE_SCAN_NEON 1
#endif

namespace dropscore::table {

inline constexpr std::size_t scan_block_bytes = 64;

/// Bit i speaks of byte i.
struct BlockMasks {
  std::uint64_t special = 0;    ///< the delimiter, a quote, LF or NUL
  std::uint64_t not_ascii = 0;  ///< 80 to FF
};

/// The reference that every faster way is held against.
/// REQUIRES: 64 readable bytes at `bytes`.
inline BlockMasks scan_block_portable(const char* bytes, char delimiter) {
  BlockMasks masks;
  for (unsigned i = 0; i < scan_block_bytes; ++i) {
    const char c = bytes[i];
    const bool special = c == delimiter || c == '"' || c == '\n' || c == '\0';
    masks.special |= std::uint64_t{special} << i;
    masks.not_ascii |= std::uint64_t{static_cast<unsigned char>(c) >= 0x80} << i;
  }
  return masks;
}

#if defined(DROPSCORE_SCAN_SSE2)
/// As scan_block_portable, with the SSE2 that every x86-64 has.
inline BlockMasks scan_block(const char* bytes, char delimiter) {
  const __m128i delimiters = _mm_set1_epi8(delimiter);
  const __m128i quotes = _mm_set1_epi8('"');
  const __m128i line_feeds = _mm_set1_epi8('\n');
  const __m128i nuls = _mm_setzero_si128();
  const auto bits = [](__m128i lanes) { return std::uint64_t{static_cast<std::uint32_t>(_mm_movemask_epi8(lanes))}; };
  BlockMasks masks;
  for (unsigned i = 0; i < scan_block_bytes; i += 16) {
    const __m128i lanes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + i));
    const __m128i special = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(lanes, delimiters), _mm_cmpeq_epi8(lanes, quotes)),
                                         _mm_or_si128(_mm_cmpeq_epi8(lanes, line_feeds), _mm_cmpeq_epi8(lanes, nuls)));
    masks.special |= bits(special) << i;
    masks.not_ascii |= bits(lanes) << i;
  }
  return masks;
}
#elif defined(DROPSCORE_SCAN_NEON)
/// As scan_block_portable, with the NEON that every arm64 has.
inline BlockMasks scan_block(const char* bytes, char delimiter) {
  const uint8x16_t delimiters = vdupq_n_u8(static_cast<std::uint8_t>(delimiter));
  const uint8x16_t quotes = vdupq_n_u8('"');
  const uint8x16_t line_feeds = vdupq_n_u8('\n');
  const uint8x16_t places = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
  uint8x16_t special[4];
  uint8x16_t not_ascii[4];
  for (unsigned i = 0; i < 4; ++i) {
    const uint8x16_t lanes = vld1q_u8(reinterpret_cast<const std::uint8_t*>(bytes) + std::size_t{16} * i);
    special[i] = vandq_u8(places, vorrq_u8(vorrq_u8(vceqq_u8(lanes, delimiters), vceqq_u8(lanes, quotes)),
                                           vorrq_u8(vceqq_u8(lanes, line_feeds), vceqzq_u8(lanes))));
    not_ascii[i] = vandq_u8(places, vcltzq_s8(vreinterpretq_s8_u8(lanes)));
  }
  // Eight neighbours, each with a bit of its own, added up are a byte of the mask.
  const auto bits = [](const uint8x16_t* lanes) {
    const uint8x16_t eighths = vpaddq_u8(vpaddq_u8(lanes[0], lanes[1]), vpaddq_u8(lanes[2], lanes[3]));
    return std::uint64_t{vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(eighths, eighths)), 0)};
  };
  return {bits(special), bits(not_ascii)};
}
#else
inline BlockMasks scan_block(const char* bytes, char delimiter) { return scan_block_portable(bytes, delimiter); }
#endif

}  // namespace dropscore::table
