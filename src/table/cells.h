// One cell's text -> a number, or "missing". The project's only reading of numbers from a customer's text.
#pragma once

#include <string_view>

#include "table/row_error.h"

namespace dropscore::table {

/// Without spaces and tabs at either end (U+00A0 too).
std::string_view trim(std::string_view cell);

/// Empty, NA, NaN or null (any letter case), once trimmed.
bool is_missing(std::string_view cell);

struct ParsedNumber {
  double value = 0;
  RowFault fault = RowFault::none;  ///< none, empty_cell, not_a_number, hexadecimal, not_finite or number_too_large
};

/// Reads a decimal number, correctly rounded: an optional sign, digits, one mark, digits, an exponent; spaces trimmed.
/// With `decimal_comma` the mark may be a comma or a point, never both. Hexadecimal, inf, partial numbers, thousands
/// separators and overflow are refused; underflow is 0. A missing cell has fault `empty_cell`.
/// Thread-safe; does not allocate.
ParsedNumber parse_number(std::string_view cell, bool decimal_comma);

}  // namespace dropscore::table
