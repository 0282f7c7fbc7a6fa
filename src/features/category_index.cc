#include "features/category_index.h"

#include <bit>

#include "table/cells.h"

namespace dropscore::features {

CategoryIndex::CategoryIndex(const schema::Feature& feature) {
  constexpr std::size_t slots_for_each = 4;
  slots_.resize(std::bit_ceil(slots_for_each * (feature.categories.size() + 1)));
  mask_ = slots_.size() - 1;
  for (std::uint32_t code = 0; code < feature.categories.size(); ++code) {
    const std::string& text = feature.categories[code];
    if (table::trim(text).size() != text.size()) continue;  // no cell, once trimmed, is this category
    const std::string padded = std::string(8, ' ') + text + std::string(8, ' ');
    const Key key = key_of(std::string_view(padded).substr(8, text.size()));
    std::size_t at = slot_of(key);
    while (slots_[at].key.size != no_size) at = (at + 1) & mask_;
    slots_[at] = {key, code, text};
  }
}

}  // namespace dropscore::features
