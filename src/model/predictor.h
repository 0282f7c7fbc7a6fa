// A fitted form: features in, decision values out. Each family (svm, constant, ...) is one subclass; model/ knows how
// to save, load and evaluate it, learn/ how to fit it. Immutable once made: every method is thread-safe.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "base/json_writer.h"
#include "base/result.h"
#include "features/matrix.h"

namespace dropscore {
class JsonReader;
}

namespace dropscore::model {

class Predictor {
 public:
  Predictor() = default;
  Predictor(const Predictor&) = delete;
  Predictor& operator=(const Predictor&) = delete;
  virtual ~Predictor() = default;

  /// The document's "family": "svm", "constant", ...
  virtual std::string_view family() const = 0;
  /// What GET /health calls it: "SVM", ...
  virtual std::string_view display_name() const = 0;
  virtual std::size_t features() const = 0;

  /// Decision values: unbounded, greater means likelier to convert. Raw features in (unscaled, categories as codes,
  /// missing as NaN); a row's value does not depend on the rows around it.
  /// REQUIRES: rows.columns == features(), out.size() == rows.rows.
  virtual void decide(features::MatrixView<float> rows, std::span<double> out) const = 0;
  /// The reference in double precision.
  virtual void decide(features::MatrixView<double> rows, std::span<double> out) const = 0;

  /// Writes the members of the document's "predictor" object, "family" excepted.
  virtual void save(JsonWriter& json) const = 0;
};

/// Reads a "predictor" object of any known family. Errors: `give_up`, with the place in the document.
Result<std::unique_ptr<Predictor>> load_predictor(JsonReader json);

}  // namespace dropscore::model
