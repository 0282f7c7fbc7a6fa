// A limit on everything, in one place. Options may lower or raise those that an operator has a reason to change.
#pragma once

#include <cstddef>
#include <cstdint>

namespace dropscore::limits {

inline constexpr std::size_t kib = 1024;
inline constexpr std::size_t mib = 1024 * kib;

// table
inline constexpr std::size_t max_row_bytes = 1 * mib;       ///< one CSV record, terminator not counted
inline constexpr std::size_t max_columns = 4096;            ///< cells in a header
inline constexpr std::size_t max_error_value_bytes = 64;    ///< characters of a bad cell that an error repeats
inline constexpr std::uint64_t max_errors = 10'000;         ///< errors listed one by one; the rest is counted by reason
inline constexpr std::size_t read_chunk_bytes = 256 * kib;  ///< what a reader asks of a store at a time

// scoring
inline constexpr unsigned max_threads = 256;  ///< that one file is scored on

// schema, model
inline constexpr std::size_t max_categories = 1000;        ///< distinct texts of one categorical column
inline constexpr std::size_t max_model_bytes = 512 * mib;  ///< a model document on disk

// http
inline constexpr std::size_t max_json_body_bytes = 64 * mib;       ///< a JSON body is held in memory whole
inline constexpr std::uint64_t max_csv_body_bytes = 16ULL << 30U;  ///< a text/csv body is streamed
inline constexpr std::size_t max_header_bytes = 16 * kib;
inline constexpr std::size_t max_connections = 1024;

// journey
inline constexpr int max_attempts = 5;                    ///< tries of one file before it is set aside
inline constexpr std::size_t max_blob_name_bytes = 1024;  ///< Azure's own limit

}  // namespace dropscore::limits
