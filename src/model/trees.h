// An ensemble of binary decision trees over raw features. Two families share it:
//   boosted  decision = base + sum of the leaves reached, a log-odds;
//   forest   decision = logit((sum of the leaves' probabilities + 1/2) / (trees + 1)): their mean, drawn in by half a
//            vote so that a unanimous forest stays finite. It is over 0 exactly where the mean is over 1/2.
// At a node, x < threshold goes left, the rest right; what is missing (NaN, or a category's code under 0, which says
// that training never saw it) goes where the node says. Cells are compared as float in both precisions, as they were
// when the trees were grown. Format: docs/formats/model.md, "predictor".
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "model/predictor.h"
#include "model/shapes.h"
#include "model/tree_walk.h"

namespace dropscore::model {

/// One node, as a learner hands it over. Plain value.
struct TreeNode {
  std::int32_t feature = -1;  ///< what the node asks about; -1 makes it a leaf
  float value = 0;            ///< the threshold; in a leaf what it adds (boosted) or its probability (forest)
  std::uint32_t left = 0;     ///< children, as positions in the tree; not used in a leaf
  std::uint32_t right = 0;
  bool missing_left = false;
};

/// All trees' nodes in arrays, tree after tree, each tree level by level with siblings side by side: the right child of
/// `node` is left[node] + 1, and every child stands behind its parent. Plain value.
struct TreeArrays {
  std::vector<std::uint32_t> roots;        ///< where each tree begins
  std::vector<std::int32_t> feature;       ///< -1 in a leaf
  std::vector<float> value;                ///< threshold, or the leaf's value
  std::vector<std::uint32_t> left;         ///< position in these arrays; a leaf's own position
  std::vector<std::uint8_t> missing_left;  ///< 0 or 1; 0 in a leaf

  /// Adds a tree; nodes[0] is its root and nodes that it does not reach are left out.
  /// REQUIRES: the nodes form a tree; fewer than 2^31 nodes in all.
  void add(std::span<const TreeNode> nodes);
};

enum class TreeRule : std::uint8_t { boosted, forest };

struct TreesForm {
  TreeRule rule = TreeRule::boosted;
  double base = 0;                ///< boosted: the log-odds before the first tree; forest: not used
  std::vector<bool> categorical;  ///< one for each feature
  TreeArrays trees;
};

class Trees final : public Predictor {
 public:
  /// REQUIRES: at least one feature and one tree; every node's feature is there; values finite, a forest's leaves
  /// within [0, 1].
  explicit Trees(TreesForm form);

  std::string_view family() const override;
  std::string_view display_name() const override;
  std::size_t features() const override { return form_.categorical.size(); }
  void decide(features::MatrixView<float> rows, std::span<double> out) const override;
  void decide(features::MatrixView<double> rows, std::span<double> out) const override;
  void save(JsonWriter& json) const override;
  /// Either family. Errors: `give_up`, with the place.
  static Result<std::unique_ptr<Predictor>> load(JsonReader json);

  const TreesForm& form() const { return form_; }

 private:
  template <class T>
  void decide_rows(features::MatrixView<T> rows, std::span<double> out) const;
  void finish(std::span<double> sums) const;

  TreesForm form_;
  // What floats are decided with, the first that there is. The walk's sums are the definition's to the last bit, the
  // tables' but for the order of the terms (tree_shapes.h).
  std::optional<ShapeKernel> shapes_;
  std::optional<TreeWalk> walk_;
};

}  // namespace dropscore::model
