// A record's cells -> one row of the feature matrix, by the schema's rules. The one place that decides whether a cell
// can be scored; CSV rows, JSON records and training rows all come through here.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "features/matrix.h"
#include "schema/schema.h"
#include "table/csv_reader.h"
#include "table/frame.h"
#include "table/row_error.h"

namespace dropscore::features {

/// One cell -> the number that the matrix holds: a numeric feature's value, a category's code, NaN for a missing value
/// that the schema allows. With a fault the value means nothing.
struct EncodedCell {
  double value = 0;
  table::RowFault fault = table::RowFault::none;
};
EncodedCell encode_cell(const schema::Feature& feature, schema::UnknownRule unknown, std::string_view cell,
                        bool decimal_comma);

/// `the column "A" is`, `the columns "A" and "B" are`, `the columns "A", "B" and 12 more are`; of many, the first 20.
/// `what` is the thing in singular. REQUIRES: !names.empty().
std::string counted(std::string_view what, std::span<const std::string> names);

/// For each feature of `schema`, where it stands in `header`; matched by name, whatever the order.
/// Errors, kind `reject`: columns of features are missing (names them, and the nearest ones present) or one stands
/// twice.
Result<std::vector<std::uint32_t>> bind_columns(const schema::Schema& schema, std::span<const std::string> header);

/// Encodes rows of a CSV file whose header is bound once. The schema must outlive it. Immutable: thread-safe.
class RowEncoder {
 public:
  static Result<RowEncoder> bind(const schema::Schema& schema, std::span<const std::string> header, bool decimal_comma);

  /// Where each feature stands in the header.
  std::span<const std::uint32_t> columns() const { return columns_; }

  /// One row of the matrix; a row that cannot be scored is added to `errors` with the fault that is returned.
  /// REQUIRES: out.size() == columns().size(). Instantiated for float and double.
  template <class T>
  table::RowFault encode(const table::Batch& batch, const table::Row& row, std::span<T> out,
                         table::RowErrors& errors) const;

 private:
  RowEncoder(const schema::Schema& schema, std::vector<std::uint32_t> columns, std::vector<std::string> header,
             bool decimal_comma)
      : schema_(&schema), columns_(std::move(columns)), header_(std::move(header)), decimal_comma_(decimal_comma) {}

  const schema::Schema* schema_;
  std::vector<std::uint32_t> columns_;
  std::vector<std::string> header_;
  bool decimal_comma_;
};

/// The given rows of a frame; those that cannot be encoded (an unknown category in a held-out row) go into `errors` and
/// are left out of `kept`, which lists the rows of the matrix.
Result<Matrix<double>> encode_frame(const schema::Schema& schema, const table::Frame& frame,
                                    std::span<const std::size_t> rows, std::vector<std::size_t>& kept,
                                    table::RowErrors& errors);

}  // namespace dropscore::features
