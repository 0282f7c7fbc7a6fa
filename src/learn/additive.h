// The additive model's learner: finds a few steps, categories and lines (learn/additive_terms.h) and folds what it
// found into one table for each feature.
//
// Six models are fitted. Up to `max_searched_rows` rows: one on all rows and one without each of five folds. With more:
// each finds its terms on a sample of `max_searched_rows`, drawn by class, and its weights and link are then fitted to
// all rows. All are under the kind of link that the first chose. Their mean is the model: of the scores, so that it is
// again one additive model with exact contributions, and of floor and drop. Averaging makes the places of the cuts less
// a matter of chance; it does the log loss as much good as averaging the probabilities does.
#pragma once

#include <cstddef>
#include <cstdint>

#include "learn/learner.h"
#include "model/additive.h"

namespace dropscore::learn {

inline constexpr std::size_t max_searched_rows = 50'000;
inline constexpr std::uint32_t additive_members = 6;

/// Parameters: slopes (false; true: straight lines too), charge (auto: 2, with slopes 1; the price of a term in
/// log(rows)s of twice the log-likelihood: more makes fewer terms), ridge (0.03). Takes missing values and unknown
/// categories as a branch of their own.
const Learner& additive_learner();

}  // namespace dropscore::learn
