// A model small enough to reckon by hand: two features, Age and Channel; decision value (Age - 40) / 10 whatever the
// channel, probability 1 / (1 + exp(-decision)), "converts" from 0.5 on, so from age 40 on.
#pragma once

#include <memory>
#include <utility>

#include "model/model.h"
#include "model/svm.h"

namespace dropscore::testing {

inline model::ModelParts tiny_model_parts() {
  model::SvmForm form;
  form.parameters.kernel = model::Kernel::linear;
  form.standardizer.mean = {40, 0};
  form.standardizer.scale = {10, 1};
  form.standardizer.fill = {40, 0};
  form.standardizer.categorical = {false, true};
  form.support_vectors = features::Matrix<double>(1, 2);
  form.support_vectors(0, 0) = 1;
  form.coefficients = {1};
  model::ModelParts parts;
  schema::Feature age;
  age.name = "Age";
  age.minimum = 18;
  age.maximum = 70;
  age.fill = 40;
  schema::Feature channel;
  channel.name = "Channel";
  channel.kind = schema::Kind::categorical;
  channel.categories = {"Email", "PPC", "SEO"};
  parts.schema.features = {age, channel};
  parts.schema.target = {"Conversion", "0", "1"};
  parts.predictor = std::make_shared<model::Svm>(std::move(form));
  parts.calibration.kind = model::CalibrationKind::platt;
  parts.calibration.A = -1;
  parts.decision.threshold = 0.5;
  parts.training_json = "{}";
  return parts;
}

inline std::shared_ptr<const model::Model> tiny_model(double threshold = 0.5) {
  model::ModelParts parts = tiny_model_parts();
  parts.decision.threshold = threshold;
  return *model::Model::make(std::move(parts));
}

}  // namespace dropscore::testing
