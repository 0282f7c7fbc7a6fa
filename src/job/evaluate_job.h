// A saved model judged on labelled rows that it has not seen.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace dropscore::model {
class Model;
}

namespace dropscore::job {

struct EvaluateReport {
  std::string text;  ///< for a terminal
  std::string json;  ///< docs/formats/train-report.md, "evaluation"
};

/// Reads a CSV with the model's columns and its target. Rows that cannot be scored are counted and left out.
/// Errors: `reject` (no target column, an unknown label, no usable row), those of reading.
Result<EvaluateReport> evaluate(ByteSource& labelled, const model::Model& model, std::uint32_t bootstrap_seed);

}  // namespace dropscore::job
