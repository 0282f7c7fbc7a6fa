// Strict reading of our own JSON documents: every member is asked for by name and type, what is left over is refused,
// and an error names the place ("$.predictor.rho: not a number"). Over simdjson's DOM. Thread-safety: none needed; a
// reader lives on the stack of one call.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "base/result.h"

namespace dropscore {

class JsonReader {
 public:
  /// `place` is how errors call this value.
  explicit JsonReader(simdjson::dom::element value, std::string place = "$")
      : value_(value), place_(std::move(place)) {}

  // A member of an object. Errors, all of kind `give_up`: not an object, no such member.
  Result<JsonReader> member(std::string_view name);
  bool has(std::string_view name) const;
  /// Fails where the object holds a member that nobody asked for.
  Status no_other_members() const;

  Result<std::string> text() const;
  Result<double> number() const;  ///< finite
  Result<std::uint64_t> natural() const;
  Result<bool> flag() const;
  Result<std::vector<double>> numbers() const;
  Result<std::vector<std::string>> texts() const;
  Result<std::vector<JsonReader>> items() const;
  /// The value as compact JSON.
  std::string raw() const;

  tl::unexpected<Error> error(std::string_view what) const;

 private:
  simdjson::dom::element value_;
  std::string place_;
  std::set<std::string, std::less<>> asked_;
};

}  // namespace dropscore
