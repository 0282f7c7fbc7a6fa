// The columns of a model: names, kinds, dictionaries, observed ranges, rules for missing and unknown values. Fitted
// once, on training rows only, and shipped inside the model: scoring reads a file exactly as training did. Format:
// docs/formats/model.md, "schema".
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_writer.h"
#include "base/result.h"
#include "table/row_error.h"

namespace dropscore {
class JsonReader;
}

namespace dropscore::schema {

enum class Kind : std::uint8_t { numeric, categorical };

/// What a matrix holds for a category that training never saw, in a model trained with `--unknown code`.
inline constexpr double unknown_category_code = -1.0;

struct Feature {
  std::string name;
  Kind kind = Kind::numeric;
  /// Categorical: the texts seen in training, in code-point order (scikit-learn's LabelEncoder); a text's code is its
  /// position. Numeric: empty.
  std::vector<std::string> categories;
  /// Numeric: the least and greatest value seen in training.
  double minimum = 0;
  double maximum = 0;
  /// Missing cells were seen in training, so that scoring takes them too (as NaN in the matrix). False: a row with a
  /// missing cell here is rejected.
  bool missing_allowed = false;
  /// What a model without a branch for missing values puts in their place: the median, or the most frequent code.
  double fill = 0;

  std::optional<std::uint32_t> code(std::string_view category) const;
};

/// The label column and the two texts it holds.
struct Target {
  std::string column;
  std::string negative;  ///< the text that stands for 0
  std::string positive;  ///< the text that stands for 1
};

/// A column that training left out, and why, for the notes.
struct DroppedColumn {
  std::string name;
  std::string why;  ///< "constant", "identifier", "asked for (--drop)"
};

enum class UnknownRule : std::uint8_t { reject, code };

struct Schema {
  std::vector<Feature> features;  ///< in the training file's order
  Target target;
  UnknownRule unknown = UnknownRule::reject;
  std::vector<DroppedColumn> dropped;

  std::size_t size() const { return features.size(); }
};

void write(JsonWriter& json, const Schema& schema);

/// Refuses what it does not know. Errors: `give_up`, with the place in the document.
Result<Schema> read_schema(JsonReader json);

}  // namespace dropscore::schema
