// The search for a model's parameters, ask and tell: whoever can judge a set of parameters asks for the next one and
// tells what it was worth. Bigger is better; a failure has a value too.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "learn/learner.h"

namespace dropscore::learn {

/// One parameter and the values that the search may give it, in their natural order.
struct Dimension {
  std::string parameter;
  std::vector<std::string> values;
};

/// How long to look.
enum class Effort : std::uint8_t { original, quick, full };

inline constexpr double failed = -std::numeric_limits<double>::infinity();

/// Walks along one dimension after another, from the defaults on: a step that is worth more is kept, and the walk goes
/// on in its direction; it ends when no single step helps or `max_asks` are used up. Deterministic. Not thread-safe.
class Search {
 public:
  /// Dimensions that the user has fixed are to be left out. REQUIRES: start holds every dimension's parameter.
  Search(Parameters start, std::vector<Dimension> dimensions, std::size_t max_asks);

  /// The next set to judge; empty at the end. After each ask comes its tell.
  std::optional<Parameters> ask();
  void tell(double value);

  const Parameters& best() const { return best_; }
  double best_value() const { return best_value_; }
  std::size_t asked() const { return asked_; }

 private:
  std::vector<Parameters> neighbours() const;

  std::vector<Dimension> dimensions_;
  std::size_t max_asks_;
  std::size_t asked_ = 0;
  Parameters best_;
  double best_value_ = failed;
  std::vector<Parameters> waiting_;
  Parameters asking_;
  std::set<Parameters> seen_;
};

/// The dimensions of a learner's own space; empty for one that has nothing to choose.
std::vector<Dimension> search_space(std::string_view learner);
/// How many sets of parameters an effort may judge for a learner on so many rows.
std::size_t max_asks(Effort effort, std::string_view learner, std::size_t rows);

}  // namespace dropscore::learn
