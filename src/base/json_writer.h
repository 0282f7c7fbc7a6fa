// Writes JSON (RFC 8259) into a string, compact or indented. Numbers are the shortest text that reads back as the same
// double; bytes that are not UTF-8 become U+FFFD. By hand because results are written at a rate where a document tree
// would be the bottleneck (docs/decisions/0003-json.md).
#pragma once

#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dropscore {

/// Appends `text` quoted and escaped; invalid UTF-8 becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);

/// Appends the shortest decimal that reads back as `number`, with an exponent where it would otherwise look like a
/// whole number too large for 64 bits; NaN and the infinities, which JSON lacks, as null.
void append_json_number(std::string& out, double number);

/// The same to memory that is there, and returns its end. REQUIRES: most_number_bytes bytes at `out`.
char* put_json_number(char* out, double number);

/// Keeps commas, colons and indentation right; the caller keeps begin/end balanced. Appends to a string that it does
/// not own. Not thread-safe.
class JsonWriter {
 public:
  /// `indent` spaces for each level; 0 writes everything on one line without spaces.
  explicit JsonWriter(std::string& out, int indent = 0) : out_(out), indent_(indent) {}

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);

  JsonWriter& value(std::string_view text);
  JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(double number);
  JsonWriter& value(bool flag);
  JsonWriter& null();
  template <std::integral T>
  requires(!std::same_as<T, bool>) JsonWriter& value(T number) {
    if constexpr (std::is_signed_v<T>) {
      return integer(static_cast<std::int64_t>(number));
    } else {
      return natural(static_cast<std::uint64_t>(number));
    }
  }
  /// An array of numbers, on one line whatever the indentation.
  JsonWriter& numbers(std::span<const double> values);
  /// `json` goes in as it is. REQUIRES: it is one JSON value.
  JsonWriter& raw(std::string_view json);

  template <class T>
  JsonWriter& member(std::string_view name, const T& v) {
    return key(name).value(v);
  }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  JsonWriter& integer(std::int64_t number);
  JsonWriter& natural(std::uint64_t number);
  void separate();
  void break_line();

  std::string& out_;
  int indent_;
  bool after_key_ = false;
  std::vector<bool> has_items_;
};

}  // namespace dropscore
