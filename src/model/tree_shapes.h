// Boosted trees that ask about one feature each, as stumps do, are a sum of steps of single features. Private to the
// room.
#pragma once

#include <optional>

#include "model/shapes.h"

namespace dropscore::model {

struct TreesForm;

/// base and all trees as one table for each feature, in double; nothing where a tree asks about two features, or the
/// form is a forest or of more than 30,000 nodes. A row's sum is then that of the definition but for the order of its
/// terms: off by less than trees 2^-52 times the sum of the leaves' sizes.
std::optional<ShapeKernel> single_feature_shapes(const TreesForm& form);

}  // namespace dropscore::model
