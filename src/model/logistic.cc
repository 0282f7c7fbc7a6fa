#include "model/logistic.h"

#include <cassert>
#include <cmath>

#include <fmt/format.h>

#include "base/json_reader.h"

namespace dropscore::model {

Logistic::Logistic(LogisticForm form)
    : form_(std::move(form)), kernel_(form_.standardizer, form_.coefficients, form_.intercept) {
  assert(!form_.coefficients.empty() && form_.standardizer.mean.size() == form_.coefficients.size());
}

void Logistic::decide(features::MatrixView<float> rows, std::span<double> out) const {
  assert(rows.columns == features() && out.size() == rows.rows);
  kernel_.decide(rows, out);
}

void Logistic::decide(features::MatrixView<double> rows, std::span<double> out) const {
  assert(rows.columns == features() && out.size() == rows.rows);
  for (std::size_t row = 0; row < rows.rows; ++row) {
    double f = form_.intercept;
    for (std::size_t j = 0; j < rows.columns; ++j) {
      f += form_.coefficients[j] * form_.standardizer.apply(rows(row, j), j);
    }
    out[row] = f;
  }
}

void Logistic::save(JsonWriter& json) const {
  json.member("C", form_.C);
  json.key("standardizer");
  form_.standardizer.save(json);
  json.member("intercept", form_.intercept).key("coefficients").numbers(form_.coefficients);
}

Result<std::unique_ptr<Predictor>> Logistic::load(JsonReader json) {
  LogisticForm form;
  DROPSCORE_TRY(const JsonReader c, json.member("C"));
  DROPSCORE_TRY(form.C, c.number());
  if (form.C <= 0) return c.error("not over 0");
  DROPSCORE_TRY(const JsonReader standardizer, json.member("standardizer"));
  DROPSCORE_TRY(form.standardizer, Standardizer::load(standardizer));
  DROPSCORE_TRY(const JsonReader intercept, json.member("intercept"));
  DROPSCORE_TRY(form.intercept, intercept.number());
  if (std::abs(form.intercept) > bound) return intercept.error(fmt::format("over {}", bound));
  DROPSCORE_TRY(const JsonReader coefficients, json.member("coefficients"));
  DROPSCORE_TRY(form.coefficients, coefficients.numbers());
  if (form.coefficients.size() != form.standardizer.mean.size()) {
    return coefficients.error(fmt::format("{} numbers, but the standardizer has {} columns", form.coefficients.size(),
                                          form.standardizer.mean.size()));
  }
  for (const double one : form.coefficients) {
    if (std::abs(one) > bound) return coefficients.error(fmt::format("holds a number over {}", bound));
  }
  DROPSCORE_CHECK(json.no_other_members());
  return std::make_unique<Logistic>(std::move(form));
}

}  // namespace dropscore::model
