// The baseline's learner: the rate of conversion, and nothing else.
#pragma once

#include "learn/learner.h"

namespace dropscore::learn {

/// No parameters.
const Learner& constant_learner();

}  // namespace dropscore::learn
