// A feature's categories by their bytes, found with one look in a small table.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schema/schema.h"

namespace dropscore::features {

/// Immutable, thread-safe.
class CategoryIndex {
 public:
  CategoryIndex() = default;
  explicit CategoryIndex(const schema::Feature& feature);

  /// The code of exactly this text; a text that is not found may still be a category once it is trimmed.
  /// REQUIRES: 8 readable bytes from text.data() on, and 8 before its end.
  std::optional<std::uint32_t> find(std::string_view text) const {
    const Key key = key_of(text);
    for (std::size_t at = slot_of(key);; at = (at + 1) & mask_) {
      const Slot& slot = slots_[at];
      if (slot.key == key && (text.size() <= 16 || slot.text == text)) return slot.code;
      if (slot.key.size == no_size) return std::nullopt;
    }
  }

 private:
  static constexpr std::uint32_t no_size = 0xFFFFFFFF;
  // The first and the last eight bytes: all there is of a text of 16 or fewer.
  struct Key {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::uint32_t size = no_size;
    bool operator==(const Key&) const = default;
  };
  struct Slot {
    Key key;
    std::uint32_t code = 0;
    std::string text;
  };

  static Key key_of(std::string_view text) {
    Key key;
    std::memcpy(&key.first, text.data(), sizeof key.first);
    std::memcpy(&key.last, text.data() + text.size() - sizeof key.last, sizeof key.last);
    key.size = static_cast<std::uint32_t>(text.size());
    if (text.size() < 8) {
      key.first &= (std::uint64_t{1} << (8 * text.size())) - 1;
      key.last = 0;
    }
    return key;
  }
  std::size_t slot_of(const Key& key) const {
    constexpr std::uint64_t odd = 0x9E3779B97F4A7C15U;  // 2^64 / the golden ratio: spreads close keys
    const std::uint64_t mixed = (key.first ^ (key.last << 1U) ^ (key.last >> 63U)) + key.size;
    return static_cast<std::size_t>((mixed * odd) >> 40U) & mask_;
  }

  std::vector<Slot> slots_{1};  // a power of two of them, half of them free
  std::size_t mask_ = 0;
};

}  // namespace dropscore::features
