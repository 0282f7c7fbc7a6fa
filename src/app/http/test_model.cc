#include "app/http/test_client.h"
#include "model/model.h"
#include "model/svm.h"

namespace dropscore::http {
namespace {

schema::Feature numeric(const char* name) {
  schema::Feature feature;
  feature.name = name;
  feature.maximum = 100;
  return feature;
}

std::shared_ptr<const model::Model> small_model() {
  model::SvmForm form;
  form.parameters = {model::Kernel::linear, 1, 0};
  form.standardizer.mean = {40, 50};
  form.standardizer.scale = {10, 20};
  form.standardizer.fill = {40, 50};
  form.standardizer.categorical = {false, false};
  form.support_vectors = features::Matrix<double>(1, 2);
  form.coefficients = {1};
  model::ModelParts parts;
  parts.schema.features = {numeric("Age"), numeric("Spend")};
  parts.schema.target = {"Conversion", "0", "1"};
  parts.predictor = std::make_unique<model::Svm>(std::move(form));
  parts.training_json = "{}";
  auto made = model::Model::make(std::move(parts));
  return made ? *made : nullptr;
}

}  // namespace

job::Scorer small_scorer() {
  static const std::shared_ptr<const model::Model> model = small_model();
  return job::Scorer(model);
}

}  // namespace dropscore::http
