// What both tree learners begin with. Private to the room.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "features/matrix.h"
#include "learn/learner.h"

namespace dropscore::learn {

/// Greatest |cell| that trees are grown on; beyond it a cell counts as this. Leaves room within a float for a threshold
/// beyond the greatest cell.
inline constexpr float greatest_cell = 1e37F;

/// The given rows as trees see them: float, NaN for what is missing and for a category that training never saw.
features::Matrix<float> tree_cells(const TrainingSet& data, std::span<const std::size_t> rows);

/// Which columns are categories, one flag for each.
std::vector<bool> categorical_columns(const schema::Schema& schema);

/// Parameter `name` as a whole number in [least, most]. REQUIRES: it is there. Errors: `misuse`.
Result<std::uint32_t> whole_number(const Learner& learner, const Parameters& parameters, const std::string& name,
                                   std::uint32_t least, std::uint32_t most);

}  // namespace dropscore::learn
