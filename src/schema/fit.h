// Frame -> Schema: which columns are features, of what kind, with which dictionaries and ranges.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "schema/schema.h"
#include "table/frame.h"

namespace dropscore::schema {

struct FitOptions {
  std::string target = "Conversion";
  std::vector<std::string> drop;  ///< columns left out whatever they hold
  std::vector<std::string> keep;  ///< columns kept although constant or identifiers
  UnknownRule unknown = UnknownRule::reject;
};

/// The label of every row of a table.
struct Labels {
  Target target;
  std::vector<std::uint8_t> values;  ///< 0 or 1, one for each row
};

/// Reads the target column: 0/1 (as numbers), yes/no, true/false, y/n, t/f in any letter case.
/// Errors, kind `reject`: no such column (names the nearest), a missing or unknown label (names the line), one class
/// only.
Result<Labels> read_labels(const table::Frame& frame, const std::string& target);

/// The labels of a table by a model's target, one for each row; one class alone will do. Errors: as above.
Result<std::vector<std::uint8_t>> read_labels(const table::Frame& frame, const Target& target);

/// Fits on `rows` only. A column is numeric when every cell of these rows that is not missing reads as a number.
/// Dropped: constant columns, and identifiers (all-distinct whole numbers with max - min < 4 x rows, or all-distinct
/// text), unless kept by name; all-missing columns always.
/// REQUIRES: rows are indices into frame. Errors, kind `reject`: unknown names in drop/keep, no feature left, a column
/// with too many categories.
Result<Schema> fit(const table::Frame& frame, std::span<const std::size_t> rows, const Target& target,
                   const FitOptions& options);

}  // namespace dropscore::schema
