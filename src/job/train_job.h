// The story of a model: a labelled table in, a fitted model and a report out. Nothing of the held-out rows is used in
// fitting, calibration or the choice of a threshold.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "job/train_options.h"
#include "job/train_report.h"
#include "model/model.h"

namespace dropscore::job {

struct Trained {
  std::shared_ptr<const model::Model> model;
  TrainReport report;
};

struct TrainHooks {
  /// What begins now, and which part of the whole is done, 0 to 1, a rough guess. Called from any thread, never twice
  /// at a time.
  std::function<void(std::string_view step, double done)> progress = [](std::string_view, double) {};
  std::function<bool()> stop_requested = [] { return false; };
};

/// `holdout_file` is read only with --holdout FILE. Errors: `reject` (the table cannot be learned from; says what to
/// mend), `misuse` (options), `try_later` (I/O), `give_up` (stopped).
Result<Trained> train(ByteSource& data, ByteSource* holdout_file, const TrainOptions& options,
                      const TrainHooks& hooks = {});

}  // namespace dropscore::job
