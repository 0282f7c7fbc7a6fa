// "A blob was created", as Event Grid says it: its own schema or CloudEvents 1.0, one event or an array, from a
// webhook's body or a queue's message. docs/formats/events.md.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "telemetry/trace_context.h"

namespace dropscore::event {

struct BlobEvent {
  enum class Kind : std::uint8_t {
    created,     ///< a blob's content is complete
    validation,  ///< Event Grid asks whether this webhook wants its events; `validation_code` is the answer
    other,       ///< of no interest: deletions, metadata, directories, a file just begun
  };
  Kind kind = Kind::other;
  std::string id;
  std::string account;    ///< the URL's: its host's first part, or an emulator's first path part
  std::string container;  ///< decoded
  std::string blob;       ///< decoded
  std::string etag;       ///< without quotes; may be empty
  /// Of a CloudEvent that has the attributes of its distributed tracing extension; else no trace.
  telemetry::TraceContext trace;
  std::string validation_code;
  std::optional<std::chrono::system_clock::time_point> time;  ///< empty where the event has none that can be read
};

inline constexpr std::size_t max_event_bytes = limits::mib;  ///< of a webhook's body

/// The events of one JSON text, at least one. Errors: `reject` where it is no JSON, or one of them is no event at all;
/// `too_large` over max_event_bytes.
Result<std::vector<BlobEvent>> parse_events(std::string_view json);

/// The same of a queue message's text: base64 of a JSON text, or the JSON text itself.
Result<std::vector<BlobEvent>> parse_message(std::string_view text);

/// True where `event` tells of a complete blob in this container. An event that does not name its account is taken to
/// be of this one, and so is every event where `account` is empty.
bool is_arrival(const BlobEvent& event, std::string_view account, std::string_view container);

/// A CloudEvent that tells of a blob, as parse_events() reads it: what a sweep puts into a queue.
struct NewEvent {
  std::string_view id;
  std::string_view time;  ///< RFC 3339
  std::string_view account;
  std::string_view container;
  std::string_view blob;
  std::string_view etag;
  telemetry::TraceContext trace = {};  ///< written where it names a span
};
std::string event_json(const NewEvent& event);

}  // namespace dropscore::event
