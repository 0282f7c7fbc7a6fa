#include "model/trees.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include <fmt/format.h>

#include "base/json_reader.h"
#include "base/limits.h"
#include "model/tree_shapes.h"

namespace dropscore::model {
namespace {

/// Cells of the rows that go through a tree together. A deep tree's nodes outgrow them, so that fewer rows would fetch
/// the nodes from memory over and over; more would not fit into the cache beside the tree.
constexpr std::size_t block_cells = std::size_t{1} << 16U;
constexpr std::size_t max_nodes = std::size_t{1} << 31U;

/// The double whose shortest decimal is that of the float, so that documents say 0.1 and not 0.10000000149011612; the
/// float's own value in the rare case that reading it back would round twice.
double short_double(float value) {
  std::array<char, 32> text{};
  const auto written = std::to_chars(text.data(), text.data() + text.size(), value);
  double number = 0;
  std::from_chars(text.data(), written.ptr, number);
  return static_cast<float>(number) == value ? number : static_cast<double>(value);
}

std::string_view name(TreeRule rule) { return rule == TreeRule::boosted ? "boosted" : "forest"; }

}  // namespace

void TreeArrays::add(std::span<const TreeNode> nodes) {
  assert(!nodes.empty());
  const std::size_t root = feature.size();
  roots.push_back(static_cast<std::uint32_t>(root));
  std::vector<std::uint32_t> queue{0};
  for (std::size_t i = 0; i < queue.size(); ++i) {
    assert(queue.size() <= nodes.size());
    const TreeNode& node = nodes[queue[i]];
    feature.push_back(node.feature);
    value.push_back(node.value);
    const bool leaf = node.feature < 0;
    missing_left.push_back(!leaf && node.missing_left ? 1 : 0);
    left.push_back(static_cast<std::uint32_t>(root + (leaf ? i : queue.size())));
    if (leaf) continue;
    queue.push_back(node.left);
    queue.push_back(node.right);
  }
}

Trees::Trees(TreesForm form) : form_(std::move(form)), shapes_(single_feature_shapes(form_)) {
  assert(!form_.categorical.empty() && !form_.trees.roots.empty());
  assert(form_.trees.feature.size() == form_.trees.left.size());
  if (!shapes_) walk_ = TreeWalk::make(form_);
}

std::string_view Trees::family() const { return name(form_.rule); }

std::string_view Trees::display_name() const {
  return form_.rule == TreeRule::boosted ? "Boosted trees" : "Random forest";
}

template <class T>
void Trees::decide_rows(features::MatrixView<T> rows, std::span<double> out) const {
  assert(rows.columns == features() && out.size() == rows.rows);
  const TreeArrays& trees = form_.trees;
  const std::size_t block_rows = std::min(rows.rows, block_cells / rows.columns);
  std::vector<float> cells(block_rows * rows.columns);
  for (std::size_t first = 0; first < rows.rows; first += block_rows) {
    const std::size_t many = std::min(block_rows, rows.rows - first);
    for (std::size_t i = 0; i < many; ++i) {
      for (std::size_t j = 0; j < rows.columns; ++j) {
        const auto cell = static_cast<float>(rows(first + i, j));
        const bool unknown = form_.categorical[j] && cell < 0;
        cells[i * rows.columns + j] = unknown ? std::numeric_limits<float>::quiet_NaN() : cell;
      }
    }
    const std::span<double> sums = out.subspan(first, many);
    std::fill(sums.begin(), sums.end(), form_.rule == TreeRule::boosted ? form_.base : 0.0);
    for (const std::uint32_t root : trees.roots) {
      for (std::size_t i = 0; i < many; ++i) {
        const float* x = &cells[i * rows.columns];
        std::uint32_t node = root;
        for (std::int32_t asked = trees.feature[node]; asked >= 0; asked = trees.feature[node]) {
          const float cell = x[asked];
          const bool to_left = std::isnan(cell) ? trees.missing_left[node] != 0 : cell < trees.value[node];
          node = trees.left[node] + (to_left ? 0U : 1U);
        }
        sums[i] += static_cast<double>(trees.value[node]);
      }
    }
  }
  finish(out);
}

/// From a row's sum to its decision value.
void Trees::finish(std::span<double> sums) const {
  if (form_.rule == TreeRule::boosted) return;
  const auto count = static_cast<double>(form_.trees.roots.size());
  for (double& sum : sums) sum = std::log((sum + 0.5) / (count - sum + 0.5));
}

void Trees::decide(features::MatrixView<float> rows, std::span<double> out) const {
  assert(rows.columns == features() && out.size() == rows.rows);
  if (shapes_) return shapes_->sum(rows, out);
  if (!walk_) return decide_rows(rows, out);
  std::fill(out.begin(), out.end(), form_.rule == TreeRule::boosted ? form_.base : 0.0);
  walk_->add(rows, out);
  finish(out);
}
void Trees::decide(features::MatrixView<double> rows, std::span<double> out) const { decide_rows(rows, out); }

void Trees::save(JsonWriter& json) const {
  json.member("features", features());
  json.key("categorical").begin_array();
  for (std::size_t j = 0; j < features(); ++j) {
    if (form_.categorical[j]) json.value(j);
  }
  json.end_array();
  if (form_.rule == TreeRule::boosted) json.member("base", form_.base);
  json.key("trees").begin_array();
  const TreeArrays& trees = form_.trees;
  for (std::size_t tree = 0; tree < trees.roots.size(); ++tree) {
    const std::size_t begin = trees.roots[tree];
    const std::size_t end = tree + 1 < trees.roots.size() ? trees.roots[tree + 1] : trees.feature.size();
    std::string line;  // a tree is one line of the document
    JsonWriter one(line);
    one.begin_object().key("feature").begin_array();
    for (std::size_t node = begin; node < end; ++node) one.value(trees.feature[node]);
    one.end_array().key("value").begin_array();
    for (std::size_t node = begin; node < end; ++node) one.value(short_double(trees.value[node]));
    one.end_array().key("missing_left").begin_array();
    for (std::size_t node = begin; node < end; ++node) {
      if (trees.missing_left[node] != 0) one.value(node - begin);
    }
    one.end_array().end_object();
    json.raw(line);
  }
  json.end_array();
}

namespace {

Result<std::vector<bool>> read_categorical(JsonReader& json) {
  DROPSCORE_TRY(const JsonReader features, json.member("features"));
  DROPSCORE_TRY(const std::uint64_t count, features.natural());
  if (count == 0 || count > limits::max_columns) return features.error("not a possible number of features");
  std::vector<bool> categorical(count, false);
  DROPSCORE_TRY(const JsonReader positions, json.member("categorical"));
  DROPSCORE_TRY(const std::vector<JsonReader> items, positions.items());
  std::uint64_t least = 0;
  for (const JsonReader& item : items) {
    DROPSCORE_TRY(const std::uint64_t position, item.natural());
    if (position < least || position >= count) return item.error("not ascending, or no feature's position");
    categorical[position] = true;
    least = position + 1;
  }
  return categorical;
}

/// A tree's `missing_left`: ascending positions of nodes that are no leaves.
Status read_missing(const JsonReader& json, std::size_t root, TreeArrays& trees) {
  DROPSCORE_TRY(const std::vector<double> positions, json.numbers());
  double least = 0;
  for (const double position : positions) {
    const bool known = position >= least && position < static_cast<double>(trees.feature.size() - root) &&
                       position == std::floor(position);
    if (!known) return json.error(fmt::format("{} is not ascending, or no node's position", position));
    const std::size_t node = root + static_cast<std::size_t>(position);
    if (trees.feature[node] < 0) return json.error(fmt::format("node {} is a leaf", position));
    trees.missing_left[node] = 1;
    least = position + 1;
  }
  return {};
}

/// Adds one tree. Children are not written down: the n-th node that asks (from 0) has the children 2n + 1 and 2n + 2,
/// so that no document can say a cycle, a lost node or one with two parents.
Status read_tree(JsonReader json, TreeRule rule, std::size_t features, TreeArrays& trees) {
  DROPSCORE_TRY(const JsonReader asked, json.member("feature"));
  DROPSCORE_TRY(const std::vector<double> feature, asked.numbers());
  DROPSCORE_TRY(const JsonReader read, json.member("value"));
  DROPSCORE_TRY(const std::vector<double> value, read.numbers());
  if (value.size() != feature.size()) {
    return read.error(fmt::format("{} numbers, but \"feature\" has {}", value.size(), feature.size()));
  }
  const std::size_t root = trees.feature.size();
  if (feature.size() >= max_nodes - root) return asked.error("too many nodes");
  trees.roots.push_back(static_cast<std::uint32_t>(root));
  std::size_t inner = 0;
  for (std::size_t i = 0; i < feature.size(); ++i) {
    const bool leaf = feature[i] == -1;
    if (!leaf &&
        !(feature[i] >= 0 && feature[i] < static_cast<double>(features) && feature[i] == std::floor(feature[i]))) {
      return asked.error(fmt::format("{} at {} is neither -1 nor a feature's position", feature[i], i));
    }
    if (i > 2 * inner) return asked.error(fmt::format("node {} is no node's child", i));
    if (!(std::abs(value[i]) <= static_cast<double>(std::numeric_limits<float>::max()))) {
      return read.error(fmt::format("{} at {} is beyond a float", value[i], i));
    }
    if (leaf && rule == TreeRule::forest && !(value[i] >= 0 && value[i] <= 1)) {
      return read.error(fmt::format("{} at {} is no probability", value[i], i));
    }
    trees.feature.push_back(static_cast<std::int32_t>(feature[i]));
    trees.value.push_back(static_cast<float>(value[i]));
    trees.left.push_back(static_cast<std::uint32_t>(root + (leaf ? i : 2 * inner + 1)));
    trees.missing_left.push_back(0);
    if (!leaf) ++inner;
  }
  if (feature.size() != 2 * inner + 1) {
    return asked.error(fmt::format("{} nodes, but {} of them ask and need two children each", feature.size(), inner));
  }
  DROPSCORE_TRY(const JsonReader missing, json.member("missing_left"));
  DROPSCORE_CHECK(read_missing(missing, root, trees));
  return json.no_other_members();
}

}  // namespace

Result<std::unique_ptr<Predictor>> Trees::load(JsonReader json) {
  TreesForm form;
  DROPSCORE_TRY(const JsonReader family, json.member("family"));
  DROPSCORE_TRY(const std::string family_name, family.text());
  if (family_name != name(TreeRule::boosted) && family_name != name(TreeRule::forest)) {
    return family.error("neither \"boosted\" nor \"forest\"");
  }
  form.rule = family_name == name(TreeRule::boosted) ? TreeRule::boosted : TreeRule::forest;
  DROPSCORE_TRY(form.categorical, read_categorical(json));
  if (form.rule == TreeRule::boosted) {
    DROPSCORE_TRY(const JsonReader base, json.member("base"));
    DROPSCORE_TRY(form.base, base.number());
    // What a probability next to 0 or 1 would give is 37; this leaves the sum of any number of floats finite.
    if (std::abs(form.base) > 1e30) return base.error("not a possible log-odds");
  }
  DROPSCORE_TRY(const JsonReader trees, json.member("trees"));
  DROPSCORE_TRY(const std::vector<JsonReader> items, trees.items());
  if (items.empty()) return trees.error("empty");
  for (const JsonReader& item : items) {
    DROPSCORE_CHECK(read_tree(item, form.rule, form.categorical.size(), form.trees));
  }
  DROPSCORE_CHECK(json.no_other_members());
  return std::make_unique<Trees>(std::move(form));
}

}  // namespace dropscore::model
