#include "learn/smo.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <memory>
#include <new>
#include <numeric>

#include "learn/smo_simd.h"

namespace dropscore::learn {
namespace {

constexpr std::size_t block = smo::block;
constexpr std::uint32_t nowhere = std::numeric_limits<std::uint32_t>::max();
constexpr double infinity = std::numeric_limits<double>::infinity();

std::size_t padded(std::size_t columns) { return (columns + block - 1) / block * block; }

/// Memory for vectors: 64-byte aligned, zeroed when taken.
template <class T>
class Aligned {
 public:
  explicit Aligned(std::size_t size) : values_(new (std::align_val_t{64}) T[size]()) {}
  T* data() { return values_.get(); }
  const T* data() const { return values_.get(); }
  T& operator[](std::size_t index) { return values_[index]; }
  const T& operator[](std::size_t index) const { return values_[index]; }

 private:
  struct Free {
    void operator()(T* memory) const { ::operator delete[](memory, std::align_val_t{64}); }
  };
  std::unique_ptr<T[], Free> values_;
};

class BitSet {
 public:
  explicit BitSet(std::size_t size) : words_(size / block) {}
  void set(std::size_t index, bool value) {
    const std::uint64_t bit = std::uint64_t{1} << (index % block);
    words_[index / block] = value ? words_[index / block] | bit : words_[index / block] & ~bit;
  }
  void clear() { std::fill(words_.begin(), words_.end(), 0); }
  const std::uint64_t* words() const { return words_.data(); }

 private:
  std::vector<std::uint64_t> words_;
};

/// Which columns are in memory, and where. Either all of the matrix's, rows being the matrix's own; or only those of
/// the active rows, rows being copies made when first asked for.
class Layout {
 public:
  /// `memory` holds the copies: SmoWorkspace::floats floats.
  Layout(const GramMatrix& gram, float* memory)
      : gram_(gram), memory_(memory), column_of_(gram.rows()), slot_of_(gram.rows(), nowhere) {
    use_all();
  }

  void use_all() {
    compact_ = false;
    width_ = gram_.stride();
    columns_ = gram_.rows();
    std::iota(column_of_.begin(), column_of_.end(), 0U);
  }

  void use_only(std::span<const std::uint32_t> rows) {
    compact_ = true;
    source_.assign(rows.begin(), rows.end());
    columns_ = rows.size();
    width_ = padded(rows.size());
    for (std::uint32_t column = 0; column < rows.size(); ++column) column_of_[rows[column]] = column;
    std::fill(slot_of_.begin(), slot_of_.end(), nowhere);
    owners_.clear();
    next_slot_ = 0;
  }

  std::size_t width() const { return width_; }
  std::size_t columns() const { return columns_; }
  std::uint32_t column_of(std::uint32_t row) const { return column_of_[row]; }

  /// K(row, columns in memory). Valid until another row but `keep` has been asked for.
  const float* row(std::uint32_t row, std::uint32_t keep = nowhere) {
    if (!compact_) return gram_.row(row);
    if (slot_of_[row] == nowhere) copy(row, keep);
    return slot(slot_of_[row]);
  }

 private:
  float* slot(std::size_t index) { return memory_ + index * width_; }

  void copy(std::uint32_t row, std::uint32_t keep) {
    const std::size_t slots = SmoWorkspace::floats / width_;
    if (owners_.size() < slots) {
      slot_of_[row] = static_cast<std::uint32_t>(owners_.size());
      owners_.push_back(row);
    } else {
      if (owners_[next_slot_] == keep) next_slot_ = (next_slot_ + 1) % slots;
      slot_of_[owners_[next_slot_]] = nowhere;
      owners_[next_slot_] = row;
      slot_of_[row] = static_cast<std::uint32_t>(next_slot_);
      next_slot_ = (next_slot_ + 1) % slots;
    }
    const float* from = gram_.row(row);
    float* to = slot(slot_of_[row]);
    smo::gather_row(from, source_.data(), columns_, to);
    std::fill(to + columns_, to + width_, 0.0F);
  }

  const GramMatrix& gram_;
  float* memory_;
  bool compact_ = false;
  std::size_t width_ = 0;
  std::size_t columns_ = 0;
  std::vector<std::uint32_t> column_of_;  ///< of each row of the matrix
  std::vector<std::uint32_t> source_;     ///< the matrix's column that each column is a copy of
  std::vector<std::uint32_t> slot_of_;    ///< of each row of the matrix, or nowhere
  std::vector<std::uint32_t> owners_;     ///< the row in each slot
  std::size_t next_slot_ = 0;
};

/// One fit. A row is called by its number in the matrix, "row"; a place in SmoProblem::rows that shrinking reorders is
/// its "position". All of the literature's gradient G appears as score = y G.
class Solver {
 public:
  Solver(const SmoProblem& problem, float* memory)
      : problem_(problem),
        gram_(*problem.gram),
        count_(problem.rows.size()),
        active_(count_),
        order_(problem.rows.begin(), problem.rows.end()),
        position_(gram_.stride(), 0),
        sign_(gram_.rows(), 0),
        multiplier_(gram_.rows(), 0),
        layout_(gram_, memory),
        scores_(gram_.stride()),
        diagonal_(gram_.stride()),
        column_position_(gram_.stride(), 0),
        up_(gram_.stride()),
        low_(gram_.stride()),
        block_min_up_(gram_.stride() / 8),
        block_max_low_(gram_.stride() / 8),
        bounded_scores_(gram_.stride()) {
    for (std::uint32_t place = 0; place < count_; ++place) {
      const std::uint32_t row = order_[place];
      sign_[row] = problem.signs[place];
      position_[row] = place;
      scores_[row] = -static_cast<double>(sign_[row]);
    }
    const auto diagonal = gram_.diagonal();
    equal_diagonal_ = std::all_of(diagonal.begin(), diagonal.end(), [&](double k) { return k == diagonal.front(); });
    describe_columns();
  }

  Result<SmoResult> solve();

 private:
  enum class Bound : std::uint8_t { lower, none, upper };

  Bound bound(std::uint32_t row) const {
    if (multiplier_[row] >= problem_.C) return Bound::upper;
    return multiplier_[row] <= 0 ? Bound::lower : Bound::none;
  }
  bool can_move_up(std::uint32_t row) const { return bound(row) != (sign_[row] > 0 ? Bound::upper : Bound::lower); }
  bool can_move_down(std::uint32_t row) const { return bound(row) != (sign_[row] > 0 ? Bound::lower : Bound::upper); }

  smo::Columns columns() {
    return {scores_.data(), up_.words(), low_.words(), block_min_up_.data(), block_max_low_.data(), layout_.width()};
  }
  double& score(std::uint32_t row) { return scores_[layout_.column_of(row)]; }

  void describe_columns();
  void describe(std::uint32_t row);
  bool select(std::uint32_t& i, std::uint32_t& j);
  void move(std::uint32_t i, std::uint32_t j);
  void change_pair(std::uint32_t i, std::uint32_t j, double kernel);
  void note_bound(std::uint32_t row, Bound before);
  bool set_aside(std::uint32_t row);
  void shrink();
  void compact();
  void restore_all();
  void add_pending();
  SmoResult result(std::uint64_t iterations, bool converged);

  const SmoProblem& problem_;
  const GramMatrix& gram_;
  std::size_t count_;
  std::size_t active_;                   ///< positions below it are active
  std::vector<std::uint32_t> order_;     ///< the row at each position
  std::vector<std::uint32_t> position_;  ///< of each row
  std::vector<std::int8_t> sign_;        ///< y of each row; 0 for rows outside the problem
  std::vector<double> multiplier_;       ///< of each row
  Layout layout_;
  Aligned<double> scores_;  ///< of each column in memory
  Aligned<double> diagonal_;
  std::vector<std::uint32_t> column_position_;
  bool equal_diagonal_ = false;
  BitSet up_;
  BitSet low_;
  Aligned<double> block_min_up_;
  Aligned<double> block_max_low_;
  smo::Extremes extremes_;  ///< of the scores as they are, when extremes_known_
  bool extremes_known_ = false;
  bool unshrunk_ = false;  ///< near the optimum all rows have been taken back once
  bool never_at_bound_ = true;
  /// y G if every multiplier below C were 0, without the constant part; of each row, pending changes left out.
  Aligned<double> bounded_scores_;
  std::vector<const float*> pending_rows_;
  std::vector<double> pending_changes_;
};

/// After the layout or the active set has changed.
void Solver::describe_columns() {
  up_.clear();
  low_.clear();
  for (std::size_t position = 0; position < active_; ++position) describe(order_[position]);
  extremes_known_ = false;
}

void Solver::describe(std::uint32_t row) {
  const std::uint32_t column = layout_.column_of(row);
  up_.set(column, can_move_up(row));
  low_.set(column, can_move_down(row));
  column_position_[column] = position_[row];
  diagonal_[column] = gram_.diagonal()[row];
}

/// The pair to change next; false when the active rows are optimal.
bool Solver::select(std::uint32_t& i, std::uint32_t& j) {
  if (!extremes_known_) extremes_ = smo::scan(columns());
  extremes_known_ = true;
  if (!(extremes_.max_low - extremes_.min_up >= problem_.tolerance)) return false;
  const smo::Columns all = columns();
  const std::uint32_t first = smo::find(all, all.up, all.block_min_up, extremes_.min_up, column_position_.data());
  const std::uint32_t farthest = smo::find(all, all.low, all.block_max_low, extremes_.max_low, column_position_.data());
  i = order_[column_position_[first]];
  const float* row_i = layout_.row(i);
  smo::PartnerSearch search;
  search.row_i = row_i;
  search.greatest = -extremes_.min_up;
  search.diagonal_i = gram_.diagonal()[i];
  search.diagonal = equal_diagonal_ ? nullptr : diagonal_.data();
  search.positions = column_position_.data();
  const double distance = search.greatest + extremes_.max_low;
  const double divisor = search.diagonal_i + diagonal_[farthest] - 2.0 * static_cast<double>(row_i[farthest]);
  search.floor = distance > 0 ? distance * distance / (divisor > 0 ? divisor : 1e-12) : 0;
  const smo::Partner partner = smo::find_partner(all, search);
  if (partner.gain < 0) return false;
  j = order_[column_position_[partner.column]];
  return true;
}

/// The two multipliers at their optimum, all others staying; cut back to the box along y_i a_i + y_j a_j = constant.
void Solver::change_pair(std::uint32_t i, std::uint32_t j, double kernel) {
  double& a = multiplier_[i];
  double& b = multiplier_[j];
  const double limit = problem_.C;
  const double gradient_i = sign_[i] * score(i);
  const double gradient_j = sign_[j] * score(j);
  double divisor = gram_.diagonal()[i] + gram_.diagonal()[j] - 2 * kernel;
  if (divisor <= 0) divisor = 1e-12;
  if (sign_[i] != sign_[j]) {
    const double change = (-gradient_i - gradient_j) / divisor;
    const double difference = a - b;
    a += change;
    b += change;
    if (difference > 0) {
      if (b < 0) a = difference, b = 0;
      if (a > limit) a = limit, b = limit - difference;
    } else {
      if (a < 0) a = 0, b = -difference;
      if (b > limit) a = limit + difference, b = limit;
    }
  } else {
    const double change = (gradient_i - gradient_j) / divisor;
    const double sum = a + b;
    a -= change;
    b += change;
    if (sum > limit) {
      if (a > limit) a = limit, b = sum - limit;
      if (b > limit) a = sum - limit, b = limit;
    } else {
      if (b < 0) a = sum, b = 0;
      if (a < 0) a = 0, b = sum;
    }
  }
}

void Solver::move(std::uint32_t i, std::uint32_t j) {
  const float* row_i = layout_.row(i);
  const float* row_j = layout_.row(j, i);
  const double old_i = multiplier_[i];
  const double old_j = multiplier_[j];
  const Bound bound_i = bound(i);
  const Bound bound_j = bound(j);
  change_pair(i, j, static_cast<double>(row_i[layout_.column_of(j)]));
  describe(i);
  describe(j);
  extremes_ =
      smo::step(columns(), row_i, sign_[i] * (multiplier_[i] - old_i), row_j, sign_[j] * (multiplier_[j] - old_j));
  extremes_known_ = true;
  note_bound(i, bound_i);
  note_bound(j, bound_j);
}

/// bounded_scores_ has to change when a multiplier comes to C or leaves it; done later, many at once.
void Solver::note_bound(std::uint32_t row, Bound before) {
  const bool was = before == Bound::upper;
  const bool is = bound(row) == Bound::upper;
  if (is) never_at_bound_ = false;
  if (was == is) return;
  pending_rows_.push_back(gram_.row(row));
  pending_changes_.push_back(is ? sign_[row] * problem_.C : -sign_[row] * problem_.C);
}

void Solver::add_pending() {
  BitSet all(gram_.stride());
  for (const std::uint32_t row : order_) all.set(row, true);
  smo::add_rows(bounded_scores_.data(), gram_.stride(), all.words(), pending_rows_.data(), pending_changes_.data(),
                pending_rows_.size());
  pending_rows_.clear();
  pending_changes_.clear();
}

/// Whether a row stays at its bound for good, as far as one can see.
bool Solver::set_aside(std::uint32_t row) {
  const bool up = can_move_up(row);
  const bool down = can_move_down(row);
  if (up && down) return false;
  return up ? score(row) > extremes_.max_low : -score(row) > -extremes_.min_up;
}

void Solver::shrink() {
  if (!extremes_known_) extremes_ = smo::scan(columns());
  const smo::Extremes judged_by = extremes_;
  if (!unshrunk_ && judged_by.max_low - judged_by.min_up <= problem_.tolerance * 10) {
    unshrunk_ = true;
    restore_all();
    extremes_ = judged_by;
  }
  const std::size_t before = active_;
  // A row set aside changes places with the last active one that stays.
  for (std::size_t position = 0; position < active_; ++position) {
    if (!set_aside(order_[position])) continue;
    --active_;
    while (active_ > position && set_aside(order_[active_])) --active_;
    if (active_ > position) std::swap(order_[position], order_[active_]);
  }
  if (active_ == before) return;
  for (std::uint32_t position = 0; position < count_; ++position) position_[order_[position]] = position;
  if (static_cast<double>(active_) < 0.5 * static_cast<double>(layout_.columns())) compact();
  describe_columns();
}

/// Leaves in memory only the active rows' columns.
void Solver::compact() {
  std::vector<double> kept(active_);
  for (std::size_t position = 0; position < active_; ++position) kept[position] = score(order_[position]);
  layout_.use_only({order_.data(), active_});
  std::copy(kept.begin(), kept.end(), scores_.data());
  std::fill(scores_.data() + active_, scores_.data() + layout_.width(), 0.0);
}

/// Makes all rows active, with the scores of those set aside computed anew.
void Solver::restore_all() {
  if (active_ == count_) return;
  add_pending();
  Aligned<double> fresh(gram_.stride());
  BitSet aside(gram_.stride());
  for (std::size_t position = active_; position < count_; ++position) {
    const std::uint32_t row = order_[position];
    aside.set(row, true);
    fresh[row] = bounded_scores_[row] - static_cast<double>(sign_[row]);
  }
  std::vector<const float*> rows;
  std::vector<double> coefficients;
  for (std::size_t position = 0; position < active_; ++position) {
    const std::uint32_t row = order_[position];
    if (bound(row) != Bound::none) continue;
    rows.push_back(gram_.row(row));
    coefficients.push_back(multiplier_[row] * sign_[row]);
  }
  smo::add_rows(fresh.data(), gram_.stride(), aside.words(), rows.data(), coefficients.data(), rows.size());
  for (std::size_t position = 0; position < active_; ++position) fresh[order_[position]] = score(order_[position]);
  scores_ = std::move(fresh);
  layout_.use_all();
  active_ = count_;
  describe_columns();
}

Result<SmoResult> Solver::solve() {
  const std::size_t period = std::min<std::size_t>(count_, 1000);
  std::size_t until_shrinking = period + 1;
  std::uint64_t iterations = 0;
  while (iterations < problem_.max_iterations) {
    if (--until_shrinking == 0) {
      until_shrinking = period;
      if (problem_.stop_requested && problem_.stop_requested()) {
        return fail(ErrorKind::give_up, "fitting the support vector machine was stopped");
      }
      if (problem_.shrinking) shrink();
    }
    std::uint32_t i = 0;
    std::uint32_t j = 0;
    if (!select(i, j)) {
      restore_all();
      if (!select(i, j)) return result(iterations, true);
      until_shrinking = 1;
    }
    ++iterations;
    move(i, j);
  }
  restore_all();
  return result(iterations, false);
}

SmoResult Solver::result(std::uint64_t iterations, bool converged) {
  SmoResult out;
  out.iterations = iterations;
  out.converged = converged;
  out.never_at_bound = never_at_bound_;
  // rho: the mean score of multipliers off their bounds; without any, the middle of what the others allow.
  double sum = 0;
  std::size_t free = 0;
  double highest = infinity;
  double lowest = -infinity;
  double twice_objective = 0;
  for (const std::uint32_t row : order_) {
    const double value = score(row);
    if (bound(row) == Bound::none) {
      ++free;
      sum += value;
    } else if (can_move_up(row)) {
      highest = std::min(highest, value);
    } else {
      lowest = std::max(lowest, value);
    }
    twice_objective += multiplier_[row] * (sign_[row] * value - 1);
  }
  out.rho = free > 0 ? sum / static_cast<double>(free) : (highest + lowest) / 2;
  out.objective = twice_objective / 2;
  for (const std::uint32_t row : problem_.rows) out.multipliers.push_back(multiplier_[row]);
  return out;
}

}  // namespace

float* SmoWorkspace::memory() {
  if (memory_ == nullptr) memory_ = take_floats(floats);
  return memory_.get();
}

Result<SmoResult> solve_smo(const SmoProblem& problem, SmoWorkspace& workspace) {
  assert(problem.rows.size() == problem.signs.size() && problem.C > 0);
  constexpr auto no_memory = "no memory to fit the support vector machine";
  float* const memory = workspace.memory();
  if (memory == nullptr) return fail(ErrorKind::give_up, no_memory);
  try {
    return Solver(problem, memory).solve();
  } catch (const std::bad_alloc&) {
    return fail(ErrorKind::give_up, no_memory);
  }
}

void decide_from_gram(const GramMatrix& gram, std::span<const std::uint32_t> rows, std::span<const double> coefficients,
                      double rho, std::span<const std::uint32_t> targets, std::span<double> out) {
  BitSet wanted(gram.stride());
  for (const std::uint32_t target : targets) wanted.set(target, true);
  std::vector<const float*> used;
  std::vector<double> weights;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (coefficients[i] == 0) continue;
    used.push_back(gram.row(rows[i]));
    weights.push_back(coefficients[i]);
  }
  Aligned<double> sums(gram.stride());
  smo::add_rows(sums.data(), gram.stride(), wanted.words(), used.data(), weights.data(), used.size());
  for (std::size_t k = 0; k < targets.size(); ++k) out[k] = sums[targets[k]] - rho;
}

}  // namespace dropscore::learn
