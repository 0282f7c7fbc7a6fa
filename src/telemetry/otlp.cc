#include "telemetry/otlp.h"

#include <algorithm>
#include <bit>

#include "base/utf8.h"

namespace dropscore::telemetry {
namespace {

constexpr std::string_view scope_name = "dropscore";
/// The version of OpenTelemetry's semantic conventions whose names our attributes have.
constexpr std::string_view schema_url = "https://opentelemetry.io/schemas/1.27.0";

enum class Wire : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

// Numbers of the fields, as the .proto files of opentelemetry-proto give them.
namespace field {
namespace request {
constexpr unsigned resource_spans = 1;
}
namespace resource_spans {
constexpr unsigned resource = 1, scope_spans = 2, schema_url = 3;
}
namespace scope_spans {
constexpr unsigned scope = 1, spans = 2;
}
namespace resource {
constexpr unsigned attributes = 1;
}
namespace scope {
constexpr unsigned name = 1;
}
namespace span {
constexpr unsigned trace_id = 1, span_id = 2, trace_state = 3, parent_span_id = 4, name = 5, kind = 6, start = 7,
                   end = 8, attributes = 9, status = 15, flags = 16;
}
namespace status {
constexpr unsigned code = 3;
}
namespace key_value {
constexpr unsigned key = 1, value = 2;
}
namespace any_value {
constexpr unsigned text = 1, flag = 2, whole = 3, number = 4;
}
namespace response {
constexpr unsigned partial_success = 1;
}
namespace partial {
constexpr unsigned rejected_spans = 1, error_message = 2;
}
}  // namespace field

constexpr std::uint64_t status_error = 2;
constexpr std::uint64_t sampled_flag = 1;

/// Appends to a string that it does not own.
class Message {
 public:
  explicit Message(std::string& out) : out_(out) {}

  void varint(unsigned number, std::uint64_t value) {
    tag(number, Wire::varint);
    raw_varint(value);
  }
  void bytes(unsigned number, std::string_view value) {
    tag(number, Wire::bytes);
    raw_varint(value.size());
    out_.append(value);
  }
  /// A message refuses a text that is not UTF-8 as a whole.
  void text(unsigned number, std::string_view value) {
    bytes(number, is_utf8(value) ? value : std::string_view(excerpt(value, value.size())));
  }
  void fixed64(unsigned number, std::uint64_t value) {
    tag(number, Wire::fixed64);
    little_endian(value, 8);
  }
  void fixed32(unsigned number, std::uint64_t value) {
    tag(number, Wire::fixed32);
    little_endian(value, 4);
  }
  /// A message within the message: `write` is given it.
  template <class Write>
  void message(unsigned number, Write write) {
    std::string inner;
    write(Message(inner));
    bytes(number, inner);
  }

 private:
  void tag(unsigned number, Wire wire) { raw_varint((std::uint64_t{number} << 3U) | static_cast<unsigned>(wire)); }
  void raw_varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7U) out_.push_back(static_cast<char>(value | 0x80U));
    out_.push_back(static_cast<char>(value));
  }
  void little_endian(std::uint64_t value, int size) {
    for (int i = 0; i < size; ++i, value >>= 8U) out_.push_back(static_cast<char>(value));
  }

  std::string& out_;
};

void append(Message out, const std::string& text) { out.text(field::any_value::text, text); }
void append(Message out, bool flag) { out.varint(field::any_value::flag, flag ? 1 : 0); }
void append(Message out, std::int64_t whole) { out.varint(field::any_value::whole, static_cast<std::uint64_t>(whole)); }
void append(Message out, double number) { out.fixed64(field::any_value::number, std::bit_cast<std::uint64_t>(number)); }

template <class Value>
void append_attribute(Message& out, unsigned number, std::string_view key, const Value& value) {
  out.message(number, [&](Message pair) {
    pair.text(field::key_value::key, key);
    pair.message(field::key_value::value, [&](Message any) { append(any, value); });
  });
}

std::string_view view(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::uint64_t nanoseconds(WallClock::time_point time) {
  const auto since = std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch());
  return static_cast<std::uint64_t>(std::max<std::int64_t>(since.count(), 0));
}

void append_span(Message out, const FinishedSpan& span) {
  const TraceContext& context = span.identity.context;
  out.bytes(field::span::trace_id, view(context.trace_id));
  out.bytes(field::span::span_id, view(context.span_id));
  if (!context.state.empty()) out.text(field::span::trace_state, context.state);
  if (span.identity.parent != SpanId{}) out.bytes(field::span::parent_span_id, view(span.identity.parent));
  out.text(field::span::name, span.name);
  out.varint(field::span::kind, static_cast<std::uint64_t>(span.kind));
  out.fixed64(field::span::start, nanoseconds(span.start));
  out.fixed64(field::span::end, nanoseconds(std::max(span.start, span.end)));
  for (const Attribute& attribute : span.attributes) {
    std::visit([&](const auto& value) { append_attribute(out, field::span::attributes, attribute.name, value); },
               attribute.value);
  }
  if (span.failed) {
    out.message(field::span::status, [](Message status) { status.varint(field::status::code, status_error); });
  }
  out.fixed32(field::span::flags, context.sampled ? sampled_flag : 0);
}

/// Reads one field after the other; next() is false at the end, and where the rest is no message.
class Fields {
 public:
  explicit Fields(std::string_view in) : in_(in) {}

  bool next() {
    std::uint64_t tag = 0;
    if (in_.empty() || !varint(tag)) return false;
    number = tag >> 3U;
    bytes = {};
    switch (static_cast<Wire>(tag & 7U)) {
      case Wire::varint: return varint(value);
      case Wire::fixed64: return skip(8);
      case Wire::fixed32: return skip(4);
      case Wire::bytes: return varint(value) && skip(value);
    }
    return false;
  }

  std::uint64_t number = 0;
  std::uint64_t value = 0;  ///< of a varint
  std::string_view bytes;   ///< of what has a length

 private:
  bool varint(std::uint64_t& out) {
    out = 0;
    for (unsigned shift = 0; shift < 64 && !in_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(in_.front());
      in_.remove_prefix(1);
      out |= std::uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }
  bool skip(std::uint64_t count) {
    if (count > in_.size()) return false;
    bytes = in_.substr(0, count);
    in_.remove_prefix(count);
    return true;
  }

  std::string_view in_;
};

}  // namespace

std::string encoded_resource(const Texts& attributes) {
  std::string out;
  Message message(out);
  for (const auto& [name, value] : attributes) append_attribute(message, field::resource::attributes, name, value);
  return out;
}

std::string encoded_request(std::string_view resource, std::span<const FinishedSpan> spans) {
  std::string out;
  Message(out).message(field::request::resource_spans, [&](Message of_resource) {
    of_resource.bytes(field::resource_spans::resource, resource);
    of_resource.message(field::resource_spans::scope_spans, [&](Message of_scope) {
      of_scope.message(field::scope_spans::scope, [](Message scope) { scope.text(field::scope::name, scope_name); });
      for (const FinishedSpan& span : spans) {
        of_scope.message(field::scope_spans::spans, [&span](Message message) { append_span(message, span); });
      }
    });
    of_resource.text(field::resource_spans::schema_url, schema_url);
  });
  return out;
}

std::optional<PartialSuccess> partial_success(std::string_view response) {
  std::optional<PartialSuccess> found;
  Fields outer(response);
  while (outer.next()) {
    if (outer.number != field::response::partial_success) continue;
    found.emplace();
    Fields inner(outer.bytes);
    while (inner.next()) {
      if (inner.number == field::partial::rejected_spans) found->rejected = static_cast<std::int64_t>(inner.value);
      if (inner.number == field::partial::error_message) found->message = inner.bytes;
    }
  }
  const bool says_nothing = found && found->rejected == 0 && found->message.empty();
  return says_nothing ? std::nullopt : found;
}

}  // namespace dropscore::telemetry
