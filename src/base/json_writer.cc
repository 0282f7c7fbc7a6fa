#include "base/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>

#include "base/shortest.h"
#include "base/utf8.h"

namespace dropscore {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

void append_escaped(std::string& out, char c) {
  switch (c) {
    case '"': out.append("\\\""); return;
    case '\\': out.append("\\\\"); return;
    case '\n': out.append("\\n"); return;
    case '\r': out.append("\\r"); return;
    case '\t': out.append("\\t"); return;
    default: break;
  }
  const auto byte = static_cast<unsigned char>(c);
  out.append("\\u00");
  out.push_back(hex_digits[byte >> 4U]);
  out.push_back(hex_digits[byte & 15U]);
}

template <class T>
void append_chars(std::string& out, T number) {
  std::array<char, 32> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr;
  out.append(buffer.data(), end);
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t start = at;
    while (at < text.size()) {
      const auto byte = static_cast<unsigned char>(text[at]);
      if (byte < 0x20 || byte == '"' || byte == '\\' || byte >= 0x80) break;
      ++at;
    }
    out.append(text.substr(start, at - start));
    if (at == text.size()) break;
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      append_escaped(out, text[at++]);
      continue;
    }
    const std::size_t length = utf8_sequence_bytes(text.substr(at));
    if (length == 0) {
      out.append(utf8_replacement);
      ++at;
    } else {
      out.append(text.substr(at, length));
      at += length;
    }
  }
  out.push_back('"');
}

char* put_json_number(char* out, double number) {
  const auto put = [out](std::string_view text) { return out + text.copy(out, text.size()); };
  if (!std::isfinite(number)) return put("null");
  // Parsers read digits alone as a 64-bit integer: they refuse larger ones and lose the sign of -0.
  if (std::abs(number) >= 0x1p63) {
    return std::to_chars(out, out + most_number_bytes, number, std::chars_format::scientific).ptr;
  }
  if (number == 0 && std::signbit(number)) return put("-0.0");
  return write_shortest(out, number);
}

void append_json_number(std::string& out, double number) {
  std::array<char, most_number_bytes> buffer;
  out.append(buffer.data(), put_json_number(buffer.data(), number));
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  append_json_string(out_, name);
  out_.append(indent_ > 0 ? ": " : ":");
  after_key_ = true;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  separate();
  append_json_string(out_, text);
  return *this;
}

JsonWriter& JsonWriter::value(double number) {
  separate();
  append_json_number(out_, number);
  return *this;
}

JsonWriter& JsonWriter::value(bool flag) { return raw(flag ? "true" : "false"); }
JsonWriter& JsonWriter::null() { return raw("null"); }

JsonWriter& JsonWriter::numbers(std::span<const double> values) {
  separate();
  out_.push_back('[');
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out_.append(indent_ > 0 ? ", " : ",");
    append_json_number(out_, values[i]);
  }
  out_.push_back(']');
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  out_.append(json);
  return *this;
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  out_.push_back(bracket);
  has_items_.push_back(false);
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  const bool had_items = has_items_.back();
  has_items_.pop_back();
  if (had_items) break_line();
  out_.push_back(bracket);
  return *this;
}

JsonWriter& JsonWriter::integer(std::int64_t number) {
  separate();
  append_chars(out_, number);
  return *this;
}

JsonWriter& JsonWriter::natural(std::uint64_t number) {
  separate();
  append_chars(out_, number);
  return *this;
}

void JsonWriter::separate() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (has_items_.empty()) return;
  if (has_items_.back()) out_.push_back(',');
  has_items_.back() = true;
  break_line();
}

void JsonWriter::break_line() {
  if (indent_ == 0) return;
  out_.push_back('\n');
  out_.append(has_items_.size() * static_cast<std::size_t>(indent_), ' ');
}

}  // namespace dropscore
