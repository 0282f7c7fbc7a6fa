// How good a model is on labelled rows, as figures for a report.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json_writer.h"
#include "metrics/bootstrap.h"
#include "metrics/calibration_error.h"
#include "metrics/classification.h"

namespace dropscore::result {

struct Evaluation {
  std::uint64_t rows = 0;
  metrics::Figures figures;
  std::vector<metrics::ReliabilityBin> reliability;
  double calibration_error = 0;
  std::optional<metrics::FigureIntervals> intervals;  ///< 95 %, by bootstrap over the rows
};

/// REQUIRES: sizes agree, at least one row. With `bootstrap_seed`, intervals are computed too.
Evaluation evaluate(std::span<const std::uint8_t> labels, std::span<const double> probabilities,
                    std::span<const std::uint8_t> decisions, std::optional<std::uint32_t> bootstrap_seed);

void write(JsonWriter& json, const Evaluation& evaluation);

/// Column heads and a line for `name`, as wide as each other.
std::string table_head();
std::string table_line(const std::string& name, const Evaluation& evaluation);

}  // namespace dropscore::result
