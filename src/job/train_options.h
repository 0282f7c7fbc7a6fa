// What `dropscore train` can be told, as values: parsed and checked here, so that the command line, a configuration
// file and a test mean the same by the same text.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "learn/search.h"
#include "schema/schema.h"

namespace dropscore::job {

/// Which rows are held out: scikit-learn's stratified split, none, or all of another file.
struct SklearnHoldout {
  std::uint32_t seed = 42;
  double fraction = 0.2;
};
struct NoHoldout {};
struct FileHoldout {
  std::string path;
};
using Holdout = std::variant<SklearnHoldout, NoHoldout, FileHoldout>;
/// "sklearn:SEED:FRACTION", "none" or a file's name. Errors: `misuse`.
Result<Holdout> parse_holdout(std::string_view text);

/// How the threshold on the probability is chosen, always on out-of-fold predictions of training rows.
struct ThresholdRule {
  enum class Kind : std::uint8_t { mcc, f1, accuracy, recall, fixed, profit, sign };
  Kind kind = Kind::mcc;
  double number = 0;  ///< recall: the least recall; fixed: the threshold
  double value = 0;   ///< profit: what a conversion brings
  double cost = 0;    ///< profit: what a contact costs
};
/// "mcc", "f1", "accuracy", "recall>=X", a number in [0, 1], "profit:value=V,cost=C" or "sign". Errors: `misuse`.
Result<ThresholdRule> parse_threshold(std::string_view text);

enum class CalibrationChoice : std::uint8_t { automatic, original, platt, isotonic, none };
Result<CalibrationChoice> parse_calibration(std::string_view text);

/// What the best candidate is best at, cross-validated on training rows.
enum class Select : std::uint8_t { log_loss, auc, mcc, f1, accuracy, brier };
std::string_view name(Select select);
Result<Select> parse_select(std::string_view text);

/// "original", "quick" or "full".
Result<learn::Effort> parse_search(std::string_view text);

struct TrainOptions {
  std::string target = "Conversion";
  std::vector<std::string> models = {"all"};
  learn::Effort effort = learn::Effort::quick;
  Select select = Select::log_loss;
  std::map<std::string, std::map<std::string, std::string>> set;  ///< model -> parameter -> value
  CalibrationChoice calibration = CalibrationChoice::automatic;
  std::string threshold = "mcc";
  std::string holdout = "sklearn:42:0.2";
  std::vector<std::string> drop;
  std::vector<std::string> keep;
  schema::UnknownRule unknown = schema::UnknownRule::reject;
  std::uint32_t seed = 42;
  unsigned threads = 2;
};

/// Adds "MODEL.PARAM=VALUE" to options.set. Errors: `misuse`.
Status add_setting(TrainOptions& options, std::string_view setting);

}  // namespace dropscore::job
