// A model's verdict on labelled rows, as figures. Used by training on held-out rows, and by `evaluate`.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "features/matrix.h"
#include "model/model.h"
#include "result/evaluation.h"

namespace dropscore::job {

/// REQUIRES: sizes agree, at least one row. Pure, thread-safe.
result::Evaluation judge(const model::Model& model, features::MatrixView<double> rows,
                         std::span<const std::uint8_t> labels, std::optional<std::uint32_t> bootstrap_seed);

/// The same probability for everyone, and the decision that goes with it: what a model has to beat.
result::Evaluation judge_constant(double rate, std::span<const std::uint8_t> labels);

}  // namespace dropscore::job
