#include "model/tree_walk.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "model/trees.h"

namespace dropscore::model {
namespace {

/// Rows, or for a single row trees, that go down side by side: enough for the processor to have something to do while a
/// load is under way.
constexpr std::size_t group = 8;
/// Rows that pass a tree before the next one: their cells stay in the first-level cache beside the tree.
constexpr std::size_t block = 256;
/// Up to this many rows left over go one by one.
constexpr std::size_t most_singles = 3;
/// Steps between looks at whether all have arrived.
constexpr std::uint32_t stride = 3;

std::size_t end_of(const TreeArrays& trees, std::size_t tree) {
  return tree + 1 < trees.roots.size() ? trees.roots[tree + 1] : trees.feature.size();
}

/// What a feature's nodes ask.
struct Questions {
  std::vector<float> thresholds;
  bool missing_left = false;  ///< some node sends what is missing left
};

std::vector<Questions> questions_of(const TreesForm& form) {
  const TreeArrays& trees = form.trees;
  std::vector<Questions> all(form.categorical.size());
  for (std::size_t node = 0; node < trees.feature.size(); ++node) {
    if (trees.feature[node] < 0) continue;
    Questions& asked = all[static_cast<std::size_t>(trees.feature[node])];
    asked.thresholds.push_back(trees.value[node] + 0.0F);  // makes -0 and 0 one
    asked.missing_left = asked.missing_left || trees.missing_left[node] != 0;
  }
  for (Questions& asked : all) {
    std::sort(asked.thresholds.begin(), asked.thresholds.end());
    asked.thresholds.erase(std::unique(asked.thresholds.begin(), asked.thresholds.end()), asked.thresholds.end());
  }
  return all;
}

}  // namespace

std::optional<TreeWalk> TreeWalk::make(const TreesForm& form) {
  TreeWalk walk;
  if (!walk.ask(form)) return std::nullopt;
  std::size_t nodes = 0;
  std::size_t thresholds = 0;
  for (std::size_t tree = 0; tree < form.trees.roots.size(); ++tree) {
    nodes = std::max(nodes, end_of(form.trees, tree) - form.trees.roots[tree]);
  }
  for (const Feature& feature : walk.features_) thresholds = std::max(thresholds, feature.ranks.thresholds());
  if (walk.columns_ <= 256 && thresholds < 255 && nodes <= 65536) {
    walk.pack<SmallNode>(form, walk.small_);
  } else {
    walk.pack<LargeNode>(form, walk.large_);
  }
  return walk;
}

/// Finds the features that are asked about; false where there are too many, or too many thresholds.
bool TreeWalk::ask(const TreesForm& form) {
  const std::vector<Questions> all = questions_of(form);
  for (std::size_t position = 0; position < all.size(); ++position) {
    const Questions& asked = all[position];
    if (asked.thresholds.empty()) continue;
    if (asked.thresholds.size() >= std::numeric_limits<std::uint16_t>::max()) return false;
    Feature feature{position, form.categorical[position], Ranks(asked.thresholds), columns_++, std::nullopt};
    if (asked.missing_left) feature.left_column = columns_++;
    features_.push_back(std::move(feature));
  }
  return columns_ <= std::numeric_limits<std::uint16_t>::max();
}

template <class N>
void TreeWalk::pack(const TreesForm& form, AlignedVector<typename N::Word>& nodes) {
  using Word = typename N::Word;
  const TreeArrays& from = form.trees;
  std::vector<const Feature*> asked(form.categorical.size(), nullptr);
  for (const Feature& feature : features_) asked[feature.position] = &feature;
  nodes.resize(from.feature.size());
  leaves_.resize(from.feature.size());
  for (std::size_t tree = 0; tree < from.roots.size(); ++tree) {
    const std::size_t root = from.roots[tree];
    std::vector<std::uint32_t> depth(end_of(from, tree) - root, 0);
    for (std::size_t node = root; node < root + depth.size(); ++node) {
      if (from.feature[node] < 0) {
        nodes[node] = static_cast<Word>(node - root) << 2 * N::bits;
        leaves_[node] = from.value[node];
        continue;
      }
      const Feature& feature = *asked[static_cast<std::size_t>(from.feature[node])];
      std::uint16_t rank = 0;
      feature.ranks.count(&from.value[node], 1, std::span(&rank, 1));
      const std::size_t left = from.left[node] - root;
      const std::size_t column = from.missing_left[node] != 0 ? *feature.left_column : feature.column;
      nodes[node] = static_cast<Word>(left + 1) << 2 * N::bits | static_cast<Word>(column) << N::bits | rank;
      depth[left] = depth[left + 1] = depth[node - root] + 1;
    }
    trees_.push_back({static_cast<std::uint32_t>(root), *std::max_element(depth.begin(), depth.end())});
  }
}

/// cells[row / apart * apart * columns + column * apart + row % apart]: the cells of `apart` rows side by side.
template <class Cell>
void TreeWalk::spread(features::MatrixView<float> rows, std::size_t apart, Cell* cells) const {
  std::array<std::uint16_t, block> ranks;  // NOLINT(cppcoreguidelines-pro-type-member-init): written by count()
  for (const Feature& feature : features_) {
    const float* x = rows.data + feature.position;
    feature.ranks.count(x, rows.columns, std::span(ranks.data(), rows.rows));
    for (std::size_t i = 0; i < rows.rows; ++i) {
      const float value = x[i * rows.columns];
      const bool missing = std::isnan(value) || (feature.categorical && value < 0);
      const auto rank = static_cast<Cell>(ranks[i]);
      Cell* to = cells + i / apart * apart * columns_ + i % apart;
      to[feature.column * apart] = missing ? std::numeric_limits<Cell>::max() : rank;
      if (feature.left_column) to[*feature.left_column * apart] = missing ? Cell{0} : rank;
    }
  }
}

// The eight rows' nodes are variables of their own, so that they stay in registers.
template <class N>
void TreeWalk::walk_groups(const typename N::Word* nodes, const typename N::Cell* cells, std::size_t groups,
                           double* sums) const {
  using Word = typename N::Word;
  using Cell = typename N::Cell;
  for (const Tree& tree : trees_) {
    const Word* const root = nodes + tree.root;
    const float* const leaves = leaves_.data() + tree.root;
    for (std::size_t g = 0; g < groups; ++g) {
      const Cell* const x = cells + g * group * columns_;
      const auto next = [root, x](Word node, std::size_t row) {
        const Cell cell = x[static_cast<Cell>(node >> N::bits) * group + row];
        return root[(node >> 2 * N::bits) - static_cast<Word>(cell < static_cast<Cell>(node))];
      };
      Word a = *root;
      Word b = a;
      Word c = a;
      Word d = a;
      Word e = a;
      Word f = a;
      Word h = a;
      Word i = a;
      for (std::uint32_t steps = 0; steps < tree.steps; steps += stride) {
        for (std::uint32_t k = 0; k < stride; ++k) {
          a = next(a, 0);
          b = next(b, 1);
          c = next(c, 2);
          d = next(d, 3);
          e = next(e, 4);
          f = next(f, 5);
          h = next(h, 6);
          i = next(i, 7);
        }
        if (static_cast<Cell>(a | b | c | d | e | f | h | i) == 0) break;
      }
      double* const to = sums + g * group;
      std::size_t row = 0;
      for (const Word leaf : {a, b, c, d, e, f, h, i}) to[row++] += static_cast<double>(leaves[leaf >> 2 * N::bits]);
    }
  }
}

// One row's cells are x[column]; eight trees at a time.
template <class N>
double TreeWalk::walk_one(const typename N::Word* nodes, const typename N::Cell* cells, double sum) const {
  using Word = typename N::Word;
  using Cell = typename N::Cell;
  for (std::size_t first = 0; first < trees_.size(); first += group) {
    std::array<const Word*, group> root{};
    std::array<Word, group> at{};
    const std::size_t count = std::min(group, trees_.size() - first);
    std::uint32_t most = 0;
    for (std::size_t t = 0; t < group; ++t) {
      const Tree& tree = trees_[first + std::min(t, count - 1)];
      root[t] = nodes + tree.root;
      at[t] = *root[t];
      most = std::max(most, tree.steps);
    }
    for (std::uint32_t steps = 0; steps < most; steps += stride) {
      Word asking = 0;
      for (std::uint32_t k = 0; k < stride; ++k) {
        asking = 0;
        for (std::size_t t = 0; t < group; ++t) {
          const Cell cell = cells[static_cast<Cell>(at[t] >> N::bits)];
          at[t] = root[t][(at[t] >> 2 * N::bits) - static_cast<Word>(cell < static_cast<Cell>(at[t]))];
          asking |= at[t];
        }
      }
      if (static_cast<Cell>(asking) == 0) break;
    }
    for (std::size_t t = 0; t < count; ++t) {
      sum += static_cast<double>(leaves_[trees_[first + t].root + (at[t] >> 2 * N::bits)]);
    }
  }
  return sum;
}

template <class N>
void TreeWalk::add_all(const typename N::Word* nodes, features::MatrixView<float> rows, std::span<double> out) const {
  using Cell = typename N::Cell;
  thread_local std::vector<Cell> cells;
  std::array<double, block> sums;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled below
  for (std::size_t first = 0; first < rows.rows; first += block) {
    const std::size_t count = std::min(block, rows.rows - first);
    const std::size_t singles = count % group <= most_singles ? count % group : 0;
    const std::size_t grouped = (count - singles + group - 1) / group * group;
    cells.assign((grouped + singles) * columns_, 0);
    const features::MatrixView<float> many = rows.block(first, count);
    const std::span<double> place = out.subspan(first, count);
    spread(many.block(0, count - singles), group, cells.data());
    spread(many.block(count - singles, singles), 1, cells.data() + grouped * columns_);
    std::fill(std::copy_n(place.begin(), count - singles, sums.begin()), sums.end(), 0.0);
    walk_groups<N>(nodes, cells.data(), grouped / group, sums.data());
    std::copy_n(sums.begin(), count - singles, place.begin());
    for (std::size_t i = 0; i < singles; ++i) {
      double& sum = place[count - singles + i];
      sum = walk_one<N>(nodes, cells.data() + (grouped + i) * columns_, sum);
    }
  }
}

void TreeWalk::add(features::MatrixView<float> rows, std::span<double> out) const {
  if (!small_.empty()) {
    add_all<SmallNode>(small_.data(), rows, out);
  } else {
    add_all<LargeNode>(large_.data(), rows, out);
  }
}

}  // namespace dropscore::model
