// The support vector machine's learner, over LIBSVM; and the original's own calibration.
#pragma once

#include "learn/learner.h"
#include "model/svm.h"

namespace dropscore::learn {

/// Parameters: kernel (rbf, linear), C, gamma (a number, or scale: 1 / (columns x variance)), eps (where the iteration
/// stops; LIBSVM's 0.001 is what the original has). LIBSVM cannot be interrupted: a stop is noticed between fits.
const Learner& svm_learner();

/// A and B of scikit-learn's SVC(probability=True, random_state=seed), as a Calibration of kind `original`: inner folds
/// shuffled by scikit-learn's own generator, five LIBSVM fits without probabilities (on up to context.threads threads,
/// up to 512 MB each), Platt's sigmoid over their decision values. `data.rows` raw; the standardizer is fitted on all
/// of them first, as the original does. Errors: as Learner::fit.
Result<model::Calibration> fit_original_calibration(const TrainingSet& data, const Parameters& parameters,
                                                    const LearnContext& context);

/// Mean, scale and fill of each column, fitted on `data`.
model::Standardizer fit_standardizer(const TrainingSet& data);

}  // namespace dropscore::learn
