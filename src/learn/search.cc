#include "learn/search.h"

#include <algorithm>
#include <utility>

namespace dropscore::learn {

Search::Search(Parameters start, std::vector<Dimension> dimensions, std::size_t max_asks)
    : dimensions_(std::move(dimensions)),
      max_asks_(std::max<std::size_t>(1, max_asks)),
      best_(start),
      waiting_{std::move(start)} {}

std::vector<Parameters> Search::neighbours() const {
  std::vector<Parameters> out;
  for (const Dimension& dimension : dimensions_) {
    const auto& values = dimension.values;
    const auto here = std::find(values.begin(), values.end(), best_.at(dimension.parameter));
    if (here == values.end()) {  // a start outside the list: any value is a neighbour
      for (const std::string& value : values) {
        out.push_back(best_);
        out.back()[dimension.parameter] = value;
      }
      continue;
    }
    if (here + 1 != values.end()) {
      out.push_back(best_);
      out.back()[dimension.parameter] = *(here + 1);
    }
    if (here != values.begin()) {
      out.push_back(best_);
      out.back()[dimension.parameter] = *(here - 1);
    }
  }
  return out;
}

std::optional<Parameters> Search::ask() {
  if (asked_ == max_asks_) return std::nullopt;
  if (waiting_.empty()) return std::nullopt;
  asking_ = waiting_.front();
  waiting_.erase(waiting_.begin());
  seen_.insert(asking_);
  ++asked_;
  return asking_;
}

void Search::tell(double value) {
  if (asked_ > 1 && !(value > best_value_)) return;
  best_ = asking_;
  best_value_ = value;
  waiting_.clear();
  for (Parameters& next : neighbours()) {
    if (!seen_.contains(next)) waiting_.push_back(std::move(next));
  }
}

std::vector<Dimension> search_space(std::string_view learner) {
  if (learner == "svm") {
    return {{"C", {"0.1", "0.3", "1", "3", "10", "30", "100"}},
            {"gamma", {"0.001", "0.003", "0.01", "0.03", "0.1", "0.3", "1"}}};
  }
  if (learner == "logistic") return {{"C", {"0.001", "0.01", "0.1", "1", "10", "100"}}};
  if (learner == "forest") return {{"depth", {"5", "10", "15", "20"}}};
  if (learner == "boosted") return {{"depth", {"1", "2", "3", "4", "6"}}, {"rate", {"0.03", "0.1", "0.2"}}};
  if (learner == "additive") return {{"slopes", {"false", "true"}}};
  return {};
}

std::size_t max_asks(Effort effort, std::string_view learner, std::size_t rows) {
  if (effort == Effort::original) return 1;
  constexpr std::size_t many_rows = 50'000;  // where one fit takes so long that quick means the defaults
  if (effort == Effort::full) return 40;
  if (rows > many_rows) return 1;
  return learner == "svm" ? 5 : 3;
}

}  // namespace dropscore::learn
