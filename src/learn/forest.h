// A random forest: trees grown on bootstrap samples, a random few columns asked at each node.
// Source: Breiman 2001; parameters as scikit-learn's RandomForestClassifier has them, save that cells are cut into at
// most 255 bins first (Ke and others 2017), so that a node costs its rows and not their sorting.
#pragma once

#include "learn/learner.h"

namespace dropscore::learn {

/// Parameters: trees, depth, columns (how many each node asks; "sqrt": the root of how many there are), leaf (rows that
/// a leaf has at least, counted as often as the bootstrap drew them). Each tree has a seed of its own, so that the
/// forest does not depend on the number of threads. Thread-safe, like every learner.
const Learner& forest_learner();

}  // namespace dropscore::learn
