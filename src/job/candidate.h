// One model on trial: its parameters sought, its probabilities calibrated, its threshold chosen, all on training rows.
// Private to training.
#pragma once

#include "base/result.h"
#include "job/train_data.h"
#include "job/train_job.h"
#include "job/train_options.h"
#include "job/train_report.h"
#include "learn/learner.h"
#include "model/model.h"

namespace dropscore::job {

struct Candidate {
  CandidateReport report;
  model::ModelParts parts;  ///< without training_json
};

/// Which part of the whole training a candidate is.
struct Share {
  double begin = 0;
  double size = 1;
};

/// Errors: as train(); `too_large` where the learner does not take so many rows.
Result<Candidate> try_candidate(const learn::Learner& learner, const TrainingData& data, const TrainOptions& options,
                                const TrainHooks& hooks, Share share);

}  // namespace dropscore::job
