// The support vector machine's learner, the original's own calibration and the original's search. The rbf machine is
// solved step for step as LIBSVM solves it (learn/smo.h), the linear one to the optimum (learn/linear_svm.h).
#pragma once

#include "learn/learner.h"
#include "model/svm.h"

namespace dropscore::learn {

/// Parameters: kernel (rbf, linear), C, gamma (a number, or scale: 1 / (columns x variance)), eps (where the rbf
/// machine's iteration stops; LIBSVM's 0.001 is what the original has). Memory: a kernel matrix of 4 x rows^2 bytes.
/// A linear machine's form is its weights, as one support vector.
/// Errors: as Learner::fit, and `too_large` for an rbf machine on more than GramMatrix::row_limit rows.
const Learner& svm_learner();

/// A and B of scikit-learn's SVC(probability=True, random_state=seed), as a Calibration of kind `original`: inner folds
/// shuffled by scikit-learn's own generator, five fits without probabilities, Platt's sigmoid over their decision
/// values. `data.rows` raw; the standardizer is fitted on all of them first, as the original does. Errors: as the
/// learner's.
Result<model::Calibration> fit_original_calibration(const TrainingSet& data, const Parameters& parameters,
                                                    const LearnContext& context);

struct SearchedPoint {
  Parameters parameters;
  double value = 0;
};

/// The mean F1 of the original's 32 points on scikit-learn's unshuffled StratifiedKFold(5), in ParameterGrid's order;
/// columns are standardized over all rows once, as the original does. `progress` is called from any thread, never twice
/// at a time. Errors: as the learner's; `reject` (too few rows of a class).
Result<std::vector<SearchedPoint>> search_original_grid(
    const TrainingSet& data, const LearnContext& context,
    std::function<void(std::size_t done, std::size_t total)> progress);

/// Mean, scale and fill of each column, fitted on `data`.
model::Standardizer fit_standardizer(const TrainingSet& data);

}  // namespace dropscore::learn
