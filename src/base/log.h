// Structured logs, as text or as JSON lines, on standard error unless told otherwise. Fields hold counts, names and
// ids: never a customer's data, never a credential. Thread-safe once set up.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "base/result.h"

namespace dropscore::log {

enum class Level { debug, info, warning, error, off };
enum class Format { text, json };

/// "debug", "info", "warning", "error", "off".
Result<Level> parse_level(std::string_view text);
/// "text", "json".
Result<Format> parse_format(std::string_view text);

/// Call once, before threads start. Until then warnings and errors go out as text. `service` is in every JSON line,
/// unless it is empty.
void set_up(Level level, Format format, std::string_view service = {});

/// From now on only errors go to standard error, all else to standard output: for a supervisor that takes whatever is
/// on standard error for an error, as the host of Azure Functions does. As set_up(): once, before threads start.
void keep_standard_error_for_errors();

struct Field {
  std::string_view name;
  std::variant<std::string_view, std::int64_t, double, bool> value;

  Field(std::string_view n, std::string_view v) : name(n), value(v) {}
  Field(std::string_view n, const std::string& v) : name(n), value(std::string_view(v)) {}
  Field(std::string_view n, const char* v) : name(n), value(std::string_view(v)) {}
  Field(std::string_view n, double v) : name(n), value(v) {}
  Field(std::string_view n, bool v) : name(n), value(v) {}
  template <class T>
  requires std::is_integral_v<T> Field(std::string_view n, T v) : name(n), value(static_cast<std::int64_t>(v)) {}
};

using Fields = std::initializer_list<Field>;

/// Names a piece of work within a trace, as W3C Trace Context does; all zeros: none.
struct TraceIds {
  std::array<std::uint8_t, 16> trace_id{};
  std::array<std::uint8_t, 8> span_id{};
};

/// Lines that this thread writes from now on end with these ids, `trace_id` and `span_id`; null: with none. Returns
/// what was there before. `ids` must live until it is exchanged again. telemetry/trace.h has the scope to use it by.
const TraceIds* exchange_trace(const TraceIds* ids);

/// `event` is a short constant ("scored", "listening"): what a log query filters by.
void debug(std::string_view event, Fields fields = {});
void info(std::string_view event, Fields fields = {});
void warning(std::string_view event, Fields fields = {});
void error(std::string_view event, Fields fields = {});

/// Events of level info that come too often for a write each: kept as lines, with the time at which they came, and
/// written together. Not thread-safe. Destroying it writes what is left.
class Gathered {
 public:
  Gathered() = default;
  ~Gathered() { write(); }
  Gathered(const Gathered&) = delete;
  Gathered& operator=(const Gathered&) = delete;

  void info(std::string_view event, Fields fields = {});
  void write();
  std::size_t bytes() const { return lines_.size(); }

 private:
  std::string lines_;
};

}  // namespace dropscore::log
