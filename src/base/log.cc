#include "base/log.h"

#include <chrono>
#include <cstdio>
#include <ctime>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "base/json_writer.h"

namespace dropscore::log {
namespace {

struct Logger {
  std::shared_ptr<spdlog::logger> sink;
  std::shared_ptr<spdlog::logger> sink_of_errors;
  Format format = Format::text;
  std::string service;       ///< as it stands in a JSON line, with its name and a comma; or nothing
  std::FILE* file = stderr;  ///< what `sink` writes to, and locks
};

thread_local const TraceIds* present_trace = nullptr;

template <class Sink>
std::shared_ptr<spdlog::logger> make_sink() {
  auto made = std::make_shared<spdlog::logger>("dropscore", std::make_shared<Sink>());
  made->flush_on(spdlog::level::debug);
  return made;
}

void configure(spdlog::logger& sink, spdlog::level::level_enum level, Format format) {
  sink.set_level(level);
  sink.set_pattern(
      format == Format::text ? "%Y-%m-%dT%H:%M:%S.%eZ %l %v" : R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v)",
      spdlog::pattern_time_type::utc);
}

Logger& logger() {
  static Logger instance = [] {
    Logger made;
    made.sink = made.sink_of_errors = make_sink<spdlog::sinks::stderr_sink_mt>();
    configure(*made.sink, spdlog::level::warn, Format::text);
    return made;
  }();
  return instance;
}

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug: return spdlog::level::debug;
    case Level::info: return spdlog::level::info;
    case Level::warning: return spdlog::level::warn;
    case Level::error: return spdlog::level::err;
    case Level::off: return spdlog::level::off;
  }
  return spdlog::level::info;
}

void append_text(std::string& out, const Field& field) {
  out.push_back(' ');
  out.append(field.name);
  out.push_back('=');
  std::visit(
      [&out](const auto& value) {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::string_view>) {
          const bool plain = !value.empty() && value.find_first_of(" \"=\n\r\t") == std::string_view::npos;
          if (plain) {
            out.append(value);
          } else {
            append_json_string(out, value);
          }
        } else if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::int64_t>) {
          const fmt::format_int digits(value);
          out.append(digits.data(), digits.size());
        } else {
          fmt::format_to(std::back_inserter(out), "{}", value);
        }
      },
      field.value);
}

void append_json(JsonWriter& json, const Field& field) {
  json.key(field.name);
  std::visit([&json](const auto& value) { json.value(value); }, field.value);
}

template <std::size_t bytes>
struct Hex {
  explicit Hex(const std::array<std::uint8_t, bytes>& id) {
    constexpr std::string_view digits = "0123456789abcdef";
    for (std::size_t i = 0; i < bytes; ++i) {
      text[2 * i] = digits[id[i] >> 4U];
      text[2 * i + 1] = digits[id[i] & 15U];
    }
  }
  operator std::string_view() const { return {text.data(), text.size()}; }  // NOLINT(google-explicit-constructor)
  std::array<char, 2 * bytes> text{};
};

/// Calls `append` with each id that the thread's lines have now.
template <class Append>
void for_each_id(Append append) {
  const TraceIds* const ids = present_trace;
  if (ids == nullptr || ids->trace_id == decltype(ids->trace_id){}) return;
  append(Field("trace_id", Hex(ids->trace_id)));
  if (ids->span_id != decltype(ids->span_id){}) append(Field("span_id", Hex(ids->span_id)));
}

/// `event` and its fields, without time and level. As JSON it is an object without its opening bracket.
void append_event(std::string& out, const Logger& to, std::string_view event, Fields fields) {
  if (to.format == Format::text) {
    out.append(event);
    for (const Field& field : fields) append_text(out, field);
    for_each_id([&out](const Field& field) { append_text(out, field); });
    return;
  }
  out.append(to.service);
  const std::size_t begin = out.size();
  JsonWriter json(out);
  json.begin_object();
  json.key("event").value(event);
  for (const Field& field : fields) append_json(json, field);
  for_each_id([&json](const Field& field) { append_json(json, field); });
  json.end_object();
  out.erase(begin, 1);
}

void write(spdlog::level::level_enum level, std::string_view event, Fields fields) {
  Logger& to = logger();
  spdlog::logger& sink = level >= spdlog::level::err ? *to.sink_of_errors : *to.sink;
  if (!sink.should_log(level)) return;
  std::string line;
  append_event(line, to, event, fields);
  sink.log(level, "{}", line);
}

/// As spdlog's pattern writes it.
void append_time(std::string& out) {
  thread_local std::time_t second = 0;
  thread_local std::string text;
  using std::chrono::milliseconds;
  const auto now = std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch());
  if (const std::time_t current = now.count() / 1000; current != second) {
    second = current;
    std::tm parts{};
    gmtime_r(&second, &parts);
    text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                       parts.tm_hour, parts.tm_min, parts.tm_sec);
  }
  out.append(text);
  const auto fraction = static_cast<unsigned>(now.count() % 1000);
  for (const unsigned digit : {fraction / 100, fraction / 10 % 10, fraction % 10}) {
    out.push_back(static_cast<char>('0' + digit));
  }
  out.push_back('Z');
}

}  // namespace

Result<Level> parse_level(std::string_view text) {
  if (text == "debug") return Level::debug;
  if (text == "info") return Level::info;
  if (text == "warning") return Level::warning;
  if (text == "error") return Level::error;
  if (text == "off") return Level::off;
  return fail(ErrorKind::misuse, fmt::format("log level \"{}\" is none of debug, info, warning, error, off", text));
}

Result<Format> parse_format(std::string_view text) {
  if (text == "text") return Format::text;
  if (text == "json") return Format::json;
  return fail(ErrorKind::misuse, fmt::format("log format \"{}\" is neither text nor json", text));
}

void set_up(Level level, Format format, std::string_view service) {
  Logger& to = logger();
  to.format = format;
  to.service.clear();
  if (!service.empty()) {
    to.service = R"("service":)";
    append_json_string(to.service, service);
    to.service.push_back(',');
  }
  configure(*to.sink, to_spdlog(level), format);
}

void keep_standard_error_for_errors() {
  Logger& to = logger();
  const spdlog::level::level_enum level = to.sink->level();
  to.sink = make_sink<spdlog::sinks::stdout_sink_mt>();
  to.file = stdout;
  configure(*to.sink, level, to.format);
}

const TraceIds* exchange_trace(const TraceIds* ids) { return std::exchange(present_trace, ids); }

void debug(std::string_view event, Fields fields) { write(spdlog::level::debug, event, fields); }
void info(std::string_view event, Fields fields) { write(spdlog::level::info, event, fields); }
void warning(std::string_view event, Fields fields) { write(spdlog::level::warn, event, fields); }
void error(std::string_view event, Fields fields) { write(spdlog::level::err, event, fields); }

void Gathered::info(std::string_view event, Fields fields) {
  const Logger& to = logger();
  if (!to.sink->should_log(spdlog::level::info)) return;
  lines_.append(to.format == Format::text ? "" : R"({"time":")");
  append_time(lines_);
  lines_.append(to.format == Format::text ? " info " : R"(","level":"info",)");
  append_event(lines_, to, event, fields);
  lines_.push_back('\n');
}

void Gathered::write() {
  if (lines_.empty()) return;
  std::FILE* const file = logger().file;
  std::fwrite(lines_.data(), 1, lines_.size(), file);
  std::fflush(file);
  lines_.clear();
}

}  // namespace dropscore::log
