// What can be wrong with one row, and the list of the rows that were refused.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"

namespace dropscore::table {

/// Why a row is refused. The first group is found by the reader, the second by whoever knows the columns.
enum class RowFault : std::uint8_t {
  none,
  // structure
  too_few_cells,
  too_many_cells,
  row_too_long,
  unclosed_quote,
  nul_byte,
  not_text,  ///< bytes that are not of the file's encoding
  // cells
  empty_cell,  ///< empty, NA, NaN or null where the model does not know missing values
  not_a_number,
  hexadecimal,
  not_finite,        ///< inf, infinity
  number_too_large,  ///< its magnitude passes a double's
  unknown_category,
  wrong_type,     ///< JSON: a list or an object where a number or a text belongs
  missing_field,  ///< JSON: the record lacks the field
  not_a_record,   ///< JSON: an array's element is no object
};
inline constexpr std::size_t row_fault_count = static_cast<std::size_t>(RowFault::not_a_record) + 1;
/// Rows by what is wrong with them, in RowFault's order.
using RowFaultCounts = std::array<std::uint64_t, row_fault_count>;

/// The sentence that documents and reports give, the same for every row with this fault ("not a number").
std::string_view reason(RowFault fault);
/// Its name in metrics: "not_a_number". Stable.
std::string_view name(RowFault fault);

struct RowError {
  std::uint64_t row = 0;  ///< physical line where the record starts, the header being line 1; JSON: 0-based index
  std::string column;     ///< empty where no column is to blame
  std::string value;      ///< at most limits::max_error_value_bytes characters; invalid bytes as U+FFFD
  RowFault fault = RowFault::none;
};

/// The rows refused so far: the first `max_errors` one by one, all of them by reason. Bounded memory.
/// Not thread-safe.
class RowErrors {
 public:
  explicit RowErrors(std::uint64_t max_errors = limits::max_errors) : max_errors_(max_errors) {}

  void add(std::uint64_t row, std::string_view column, std::string_view value, RowFault fault);

  /// Those of rows that come after all of these. What was listed there is moved.
  void add_all(RowErrors&& later);

  const std::vector<RowError>& listed() const { return listed_; }
  std::uint64_t total() const { return total_; }
  bool truncated() const { return total_ > listed_.size(); }
  /// How many rows were refused for this reason.
  std::uint64_t count(RowFault fault) const { return counts_[static_cast<std::size_t>(fault)]; }
  const RowFaultCounts& counts() const { return counts_; }

 private:
  std::uint64_t max_errors_;
  std::uint64_t total_ = 0;
  std::vector<RowError> listed_;
  RowFaultCounts counts_{};
};

}  // namespace dropscore::table
