#include "table/text_index.h"

#include <bit>
#include <cstring>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "table/text_index.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#ifndef DROPSCORE_TABLE_TEXT_INDEX_ONCE
#define DROPSCORE_TABLE_TEXT_INDEX_ONCE
namespace dropscore::table {
namespace {

constexpr std::size_t block_bytes = 64;  // a word's bits

struct IndexArrays {
  std::uint32_t* ends;
  std::uint32_t* line_ends;
  std::uint64_t* odd;
  std::uint64_t* marks;
  std::uint64_t* others;
  std::size_t end_count;
  std::size_t line_end_count;
  std::uint64_t any_odd;
};

}  // namespace
}  // namespace dropscore::table
#endif

HWY_BEFORE_NAMESPACE();
namespace dropscore::table::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<std::uint8_t, block_bytes>;
using V = hn::Vec<D>;

template <class Mask>
HWY_INLINE std::uint64_t bits_of(D d, Mask mask) {
  std::uint8_t bytes[8] = {};  // NOLINT(modernize-avoid-c-arrays): a register in memory's clothes
  hn::StoreMaskBits(d, mask, bytes);
  std::uint64_t bits = 0;
  std::memcpy(&bits, bytes, sizeof bits);
  return bits;
}

/// The places of `bits` within a block that begins at `base`, appended to `out`. Writes in eights, whatever they are:
/// a branch on each would be guessed wrongly.
HWY_INLINE void append_places(std::uint64_t bits, std::uint32_t base, std::uint32_t* out) {
  while (bits != 0) {
    for (int i = 0; i < 8; ++i) {
      out[i] = base + static_cast<std::uint32_t>(std::countr_zero(bits));
      bits &= bits - 1;
    }
    out += 8;
  }
}

void BuildIndex(std::string_view text, char delimiter, bool decimal_comma, IndexArrays& out) {
  const D d;
  const auto set = [d](char c) { return hn::Set(d, static_cast<std::uint8_t>(c)); };
  const V delimiters = set(delimiter);
  const V line_feeds = set('\n');
  const V quotes = set('"');
  const V points = set('.');
  const V commas = set(decimal_comma ? ',' : '.');
  const V zeros = set('0');
  const V ten = hn::Set(d, 10);
  const V last_ascii = hn::Set(d, 0x7F);
  std::uint32_t* ends = out.ends;
  std::uint32_t* line_ends = out.line_ends;
  std::uint64_t any_odd = 0;
  for (std::size_t at = 0; at < text.size(); at += block_bytes) {
    std::uint64_t end_bits = 0;
    std::uint64_t line_end_bits = 0;
    std::uint64_t odd_bits = 0;
    std::uint64_t mark_bits = 0;
    std::uint64_t digit_bits = 0;
    for (std::size_t i = 0; i < block_bytes; i += hn::Lanes(d)) {
      const V bytes = hn::LoadU(d, reinterpret_cast<const std::uint8_t*>(text.data()) + at + i);
      const auto is_line_feed = hn::Eq(bytes, line_feeds);
      const auto is_end = hn::Or(hn::Eq(bytes, delimiters), is_line_feed);
      const auto is_mark = hn::Or(hn::Eq(bytes, points), hn::Eq(bytes, commas));
      const auto is_digit = hn::Gt(ten, hn::Sub(bytes, zeros));
      const auto is_odd = hn::Or(hn::Or(hn::Eq(bytes, quotes), hn::Eq(bytes, hn::Zero(d))), hn::Gt(bytes, last_ascii));
      end_bits |= bits_of(d, is_end) << i;
      line_end_bits |= bits_of(d, is_line_feed) << i;
      odd_bits |= bits_of(d, is_odd) << i;
      mark_bits |= bits_of(d, is_mark) << i;
      digit_bits |= bits_of(d, is_digit) << i;
    }
    if (text.size() - at < block_bytes) {
      const std::uint64_t valid = (std::uint64_t{1} << (text.size() - at)) - 1;
      end_bits &= valid;
      line_end_bits &= valid;
      odd_bits &= valid;
    }
    const std::size_t word = at / block_bytes;
    out.odd[word] = odd_bits;
    out.marks[word] = mark_bits;
    out.others[word] = ~(mark_bits | digit_bits);
    any_odd |= odd_bits;
    const auto before = static_cast<std::uint32_t>(ends - out.ends);
    append_places(end_bits, static_cast<std::uint32_t>(at), ends);
    ends += std::popcount(end_bits);
    for (; line_end_bits != 0; line_end_bits &= line_end_bits - 1) {
      const std::uint64_t earlier = (line_end_bits & (~line_end_bits + 1)) - 1;
      *line_ends++ = before + static_cast<std::uint32_t>(std::popcount(end_bits & earlier));
    }
  }
  out.end_count = static_cast<std::size_t>(ends - out.ends);
  out.line_end_count = static_cast<std::size_t>(line_ends - out.line_ends);
  out.any_odd = any_odd;
}

PlainLines FindPlainLines(std::string_view text, bool ascii_only) {
  const D d;
  const V line_feeds = hn::Set(d, '\n');
  const V returns = hn::Set(d, '\r');
  const V quotes = hn::Set(d, '"');
  // Where only ASCII will do, bytes from 80 on are stops; else none is over FF.
  const V last_plain = hn::Set(d, ascii_only ? 0x7F : 0xFF);
  PlainLines found;
  // Bit 63 of each speaks of the byte before the block: the text begins a line.
  std::uint64_t feeds_before = std::uint64_t{1} << 63U;
  std::uint64_t blank_returns_before = 0;  // a CR that begins a line
  for (std::size_t at = 0; at < text.size(); at += block_bytes) {
    std::uint64_t feed_bits = 0;
    std::uint64_t return_bits = 0;
    std::uint64_t quote_bits = 0;
    std::uint64_t stop_bits = 0;
    for (std::size_t i = 0; i < block_bytes; i += hn::Lanes(d)) {
      const V bytes = hn::LoadU(d, reinterpret_cast<const std::uint8_t*>(text.data()) + at + i);
      const auto is_quote = hn::Eq(bytes, quotes);
      feed_bits |= bits_of(d, hn::Eq(bytes, line_feeds)) << i;
      return_bits |= bits_of(d, hn::Eq(bytes, returns)) << i;
      quote_bits |= bits_of(d, is_quote) << i;
      stop_bits |= bits_of(d, hn::Or(is_quote, hn::Gt(bytes, last_plain))) << i;
    }
    std::uint64_t valid = ~std::uint64_t{0};
    if (text.size() - at < block_bytes) valid = (std::uint64_t{1} << (text.size() - at)) - 1;
    const std::uint64_t stops = stop_bits & valid;
    if (stops != 0) valid &= (stops & (~stops + 1)) - 1;
    feed_bits &= valid;
    if (feed_bits != 0) found.bytes = at + block_bytes - static_cast<std::size_t>(std::countl_zero(feed_bits));
    const std::uint64_t after_feed = (feed_bits << 1U) | (feeds_before >> 63U);
    const std::uint64_t blank_returns = return_bits & after_feed;
    const std::uint64_t after_blank_return = (blank_returns << 1U) | (blank_returns_before >> 63U);
    found.lines += static_cast<std::size_t>(std::popcount(feed_bits));
    found.records += static_cast<std::size_t>(std::popcount(feed_bits & ~(after_feed | after_blank_return)));
    if (stops != 0) {
      found.found_quote = ((stops & (~stops + 1)) & quote_bits) != 0;
      return found;
    }
    feeds_before = feed_bits;
    blank_returns_before = blank_returns;
  }
  return found;
}

}  // namespace dropscore::table::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dropscore::table {
namespace {

constexpr std::size_t most_words = TextIndex::most_bytes / block_bytes;

}  // namespace

HWY_EXPORT(BuildIndex);
HWY_EXPORT(FindPlainLines);

// Ends are written in eights, up to seven too many; bits are read a word further on.
TextIndex::TextIndex()
    : ends_(std::make_unique_for_overwrite<std::uint32_t[]>(most_bytes + 9)),
      line_ends_(std::make_unique_for_overwrite<std::uint32_t[]>(most_bytes)),
      odd_(std::make_unique<std::uint64_t[]>(most_words + 2)),
      marks_(std::make_unique<std::uint64_t[]>(most_words + 2)),
      others_(std::make_unique<std::uint64_t[]>(most_words + 2)) {
  ends_[0] = std::numeric_limits<std::uint32_t>::max();
}

void TextIndex::build(std::string_view text, char delimiter, bool decimal_comma) {
  IndexArrays arrays{ends_.get() + 1, line_ends_.get(), odd_.get(), marks_.get(), others_.get(), 0, 0, 0};
  HWY_DYNAMIC_DISPATCH(BuildIndex)(text, delimiter, decimal_comma, arrays);
  end_count_ = arrays.end_count;
  line_end_count_ = arrays.line_end_count;
  any_odd_ = arrays.any_odd != 0;
  words_ = (text.size() + block_bytes - 1) / block_bytes;
}

std::size_t TextIndex::next_odd(std::size_t place) const {
  if (!any_odd_) return most_bytes;
  std::size_t word = place / block_bytes;
  if (word >= words_) return most_bytes;
  std::uint64_t bits = odd_[word] & (~std::uint64_t{0} << (place % block_bytes));
  while (bits == 0) {
    if (++word == words_) return most_bytes;
    bits = odd_[word];
  }
  return word * block_bytes + static_cast<std::size_t>(std::countr_zero(bits));
}

PlainLines find_plain_lines(std::string_view text, bool ascii_only) {
  return HWY_DYNAMIC_DISPATCH(FindPlainLines)(text, ascii_only);
}

}  // namespace dropscore::table
#endif
