// Fitting: rows and labels in, a fitted form out. One subclass for each family of models.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "features/matrix.h"
#include "model/calibration.h"
#include "model/predictor.h"
#include "schema/schema.h"

namespace dropscore::learn {

/// Parameters by name, as `--set MODEL.PARAM=VALUE` gives them, the model's name left off.
using Parameters = std::map<std::string, std::string>;

/// Rows to learn from. Views: whoever made them keeps them alive.
struct TrainingSet {
  features::MatrixView<double> rows;       ///< raw features, as schema says; NaN is missing
  std::span<const std::uint8_t> labels;    ///< 0 or 1
  const schema::Schema* schema = nullptr;  ///< fitted on these rows (and no others)
};

struct LearnContext {
  std::uint32_t seed = 42;
  unsigned threads = 1;
  std::function<bool()> stop_requested = [] { return false; };  ///< asked now and then; true makes fit() give up
};

/// Immutable, thread-safe.
class Learner {
 public:
  Learner() = default;
  Learner(const Learner&) = delete;
  Learner& operator=(const Learner&) = delete;
  virtual ~Learner() = default;

  /// "svm", "logistic", ...: what --models and --set say.
  virtual std::string_view name() const = 0;
  /// Parameters that it knows, with defaults, for --help and for refusing others.
  virtual Parameters defaults() const = 0;

  /// Same data, parameters and seed give the same form, bit for bit, whatever `threads` is.
  /// REQUIRES: both classes present. Errors: `misuse` (a parameter it does not know or cannot read), `give_up`
  /// (stopped).
  virtual Result<std::unique_ptr<model::Predictor>> fit(const TrainingSet& data, const Parameters& parameters,
                                                        const LearnContext& context) const = 0;

  /// Each row's decision value from a form fitted on the rows of other folds, in the order of the rows. As it stands
  /// here it fits anew for each fold, the folds sharing the threads; a learner whose folds have work in common does
  /// better. REQUIRES: fold_of has a number for each row. Errors: as fit().
  virtual Result<std::vector<double>> decide_out_of_fold(const TrainingSet& data, const Parameters& parameters,
                                                         std::span<const std::uint32_t> fold_of,
                                                         const LearnContext& context) const;
};

/// Every learner, in the order in which --help lists them. Static lifetime.
std::span<const Learner* const> learners();
/// Errors: `misuse`, naming those there are.
Result<const Learner*> find_learner(std::string_view name);

/// The fold of each training row: as equal as may be within each class, dealt over the rows in an order shuffled by
/// `seed`. Errors, kind `reject`: fewer rows in a class than folds.
Result<std::vector<std::uint32_t>> training_folds(std::span<const std::uint8_t> labels, std::uint32_t seed,
                                                  std::uint32_t folds = 5);

/// Out-of-fold decision values: each row's from a form fitted on the other folds, in the order of the rows. The folds
/// are training_folds(labels, context.seed, folds).
Result<std::vector<double>> out_of_fold_decisions(const Learner& learner, const TrainingSet& data,
                                                  const Parameters& parameters, const LearnContext& context,
                                                  std::uint32_t folds = 5);

}  // namespace dropscore::learn
