#include "learn/parameters.h"

#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace dropscore::learn {

Result<Parameters> with_defaults(const Learner& learner, const Parameters& given) {
  Parameters all = learner.defaults();
  for (const auto& [name, value] : given) {
    const auto known = all.find(name);
    if (known == all.end()) {
      std::string names;
      for (const auto& [one, unused] : learner.defaults()) names += fmt::format("{}{}", names.empty() ? "" : ", ", one);
      return fail(ErrorKind::misuse,
                  fmt::format("{} has no parameter \"{}\"; it has: {}", learner.name(), name, names));
    }
    known->second = value;
  }
  return all;
}

Result<double> positive_number(const Learner& learner, const Parameters& parameters, const std::string& name) {
  const std::string& text = parameters.at(name);
  double number = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (wrong != std::errc() || end != text.data() + text.size() || !std::isfinite(number) || number <= 0) {
    return bad_parameter(learner, parameters, name, "not a number over 0");
  }
  return number;
}

tl::unexpected<Error> bad_parameter(const Learner& learner, const Parameters& parameters, const std::string& name,
                                    std::string_view what) {
  return fail(ErrorKind::misuse, fmt::format("{}.{}={}: {}", learner.name(), name, parameters.at(name), what));
}

}  // namespace dropscore::learn
