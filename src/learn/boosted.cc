#include "learn/boosted.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>
#include <xgboost/c_api.h>

#include "base/json_reader.h"
#include "learn/parallel.h"
#include "learn/parameters.h"
#include "learn/tree_data.h"
#include "metrics/random.h"

namespace dropscore::learn {
namespace {

constexpr std::uint32_t most_rounds = 500;  ///< where "auto" ends
constexpr std::uint32_t patience = 40;      ///< rounds without a better log loss after which "auto" ends
constexpr std::size_t inner_folds = 5;
/// Rounds that the folds run before they are compared; they may run that many too far.
constexpr std::uint32_t stride = 20;
/// With more rows than this, one held-out fold says well enough where to stop.
constexpr std::size_t one_fold_rows = 100'000;

struct Settings {
  std::optional<std::uint32_t> rounds;  ///< none: chosen by inner folds
  std::uint32_t depth = 0;
  double rate = 0;
  double lambda = 0;
  double min_child_weight = 0;
  double subsample = 0;
};

Result<Settings> read_settings(const Learner& learner, const Parameters& given) {
  DROPSCORE_TRY(const Parameters parameters, with_defaults(learner, given));
  Settings settings;
  if (parameters.at("rounds") != "auto") {
    const auto rounds = whole_number(learner, parameters, "rounds", 1, 10'000);
    if (!rounds) {
      return bad_parameter(learner, parameters, "rounds", "neither \"auto\" nor a whole number from 1 to 10000");
    }
    settings.rounds = *rounds;
  }
  DROPSCORE_TRY(settings.depth, whole_number(learner, parameters, "depth", 1, 16));
  DROPSCORE_TRY(settings.rate, positive_number(learner, parameters, "rate"));
  if (settings.rate > 1) return bad_parameter(learner, parameters, "rate", "over 1");
  DROPSCORE_TRY(settings.lambda, positive_number(learner, parameters, "lambda"));
  DROPSCORE_TRY(settings.min_child_weight, positive_number(learner, parameters, "min_child_weight"));
  DROPSCORE_TRY(settings.subsample, positive_number(learner, parameters, "subsample"));
  if (settings.subsample > 1) return bad_parameter(learner, parameters, "subsample", "over 1");
  return settings;
}

/// A call's outcome; the first line of XGBoost's message, the rest being a stack trace.
Status check(int outcome) {
  if (outcome == 0) return {};
  const std::string_view message = XGBGetLastError();
  return fail(ErrorKind::give_up, CustomerText{"growing boosted trees failed"},
              OperatorText{fmt::format("XGBoost: {}", message.substr(0, message.find('\n')))});
}

tl::unexpected<Error> stopped() { return fail(ErrorKind::give_up, "stopped while fitting"); }

struct FreeMatrix {
  using pointer = DMatrixHandle;
  void operator()(DMatrixHandle handle) const { XGDMatrixFree(handle); }
};
struct FreeBooster {
  using pointer = BoosterHandle;
  void operator()(BoosterHandle handle) const { XGBoosterFree(handle); }
};

/// Some rows with their labels, copied into XGBoost.
class Rows {
 public:
  static Result<Rows> make(const TrainingSet& data, std::span<const std::size_t> rows) {
    // Of this thread alone, and asked before a booster's own setting is.
    DROPSCORE_CHECK(check(XGBSetGlobalConfig(R"({"verbosity": 0})")));
    Rows made;
    std::vector<float> labels;
    for (const std::size_t row : rows) {
      made.labels_.push_back(data.labels[row]);
      labels.push_back(data.labels[row] != 0 ? 1.0F : 0.0F);
    }
    const features::Matrix<float> cells = tree_cells(data, rows);
    DMatrixHandle handle = nullptr;
    DROPSCORE_CHECK(check(XGDMatrixCreateFromMat_omp(cells.view().data, cells.rows(), cells.columns(),
                                                     std::numeric_limits<float>::quiet_NaN(), &handle, 1)));
    made.handle_.reset(handle);
    DROPSCORE_CHECK(check(XGDMatrixSetFloatInfo(handle, "label", labels.data(), labels.size())));
    return made;
  }

  DMatrixHandle handle() const { return handle_.get(); }
  std::span<const std::uint8_t> labels() const { return labels_; }

 private:
  std::unique_ptr<void, FreeMatrix> handle_;
  std::vector<std::uint8_t> labels_;
};

/// A booster and the rows that it learns from. Not thread-safe, but may go from thread to thread.
class Booster {
 public:
  /// `held`: rows that will be asked about round after round, if any. Both outlive the booster.
  static Result<Booster> make(const Rows& rows, const Rows* held, const Settings& settings, std::uint32_t seed) {
    Booster made(rows);
    const std::vector<DMatrixHandle> cached{rows.handle(), held != nullptr ? held->handle() : nullptr};
    BoosterHandle handle = nullptr;
    DROPSCORE_CHECK(check(XGBoosterCreate(cached.data(), held != nullptr ? 2 : 1, &handle)));
    made.handle_.reset(handle);
    const auto positives = std::count(rows.labels().begin(), rows.labels().end(), std::uint8_t{1});
    const double rate = static_cast<double>(positives) / static_cast<double>(rows.labels().size());
    const std::vector<std::pair<const char*, std::string>> all{
        {"booster", "gbtree"},
        {"tree_method", "hist"},
        {"objective", "binary:logistic"},
        {"verbosity", "0"},
        {"nthread", "1"},
        // XGBoost's generator belongs to the thread; seeded each round, it does not matter which thread that is.
        {"seed", std::to_string(seed & 0x7fffffffU)},
        {"seed_per_iteration", "1"},
        {"base_score", fmt::format("{:.9g}", std::clamp(rate, 1e-6, 1 - 1e-6))},
        {"max_depth", std::to_string(settings.depth)},
        {"eta", fmt::format("{}", settings.rate)},
        {"lambda", fmt::format("{}", settings.lambda)},
        {"min_child_weight", fmt::format("{}", settings.min_child_weight)},
        {"subsample", fmt::format("{}", settings.subsample)},
    };
    for (const auto& [name, value] : all) DROPSCORE_CHECK(check(XGBoosterSetParam(handle, name, value.c_str())));
    return made;
  }

  Status grow(std::uint32_t round) {
    return check(XGBoosterUpdateOneIter(handle_.get(), static_cast<int>(round), rows_->handle()));
  }

  /// Sum of the log losses of `held`.
  Result<double> loss(const Rows& held) {
    bst_ulong count = 0;
    const float* margins = nullptr;
    constexpr int as_margin = 1;
    DROPSCORE_CHECK(check(XGBoosterPredict(handle_.get(), held.handle(), as_margin, 0, 0, &count, &margins)));
    assert(count == held.labels().size());
    double sum = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const auto margin = static_cast<double>(margins[i]);
      const double wrong = held.labels()[i] != 0 ? -margin : margin;  // log(1 + e^wrong), without overflow
      sum += std::max(wrong, 0.0) + std::log1p(std::exp(-std::abs(wrong)));
    }
    return sum;
  }

  Result<std::string> json() {
    bst_ulong size = 0;
    const char* text = nullptr;
    DROPSCORE_CHECK(check(XGBoosterSaveModelToBuffer(handle_.get(), R"({"format": "json"})", &size, &text)));
    return std::string(text, size);
  }

 private:
  explicit Booster(const Rows& rows) : rows_(&rows) {}

  const Rows* rows_;
  std::unique_ptr<void, FreeBooster> handle_;
};

/// The fold of each row, equal in size and share of each class, dealt in shuffled order.
std::vector<std::size_t> deal_folds(std::span<const std::uint8_t> labels, std::uint32_t seed, std::size_t folds) {
  const std::vector<std::size_t> order = metrics::NumpyRandom(seed).permutation(labels.size());
  std::vector<std::size_t> fold_of(labels.size());
  std::size_t next = 0;
  for (const bool positive : {false, true}) {
    for (const std::size_t row : order) {
      if ((labels[row] != 0) == positive) fold_of[row] = next++ % folds;
    }
  }
  return fold_of;
}

/// One inner fold: a booster on the rows outside, and what it loses, round after round, on those inside.
struct InnerFold {
  std::unique_ptr<const Rows> outside;
  std::unique_ptr<const Rows> inside;
  std::optional<Booster> booster;
  std::vector<double> losses;
  Status outcome;

  Status begin(const TrainingSet& data, std::span<const std::size_t> fold_of, std::size_t fold,
               const Settings& settings, std::uint32_t seed) {
    std::vector<std::size_t> rows_outside;
    std::vector<std::size_t> rows_inside;
    for (std::size_t row = 0; row < fold_of.size(); ++row) {
      (fold_of[row] == fold ? rows_inside : rows_outside).push_back(row);
    }
    DROPSCORE_TRY(Rows learnt, Rows::make(data, rows_outside));
    DROPSCORE_TRY(Rows held, Rows::make(data, rows_inside));
    outside = std::make_unique<const Rows>(std::move(learnt));
    inside = std::make_unique<const Rows>(std::move(held));
    DROPSCORE_TRY(booster, Booster::make(*outside, inside.get(), settings, seed));
    return {};
  }

  Status run(std::uint32_t rounds, const LearnContext& context) {
    DROPSCORE_CHECK(check(XGBSetGlobalConfig(R"({"verbosity": 0})")));
    for (std::uint32_t i = 0; i < rounds; ++i) {
      if (context.stop_requested()) return stopped();
      DROPSCORE_CHECK(booster->grow(static_cast<std::uint32_t>(losses.size())));
      DROPSCORE_TRY(const double loss, booster->loss(*inside));
      losses.push_back(loss);
    }
    return {};
  }
};

/// How many rounds make the folds' pooled log loss least.
Result<std::uint32_t> choose_rounds(const TrainingSet& data, const Settings& settings, const LearnContext& context) {
  const std::size_t count = std::min(inner_folds, data.labels.size());
  const std::vector<std::size_t> fold_of = deal_folds(data.labels, context.seed, count);
  std::vector<InnerFold> folds(data.labels.size() > one_fold_rows ? 1 : count);
  std::uint32_t best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (std::uint32_t done = 0; done < most_rounds; done += stride) {
    for_each_index(folds.size(), context.threads, [&](std::size_t i) {
      InnerFold& fold = folds[i];
      if (done == 0) fold.outcome = fold.begin(data, fold_of, i, settings, context.seed);
      if (fold.outcome) fold.outcome = fold.run(stride, context);
    });
    for (const InnerFold& fold : folds) DROPSCORE_CHECK(fold.outcome);
    for (std::uint32_t round = done; round < done + stride; ++round) {
      double pooled = 0;
      for (const InnerFold& fold : folds) pooled += fold.losses[round];
      if (pooled < least) {
        least = pooled;
        best = round;
      }
      if (round - best >= patience) return best + 1;
    }
  }
  return best + 1;
}

class BoostedLearner final : public Learner {
 public:
  std::string_view name() const override { return "boosted"; }
  Parameters defaults() const override {
    return {{"rounds", "auto"},        {"depth", "1"},    {"rate", "0.2"}, {"lambda", "10"},
            {"min_child_weight", "1"}, {"subsample", "1"}};
  }

  Result<std::unique_ptr<model::Predictor>> fit(const TrainingSet& data, const Parameters& parameters,
                                                const LearnContext& context) const override {
    assert(data.rows.rows == data.labels.size() && data.rows.rows > 1);
    DROPSCORE_TRY(Settings settings, read_settings(*this, parameters));
    if (context.stop_requested()) return stopped();
    if (!settings.rounds) {
      DROPSCORE_TRY(settings.rounds, choose_rounds(data, settings, context));
    }
    std::vector<std::size_t> every(data.labels.size());
    std::iota(every.begin(), every.end(), std::size_t{0});
    DROPSCORE_TRY(const Rows rows, Rows::make(data, every));
    DROPSCORE_TRY(Booster booster, Booster::make(rows, nullptr, settings, context.seed));
    for (std::uint32_t round = 0; round < *settings.rounds; ++round) {
      if (context.stop_requested()) return stopped();
      DROPSCORE_CHECK(booster.grow(round));
    }
    DROPSCORE_TRY(const std::string json, booster.json());
    std::vector<bool> seen_missing(data.rows.columns, false);
    const std::vector<bool> categorical = categorical_columns(*data.schema);
    for (std::size_t i = 0; i < data.rows.rows; ++i) {
      for (std::size_t j = 0; j < data.rows.columns; ++j) {
        const double cell = data.rows(i, j);
        if (std::isnan(cell) || (categorical[j] && cell < 0)) seen_missing[j] = true;
      }
    }
    DROPSCORE_TRY(model::TreesForm form, convert_xgboost(json, categorical, seen_missing));
    return std::make_unique<model::Trees>(std::move(form));
  }
};

Result<std::vector<double>> numbers(JsonReader& json, std::string_view name) {
  DROPSCORE_TRY(const JsonReader list, json.member(name));
  return list.numbers();
}

Result<std::vector<model::TreeNode>> convert_tree(JsonReader json, const std::vector<bool>& seen_missing) {
  DROPSCORE_TRY(const std::vector<double> left, numbers(json, "left_children"));
  DROPSCORE_TRY(const std::vector<double> right, numbers(json, "right_children"));
  DROPSCORE_TRY(const std::vector<double> feature, numbers(json, "split_indices"));
  DROPSCORE_TRY(const std::vector<double> value, numbers(json, "split_conditions"));
  DROPSCORE_TRY(const std::vector<double> missing_left, numbers(json, "default_left"));
  DROPSCORE_TRY(const std::vector<double> weight, numbers(json, "sum_hessian"));
  const std::size_t size = left.size();
  bool fits = size > 0;
  for (const auto* list : {&right, &feature, &value, &missing_left, &weight}) fits = fits && list->size() == size;
  if (!fits) return json.error("lists of unequal lengths");
  std::vector<model::TreeNode> nodes(size);
  for (std::size_t i = 0; i < size; ++i) {
    nodes[i].value = static_cast<float>(value[i]);
    if (left[i] < 0) continue;  // a leaf
    const auto count = static_cast<double>(size);
    if (!(left[i] > 0 && left[i] < count && right[i] > 0 && right[i] < count && feature[i] >= 0 &&
          feature[i] < static_cast<double>(seen_missing.size()))) {
      return json.error(fmt::format("node {} points nowhere", i));
    }
    nodes[i].feature = static_cast<std::int32_t>(feature[i]);
    nodes[i].left = static_cast<std::uint32_t>(left[i]);
    nodes[i].right = static_cast<std::uint32_t>(right[i]);
    nodes[i].missing_left = seen_missing[static_cast<std::size_t>(feature[i])]
                                ? missing_left[i] != 0
                                : weight[nodes[i].left] >= weight[nodes[i].right];
  }
  return nodes;
}

}  // namespace

Result<model::TreesForm> convert_xgboost(std::string_view json, const std::vector<bool>& categorical,
                                         const std::vector<bool>& seen_missing) {
  simdjson::dom::parser parser;
  const simdjson::padded_string padded(json);
  simdjson::dom::element document;
  if (parser.parse(padded).get(document) != simdjson::SUCCESS) {
    return fail(ErrorKind::give_up, "XGBoost's model is not readable as JSON");
  }
  JsonReader root(document, "XGBoost");
  DROPSCORE_TRY(JsonReader learner, root.member("learner"));
  DROPSCORE_TRY(JsonReader parameters, learner.member("learner_model_param"));
  DROPSCORE_TRY(const JsonReader base_score, parameters.member("base_score"));
  DROPSCORE_TRY(const std::string base_text, base_score.text());
  const float base = std::strtof(base_text.c_str(), nullptr);
  if (!(base > 0 && base < 1)) return base_score.error("not a probability");
  model::TreesForm form;
  form.rule = model::TreeRule::boosted;
  // In float, as XGBoost turns it.
  form.base = static_cast<double>(-std::log(1.0F / base - 1.0F));
  form.categorical = categorical;
  DROPSCORE_TRY(JsonReader booster, learner.member("gradient_booster"));
  DROPSCORE_TRY(JsonReader model, booster.member("model"));
  DROPSCORE_TRY(const JsonReader trees, model.member("trees"));
  DROPSCORE_TRY(const std::vector<JsonReader> items, trees.items());
  if (items.empty()) return trees.error("empty");
  for (const JsonReader& item : items) {
    DROPSCORE_TRY(const std::vector<model::TreeNode> nodes, convert_tree(item, seen_missing));
    form.trees.add(nodes);
  }
  return form;
}

const Learner& boosted_learner() {
  static const BoostedLearner learner;
  return learner;
}

}  // namespace dropscore::learn
