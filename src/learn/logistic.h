// The learner of ridge logistic regression.
//
// Minimizes |w|^2 / 2 + C sum_i log(1 + exp(-y_i (w.x_i + b))), y = +-1, x standardized, b free, as scikit-learn's
// LogisticRegression(C=C) does; by Newton's method to the optimum itself, where scikit-learn's lbfgs stops near it.
#pragma once

#include "learn/learner.h"
#include "model/logistic.h"

namespace dropscore::learn {

/// Parameters: C (1), over 0: less pulls the coefficients closer to 0. Memory: none to speak of beyond the rows.
const Learner& logistic_learner();

}  // namespace dropscore::learn
