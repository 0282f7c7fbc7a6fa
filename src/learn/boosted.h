// Gradient-boosted trees, grown by XGBoost's histogram method and kept in our own form.
// Source: Chen, Guestrin 2016; XGBoost 1.7's C API.
#pragma once

#include "learn/learner.h"
#include "model/trees.h"

namespace dropscore::learn {

/// Parameters: rounds (a number, or "auto": where pooled out-of-fold log loss is least), depth, rate, lambda,
/// min_child_weight, subsample. Thread-safe, like every learner. XGBoost itself always runs on one thread: nothing
/// promises that its sums are the same on two, and on a busy machine two were 2 to 9 times slower than one (OpenMP
/// waits at every node). Threads go to the inner folds instead.
const Learner& boosted_learner();

/// XGBoost's JSON model (binary:logistic, gbtree, numeric splits) as our form. `seen_missing` says for each feature
/// whether training saw it missing; where it did not, XGBoost's branch for missing values means nothing, and they go
/// with the heavier child instead. Errors: `give_up` where the document is not as XGBoost 1.7 writes it.
Result<model::TreesForm> convert_xgboost(std::string_view json, const std::vector<bool>& categorical,
                                         const std::vector<bool>& seen_missing);

}  // namespace dropscore::learn
