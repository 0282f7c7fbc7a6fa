#include "table/row_error.h"

#include <algorithm>
#include <iterator>

#include "base/utf8.h"

namespace dropscore::table {
namespace {

// A header's name may be as long as a row: thousands of errors must not each hold a megabyte.
constexpr std::size_t max_column_characters = 256;

}  // namespace

std::string_view reason(RowFault fault) {
  switch (fault) {
    case RowFault::none: return "";
    case RowFault::too_few_cells: return "too few cells";
    case RowFault::too_many_cells: return "too many cells";
    case RowFault::row_too_long: return "row over the length limit";
    case RowFault::unclosed_quote: return "quote never closed";
    case RowFault::nul_byte: return "NUL byte in the row";
    case RowFault::not_text: return "bytes that are not text in the file's encoding";
    case RowFault::empty_cell: return "empty cell";
    case RowFault::not_a_number: return "not a number";
    case RowFault::hexadecimal: return "hexadecimal number";
    case RowFault::not_finite: return "not a finite number";
    case RowFault::number_too_large: return "number too large";
    case RowFault::unknown_category: return "unknown category";
    case RowFault::wrong_type: return "a list or an object where a number or a text belongs";
    case RowFault::missing_field: return "missing field";
    case RowFault::not_a_record: return "not an object";
  }
  return "";
}

std::string_view name(RowFault fault) {
  switch (fault) {
    case RowFault::none: return "none";
    case RowFault::too_few_cells: return "too_few_cells";
    case RowFault::too_many_cells: return "too_many_cells";
    case RowFault::row_too_long: return "row_too_long";
    case RowFault::unclosed_quote: return "unclosed_quote";
    case RowFault::nul_byte: return "nul_byte";
    case RowFault::not_text: return "not_text";
    case RowFault::empty_cell: return "empty_cell";
    case RowFault::not_a_number: return "not_a_number";
    case RowFault::hexadecimal: return "hexadecimal";
    case RowFault::not_finite: return "not_finite";
    case RowFault::number_too_large: return "number_too_large";
    case RowFault::unknown_category: return "unknown_category";
    case RowFault::wrong_type: return "wrong_type";
    case RowFault::missing_field: return "missing_field";
    case RowFault::not_a_record: return "not_a_record";
  }
  return "none";
}

void RowErrors::add(std::uint64_t row, std::string_view column, std::string_view value, RowFault fault) {
  ++total_;
  ++counts_[static_cast<std::size_t>(fault)];
  if (listed_.size() >= max_errors_) return;
  listed_.push_back(
      {row, excerpt(column, max_column_characters), excerpt(value, limits::max_error_value_bytes), fault});
}

void RowErrors::add_all(RowErrors&& later) {
  total_ += later.total_;
  for (std::size_t i = 0; i < row_fault_count; ++i) counts_[i] += later.counts_[i];
  const std::size_t room = listed_.size() >= max_errors_ ? 0 : max_errors_ - listed_.size();
  const auto last = later.listed_.begin() + static_cast<std::ptrdiff_t>(std::min(room, later.listed_.size()));
  listed_.insert(listed_.end(), std::make_move_iterator(later.listed_.begin()), std::make_move_iterator(last));
  later = RowErrors(later.max_errors_);
}

}  // namespace dropscore::table
