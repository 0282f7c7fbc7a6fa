#include "learn/forest.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <numeric>
#include <optional>
#include <utility>

#include "learn/parallel.h"
#include "learn/parameters.h"
#include "learn/tree_data.h"
#include "metrics/random.h"
#include "model/trees.h"

namespace dropscore::learn {
namespace {

constexpr std::size_t most_bins = 255;
constexpr std::uint8_t missing_bin = 255;

struct Settings {
  std::uint32_t trees = 0;
  std::uint32_t depth = 0;
  std::uint32_t columns = 0;  ///< 0: the root of how many there are
  std::uint32_t leaf = 0;
};

Result<Settings> read_settings(const Learner& learner, const Parameters& given) {
  DROPSCORE_TRY(const Parameters parameters, with_defaults(learner, given));
  Settings settings;
  DROPSCORE_TRY(settings.trees, whole_number(learner, parameters, "trees", 1, 10'000));
  DROPSCORE_TRY(settings.depth, whole_number(learner, parameters, "depth", 1, 64));
  DROPSCORE_TRY(settings.leaf, whole_number(learner, parameters, "leaf", 1, 1'000'000));
  if (parameters.at("columns") != "sqrt") {
    const auto columns = whole_number(learner, parameters, "columns", 1, 4096);
    if (!columns) {
      return bad_parameter(learner, parameters, "columns", "neither \"sqrt\" nor a whole number from 1 to 4096");
    }
    settings.columns = *columns;
  }
  return settings;
}

/// A column's cells as bins: bin b holds the cells under cuts[b] that are not under cuts[b - 1].
struct Column {
  std::vector<float> cuts;         ///< ascending; one fewer than there are bins
  std::vector<std::uint8_t> bins;  ///< one for each row; missing_bin where the cell is missing
};

/// Halfway between two neighbours, such that low < halfway <= high even where no float lies between.
float halfway(float low, float high) {
  const float middle = low / 2 + high / 2;
  return low < middle && middle <= high ? middle : high;
}

Column cut(const features::Matrix<float>& cells, std::size_t j) {
  std::vector<float> sorted;
  for (std::size_t i = 0; i < cells.rows(); ++i) {
    if (!std::isnan(cells(i, j))) sorted.push_back(cells(i, j));
  }
  std::sort(sorted.begin(), sorted.end());
  Column column;
  const auto distinct = [&] {
    std::size_t count = sorted.empty() ? 0 : 1;
    for (std::size_t i = 1; i < sorted.size(); ++i) count += sorted[i] != sorted[i - 1] ? 1U : 0U;
    return count;
  }();
  // Few values: a cut between all neighbours. Many: where the share of rows below passes the next of 255 parts.
  std::size_t next = 1;
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    if (sorted[i] == sorted[i - 1]) continue;
    if (distinct > most_bins && i * most_bins < next * sorted.size()) continue;
    column.cuts.push_back(halfway(sorted[i - 1], sorted[i]));
    next = i * most_bins / sorted.size() + 1;
  }
  assert(column.cuts.size() < most_bins);
  column.bins.resize(cells.rows(), missing_bin);
  for (std::size_t i = 0; i < cells.rows(); ++i) {
    if (std::isnan(cells(i, j))) continue;
    const auto above = std::upper_bound(column.cuts.begin(), column.cuts.end(), cells(i, j));
    column.bins[i] = static_cast<std::uint8_t>(above - column.cuts.begin());
  }
  return column;
}

/// Rows of each class, by how often the bootstrap drew them.
struct Counts {
  std::uint64_t negative = 0;
  std::uint64_t positive = 0;

  std::uint64_t all() const { return negative + positive; }
  void add(const Counts& other) {
    negative += other.negative;
    positive += other.positive;
  }
  Counts without(const Counts& other) const { return {negative - other.negative, positive - other.positive}; }
  /// What makes Gini's impurity of two sides least makes the sum of this greatest.
  double purity() const {
    if (all() == 0) return 0;
    const auto n = static_cast<double>(negative);
    const auto p = static_cast<double>(positive);
    return (n * n + p * p) / (n + p);
  }
};

struct Cut {
  double purity = 0;
  std::size_t column = 0;
  std::size_t bin = 0;  ///< bins up to this one go left
  bool missing_left = false;
};

/// Grows one tree. Not thread-safe; the columns and labels outlive it.
class Grower {
 public:
  Grower(const std::vector<Column>& columns, std::span<const std::uint8_t> labels, const Settings& settings,
         std::uint32_t seed)
      : columns_(columns), labels_(labels), settings_(settings), random_(seed), order_(columns.size()) {
    std::iota(order_.begin(), order_.end(), std::size_t{0});
  }

  std::vector<model::TreeNode> grow() {
    drawn_.assign(labels_.size(), 0);
    for (std::size_t i = 0; i < labels_.size(); ++i) ++drawn_[random_.interval(labels_.size() - 1)];
    for (std::size_t row = 0; row < labels_.size(); ++row) {
      if (drawn_[row] > 0) rows_.push_back(static_cast<std::uint32_t>(row));
    }
    struct Open {
      std::size_t node, begin, end;
      std::uint32_t depth;
    };
    std::vector<model::TreeNode> nodes(1);
    std::vector<Open> open{{0, 0, rows_.size(), 0}};
    while (!open.empty()) {
      const Open at = open.back();
      open.pop_back();
      const std::span<std::uint32_t> rows(rows_.data() + at.begin, at.end - at.begin);
      Counts counts;
      for (const std::uint32_t row : rows) counts.add(weight(row));
      nodes[at.node].value =
          static_cast<float>(static_cast<double>(counts.positive) / static_cast<double>(counts.all()));
      if (at.depth == settings_.depth || counts.negative == 0 || counts.positive == 0) continue;
      const std::optional<Cut> best = find_cut(rows, counts);
      if (!best) continue;
      const Column& column = columns_[best->column];
      const auto right = std::partition(rows.begin(), rows.end(), [&](std::uint32_t row) {
        const std::uint8_t bin = column.bins[row];
        return bin == missing_bin ? best->missing_left : bin <= best->bin;
      });
      const std::size_t middle = at.begin + static_cast<std::size_t>(right - rows.begin());
      const auto left_node = static_cast<std::uint32_t>(nodes.size());
      nodes[at.node] = {.feature = static_cast<std::int32_t>(best->column),
                        .value = column.cuts[best->bin],
                        .left = left_node,
                        .right = left_node + 1,
                        .missing_left = best->missing_left};
      nodes.resize(nodes.size() + 2);
      open.push_back({left_node, at.begin, middle, at.depth + 1});
      open.push_back({left_node + 1U, middle, at.end, at.depth + 1});
    }
    return nodes;
  }

 private:
  Counts weight(std::uint32_t row) const { return labels_[row] != 0 ? Counts{0, drawn_[row]} : Counts{drawn_[row], 0}; }

  /// The purest cut of a few random columns. Columns that are constant here do not count among the few, and while none
  /// of them can be cut the search goes on, as scikit-learn's does.
  std::optional<Cut> find_cut(std::span<const std::uint32_t> rows, const Counts& all) {
    std::optional<Cut> best;
    std::uint32_t asked = 0;
    for (std::size_t i = 0; i < order_.size() && (asked < settings_.columns || !best); ++i) {
      std::swap(order_[i], order_[i + random_.interval(order_.size() - 1 - i)]);
      if (try_column(order_[i], rows, all, best)) ++asked;
    }
    return best;
  }

  /// False where all rows lie in one bin.
  bool try_column(std::size_t j, std::span<const std::uint32_t> rows, const Counts& all, std::optional<Cut>& best) {
    const Column& column = columns_[j];
    if (column.cuts.empty()) return false;
    std::fill(histogram_.begin(), histogram_.end(), Counts{});
    std::uint8_t least = missing_bin;
    std::uint8_t greatest = 0;
    for (const std::uint32_t row : rows) {
      const std::uint8_t bin = column.bins[row];
      histogram_[bin].add(weight(row));
      if (bin == missing_bin) continue;
      least = std::min(least, bin);
      greatest = std::max(greatest, bin);
    }
    if (least >= greatest) return false;
    const Counts missing = histogram_[missing_bin];
    Counts below;
    for (std::size_t bin = least; bin < greatest; ++bin) {
      if (histogram_[bin].all() == 0) continue;
      below.add(histogram_[bin]);
      for (const bool missing_left : {false, true}) {
        Counts left = below;
        if (missing_left) left.add(missing);
        const Counts right = all.without(left);
        if (left.all() < settings_.leaf || right.all() < settings_.leaf) continue;
        const double purity = left.purity() + right.purity();
        if (!best || purity > best->purity) {
          // Where nothing is missing here, what will be goes with the many.
          const bool many_left = missing.all() == 0 ? left.all() >= right.all() : missing_left;
          best = Cut{purity, j, bin, many_left};
        }
        if (missing.all() == 0) break;
      }
    }
    return true;
  }

  const std::vector<Column>& columns_;
  std::span<const std::uint8_t> labels_;
  const Settings& settings_;
  metrics::NumpyRandom random_;
  std::vector<std::size_t> order_;    ///< of columns, shuffled a little more at each node
  std::vector<std::uint32_t> drawn_;  ///< how often the bootstrap drew each row
  std::vector<std::uint32_t> rows_;   ///< those drawn, each node's side by side
  std::array<Counts, 256> histogram_{};
};

class ForestLearner final : public Learner {
 public:
  std::string_view name() const override { return "forest"; }
  Parameters defaults() const override {
    return {{"trees", "100"}, {"depth", "20"}, {"columns", "sqrt"}, {"leaf", "1"}};
  }

  Result<std::unique_ptr<model::Predictor>> fit(const TrainingSet& data, const Parameters& parameters,
                                                const LearnContext& context) const override {
    assert(data.rows.rows == data.labels.size() && data.rows.rows > 0);
    DROPSCORE_TRY(Settings settings, read_settings(*this, parameters));
    const auto width = static_cast<std::uint32_t>(data.rows.columns);
    if (settings.columns == 0) settings.columns = static_cast<std::uint32_t>(std::sqrt(width));
    settings.columns = std::clamp(settings.columns, 1U, width);
    std::vector<Column> columns(width);
    {
      std::vector<std::size_t> every(data.labels.size());
      std::iota(every.begin(), every.end(), std::size_t{0});
      const features::Matrix<float> cells = tree_cells(data, every);
      for_each_index(width, context.threads, [&](std::size_t j) { columns[j] = cut(cells, j); });
    }
    metrics::NumpyRandom random(context.seed);
    std::vector<std::uint32_t> seeds(settings.trees);
    for (std::uint32_t& seed : seeds) seed = random.next32();
    std::vector<std::vector<model::TreeNode>> grown(settings.trees);
    for_each_index(settings.trees, context.threads, [&](std::size_t tree) {
      if (context.stop_requested()) return;
      grown[tree] = Grower(columns, data.labels, settings, seeds[tree]).grow();
    });
    model::TreesForm form;
    form.rule = model::TreeRule::forest;
    form.categorical = categorical_columns(*data.schema);
    for (std::vector<model::TreeNode>& tree : grown) {
      if (tree.empty()) return fail(ErrorKind::give_up, "stopped while fitting");
      form.trees.add(tree);
      tree = {};
    }
    return std::make_unique<model::Trees>(std::move(form));
  }
};

}  // namespace

const Learner& forest_learner() {
  static const ForestLearner learner;
  return learner;
}

}  // namespace dropscore::learn
