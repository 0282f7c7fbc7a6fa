// An ensemble's trees as a walk of many rows reads them: a feature's cells become ranks among the thresholds that nodes
// compare it with, and a node takes four bytes (eight in a large ensemble). Private to the room;
// docs/decisions/0013-scoring-kernels.md says what else was tried.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "features/matrix.h"
#include "model/aligned.h"
#include "model/ranks.h"

namespace dropscore::model {

struct TreesForm;

/// Immutable, thread-safe. Sums of leaves in the order of the trees, in double: those of the definition, bit for bit.
class TreeWalk {
 public:
  /// Nothing where the ensemble is too large for it: 2^15 features, or 2^16 - 2 thresholds of a feature.
  static std::optional<TreeWalk> make(const TreesForm& form);
  /// out += the leaves that each row reaches. REQUIRES: rows.columns is the form's, out.size() == rows.rows.
  void add(features::MatrixView<float> rows, std::span<double> out) const;

 private:
  // right << 2 bits | column << bits | threshold. A rank under the threshold goes to the child left of `right`, which
  // is counted from the tree's root. A leaf's threshold is 0, which no rank is under, and its right child is the leaf:
  // a row stays where it arrived.
  struct SmallNode {
    using Word = std::uint32_t;
    using Cell = std::uint8_t;
    static constexpr std::uint32_t bits = 8;
  };
  struct LargeNode {
    using Word = std::uint64_t;
    using Cell = std::uint16_t;
    static constexpr std::uint32_t bits = 16;
  };
  struct Tree {
    std::uint32_t root = 0;
    std::uint32_t steps = 0;  ///< edges to the farthest leaf
  };
  // A feature that some node asks about. What is missing has the greatest rank in its column, so that nodes send it
  // right, and 0 in a second column, for the nodes that send it left.
  struct Feature {
    std::size_t position = 0;
    bool categorical = false;
    Ranks ranks;
    std::size_t column = 0;
    std::optional<std::size_t> left_column;
  };

  TreeWalk() = default;
  bool ask(const TreesForm& form);
  template <class N>
  void pack(const TreesForm& form, AlignedVector<typename N::Word>& nodes);
  template <class N>
  void add_all(const typename N::Word* nodes, features::MatrixView<float> rows, std::span<double> out) const;
  template <class Cell>
  void spread(features::MatrixView<float> rows, std::size_t apart, Cell* cells) const;
  template <class N>
  void walk_groups(const typename N::Word* nodes, const typename N::Cell* cells, std::size_t groups,
                   double* sums) const;
  template <class N>
  double walk_one(const typename N::Word* nodes, const typename N::Cell* cells, double sum) const;

  std::vector<Feature> features_;
  std::size_t columns_ = 0;
  std::vector<Tree> trees_;
  std::vector<float> leaves_;  ///< a leaf's value, in the nodes' places
  // Tree after tree; one of the two is empty.
  AlignedVector<std::uint32_t> small_;
  AlignedVector<std::uint64_t> large_;
};

}  // namespace dropscore::model
