// What training found, for people and for programs. Format: docs/formats/train-report.md
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "metrics/classification.h"
#include "model/model.h"
#include "result/evaluation.h"

namespace dropscore::job {

struct SupportVectorCounts {
  std::uint64_t negative = 0;
  std::uint64_t positive = 0;
};

/// One set of parameters that a search judged.
struct SearchPoint {
  std::map<std::string, std::string> parameters;
  double value = 0;  ///< what it was worth: bigger is better
};

struct CandidateReport {
  std::string model;                              ///< the learner's name
  std::map<std::string, std::string> parameters;  ///< all of them, defaults included
  std::optional<SupportVectorCounts> support_vectors;
  std::string search_measure;  ///< "f1" or "minus_log_loss"; empty where nothing was sought
  std::vector<SearchPoint> search;
  std::string calibration;
  model::DecisionRule decision;
  /// On training rows, each judged by a fit and a calibration that did not see it.
  std::optional<result::Evaluation> cross_validated;
  std::optional<result::Evaluation> holdout;
  double fit_seconds = 0;
  double rows_scored_per_second = 0;
  std::vector<std::string> warnings;
};

struct DataReport {
  std::uint64_t rows = 0;
  std::uint64_t rejected_rows = 0;
  std::uint64_t training_rows = 0;
  std::uint64_t holdout_rows = 0;
  std::uint64_t features = 0;
  double training_conversion_rate = 0;
  std::vector<schema::DroppedColumn> dropped;
  std::vector<std::string> notes;
};

/// How much worse the model judges once one feature's values are shuffled among the rows.
struct Importance {
  std::string feature;
  double log_loss_increase = 0;
  double roc_auc_decrease = 0;
};

struct TrainReport {
  std::string target;
  DataReport data;
  std::vector<CandidateReport> candidates;     ///< best first
  std::optional<result::Evaluation> baseline;  ///< the training rows' rate for everyone, on the held-out rows
  std::string winner;
  std::string why;
  std::vector<Importance> importances;  ///< of the winner; on held-out rows where there are any
  bool importances_on_holdout = false;
  std::string model_version;
};

std::string to_json(const TrainReport& report);
/// A leaderboard for a terminal.
std::string to_text(const TrainReport& report);
/// The model card, Markdown.
std::string to_card(const TrainReport& report, const model::Model& model);

/// The members that the model document carries as "training": everything here but what a clock says.
void write_training_members(JsonWriter& json, const TrainReport& report);

}  // namespace dropscore::job
