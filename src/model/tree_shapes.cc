#include "model/tree_shapes.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "model/trees.h"

namespace dropscore::model {
namespace {

/// Every tree is walked for every cut: with more nodes than this that would take longer than a second.
constexpr std::size_t most_nodes = 30'000;

/// A tree's range of nodes, and the one feature that it asks about; -1: it is a leaf.
struct Single {
  std::size_t root = 0;
  std::size_t end = 0;
  std::int32_t feature = -1;
};

std::optional<std::vector<Single>> single_trees(const TreeArrays& trees) {
  std::vector<Single> all;
  for (std::size_t tree = 0; tree < trees.roots.size(); ++tree) {
    Single one{trees.roots[tree], tree + 1 < trees.roots.size() ? trees.roots[tree + 1] : trees.feature.size(), -1};
    one.feature = trees.feature[one.root];
    for (std::size_t node = one.root; node < one.end; ++node) {
      if (trees.feature[node] >= 0 && trees.feature[node] != one.feature) return std::nullopt;
    }
    all.push_back(one);
  }
  return all;
}

/// The leaf that x reaches in a tree of one feature; NaN is missing.
double leaf_of(const TreeArrays& trees, std::size_t node, double x) {
  while (trees.feature[node] >= 0) {
    const bool left = std::isnan(x) ? trees.missing_left[node] != 0 : x < static_cast<double>(trees.value[node]);
    node = trees.left[node] + (left ? 0U : 1U);
  }
  return static_cast<double>(trees.value[node]);
}

Shape shape_of(const TreesForm& form, std::int32_t feature, const std::vector<Single>& all) {
  const auto column = static_cast<std::size_t>(feature);
  const bool categorical = form.categorical[column];
  Shape shape;
  shape.column = column;
  if (categorical) shape.cuts.push_back(0);
  for (const Single& tree : all) {
    if (tree.feature != feature) continue;
    for (std::size_t node = tree.root; node < tree.end; ++node) {
      const auto threshold = static_cast<double>(form.trees.value[node]);
      const bool beside_codes = categorical && threshold <= 0;
      if (form.trees.feature[node] >= 0 && !beside_codes) shape.cuts.push_back(threshold);
    }
  }
  std::sort(shape.cuts.begin(), shape.cuts.end());
  shape.cuts.erase(std::unique(shape.cuts.begin(), shape.cuts.end()), shape.cuts.end());
  const auto sum_at = [&](double x) {
    double sum = 0;
    for (const Single& tree : all) {
      if (tree.feature == feature) sum += leaf_of(form.trees, tree.root, x);
    }
    return sum;
  };
  shape.missing = sum_at(std::numeric_limits<double>::quiet_NaN());
  shape.values.push_back(categorical ? shape.missing : sum_at(-std::numeric_limits<double>::infinity()));
  for (const double cut : shape.cuts) shape.values.push_back(sum_at(cut));
  return shape;
}

}  // namespace

std::optional<ShapeKernel> single_feature_shapes(const TreesForm& form) {
  if (form.rule != TreeRule::boosted || form.trees.feature.size() > most_nodes) return std::nullopt;
  const std::optional<std::vector<Single>> all = single_trees(form.trees);
  if (!all) return std::nullopt;
  double base = form.base;
  std::vector<bool> asked(form.categorical.size(), false);
  for (const Single& tree : *all) {
    if (tree.feature < 0) {
      base += static_cast<double>(form.trees.value[tree.root]);
    } else {
      asked[static_cast<std::size_t>(tree.feature)] = true;
    }
  }
  std::vector<Shape> shapes;
  for (std::size_t column = 0; column < asked.size(); ++column) {
    if (asked[column]) shapes.push_back(shape_of(form, static_cast<std::int32_t>(column), *all));
  }
  return ShapeKernel(base, std::move(shapes));
}

}  // namespace dropscore::model
