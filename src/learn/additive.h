// The additive model's learner: finds a few steps, categories and lines (learn/additive_terms.h) and folds what it
// found into one table for each feature.
//
// Up to `max_searched_rows` rows, six models are fitted: one on all rows and one without each of five folds, all under
// the kind of link that the first chose. Their mean is taken: of the scores, so that it is again one additive model
// with exact contributions, and of floor and drop. Averaging makes the places of the cuts less a matter of chance; it
// does the log loss as much good as averaging the probabilities does. With more rows the cuts are found on
// `max_searched_rows` of them, drawn by class, where chance has little left to say, and the weights and the link are
// then fitted to all.
#pragma once

#include <cstddef>
#include <cstdint>

#include "learn/learner.h"
#include "model/additive.h"

namespace dropscore::learn {

inline constexpr std::size_t max_searched_rows = 50'000;
inline constexpr std::uint32_t additive_folds = 5;

/// Parameters: slopes (false; true: straight lines too), charge (auto: 2, with slopes 1; the price of a term in
/// log(rows)s of twice the log-likelihood: more makes fewer terms), ridge (0.03). Takes missing values and unknown
/// categories as a branch of their own. REQUIRES: no infinite number in the rows.
const Learner& additive_learner();

}  // namespace dropscore::learn
