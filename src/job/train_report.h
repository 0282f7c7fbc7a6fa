// What training found, for people and for programs. Format: docs/formats/train-report.md
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "metrics/classification.h"
#include "model/model.h"

namespace dropscore::job {

struct SupportVectorCounts {
  std::uint64_t negative = 0;
  std::uint64_t positive = 0;
};

struct CandidateReport {
  std::string model;                              ///< the learner's name
  std::map<std::string, std::string> parameters;  ///< all of them, defaults included
  std::optional<SupportVectorCounts> support_vectors;
  std::string calibration;
  model::DecisionRule decision;
  std::optional<metrics::Figures> cross_validated;  ///< on out-of-fold predictions of training rows
  std::optional<metrics::Figures> holdout;
  double fit_seconds = 0;
};

struct TrainReport {
  std::string target;
  std::uint64_t rows = 0;
  std::uint64_t rejected_rows = 0;
  std::uint64_t training_rows = 0;
  std::uint64_t holdout_rows = 0;
  std::uint64_t features = 0;
  double training_conversion_rate = 0;
  std::vector<schema::DroppedColumn> dropped;
  std::vector<std::string> notes;
  std::vector<CandidateReport> candidates;
  std::optional<metrics::Figures> baseline;  ///< the training rows' rate for everyone, on the held-out rows
  std::string winner;
  std::string model_version;
};

std::string to_json(const TrainReport& report);
/// A table for a terminal.
std::string to_text(const TrainReport& report);

/// The members that the model document carries as "training": everything here but what a clock says.
void write_training_members(JsonWriter& json, const TrainReport& report);

}  // namespace dropscore::job
