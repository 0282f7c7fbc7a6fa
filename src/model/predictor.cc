#include "model/predictor.h"

#include <array>
#include <string>

#include <fmt/format.h>

#include "base/json_reader.h"
#include "model/additive.h"
#include "model/constant.h"
#include "model/logistic.h"
#include "model/svm.h"
#include "model/trees.h"

namespace dropscore::model {
namespace {

struct Family {
  std::string_view name;
  Result<std::unique_ptr<Predictor>> (*load)(JsonReader);
};
// By name, one to a line.
constexpr std::array families{
    Family{"additive", Additive::load}, Family{"boosted", Trees::load},     Family{"constant", Constant::load},
    Family{"forest", Trees::load},      Family{"logistic", Logistic::load}, Family{"svm", Svm::load},
};

}  // namespace

Result<std::unique_ptr<Predictor>> load_predictor(JsonReader json) {
  DROPSCORE_TRY(const JsonReader family, json.member("family"));
  DROPSCORE_TRY(const std::string wanted, family.text());
  std::string known;
  for (const Family& one : families) {
    // "family" counts as asked for in the copy that the family reads the rest from.
    if (one.name == wanted) return one.load(json);
    known += fmt::format("{}\"{}\"", known.empty() ? "" : ", ", one.name);
  }
  return family.error(fmt::format("none of the families that this program knows ({})", known));
}

}  // namespace dropscore::model
