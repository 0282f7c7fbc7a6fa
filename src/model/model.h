// A fitted model, whole: schema, predictor, calibration, decision rule, and what training said of it. Saved as a folder
// with one JSON document (docs/formats/model.md). Loading runs nothing and refuses what it does not know.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "features/matrix.h"
#include "model/calibration.h"
#include "model/predictor.h"
#include "schema/schema.h"

namespace dropscore::model {

/// How a probability or a decision value becomes a yes or a no.
struct DecisionRule {
  enum class Kind : std::uint8_t {
    probability,  ///< converts where probability >= threshold
    sign,         ///< converts where the decision value >= 0, as the original (its probability may disagree)
  };
  Kind kind = Kind::probability;
  double threshold = 0.5;
};

struct Score {
  double probability = 0;  ///< of conversion
  bool converts = false;
};

enum class Precision : std::uint8_t { single_precision, double_precision };

struct ModelParts {
  schema::Schema schema;
  std::shared_ptr<const Predictor> predictor;
  Calibration calibration;
  DecisionRule decision;
  std::string training_json;  ///< one JSON object: data, options, figures; carried along, never interpreted
};

/// Immutable: every method is thread-safe. Share it by shared_ptr<const Model>.
class Model {
 public:
  /// Errors: `give_up` where the parts do not fit together (feature counts, thresholds).
  static Result<std::shared_ptr<const Model>> make(ModelParts parts);
  /// Reads DIR/model.json. Errors: `misuse` (not there), `give_up` (damaged, unknown version or member).
  static Result<std::shared_ptr<const Model>> load(const std::filesystem::path& directory);
  static Result<std::shared_ptr<const Model>> parse(std::string_view document);

  /// Writes DIR/model.json atomically. Errors: `try_later`.
  Status save(const std::filesystem::path& directory) const;
  /// The document's text; the same parts give the same bytes.
  const std::string& document() const { return document_; }

  /// First 12 hexadecimal digits of the document's checksum: the name that results carry.
  const std::string& version() const { return version_; }
  const schema::Schema& schema() const { return parts_.schema; }
  const Predictor& predictor() const { return *parts_.predictor; }
  const Calibration& calibration() const { return parts_.calibration; }
  const DecisionRule& decision() const { return parts_.decision; }
  const std::string& training_json() const { return parts_.training_json; }

  /// What `--precision auto` means for this model: the original's coupling amplifies rounding, so it asks for double.
  Precision preferred_precision() const;

  /// REQUIRES: rows.columns == schema().size(), out.size() == rows.rows.
  /// Instantiated for float and double.
  template <class T>
  void score(features::MatrixView<T> rows, std::span<Score> out) const;

 private:
  Model() = default;
  ModelParts parts_;
  std::string document_;
  std::string version_;
};

}  // namespace dropscore::model
