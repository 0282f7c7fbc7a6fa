// A labelled table -> matrices to learn from and to judge by. Private to training.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "features/matrix.h"
#include "job/train_options.h"
#include "job/train_report.h"
#include "schema/schema.h"

namespace dropscore::job {

/// Encoded rows and their labels.
struct Rows {
  features::Matrix<double> matrix;
  std::vector<std::uint8_t> labels;
};

struct TrainingData {
  schema::Schema schema;  ///< fitted on the training rows alone
  Rows training;
  std::optional<Rows> holdout;
};

/// Reads the table, splits it, fits the schema on the training rows, encodes both parts; fills the report's data part.
/// Errors: as train().
Result<TrainingData> prepare(ByteSource& data, ByteSource* holdout_file, const TrainOptions& options,
                             DataReport& report);

}  // namespace dropscore::job
