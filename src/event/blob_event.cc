#include "event/blob_event.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "base/base64.h"
#include "base/json_writer.h"
#include "base/utf8.h"
#include "event/blob_url.h"
#include "event/event_time.h"

namespace dropscore::event {
namespace {

constexpr std::size_t max_depth = 32;

constexpr std::string_view created_type = "Microsoft.Storage.BlobCreated";
constexpr std::string_view validation_type = "Microsoft.EventGrid.SubscriptionValidationEvent";

// "/blobServices/default/containers/CONTAINER/blobs/BLOB", some without the first '/'.
constexpr std::string_view subject_before_container = "blobServices/default/containers/";
constexpr std::string_view subject_before_blob = "/blobs/";
constexpr std::string_view source_before_account = "/storageAccounts/";

/// Of data.api: after these the content is complete. CreateFile comes before the first byte.
constexpr std::array<std::string_view, 5> complete_apis = {"PutBlob", "PutBlockList", "CopyBlob", "FlushWithClose",
                                                           "SftpCommit"};

tl::unexpected<Error> no_event() { return fail(ErrorKind::reject, "the text is no event of Event Grid"); }

/// An element, or the error that says why there is none: everything below takes both.
using Json = simdjson::simdjson_result<simdjson::dom::element>;

/// A member that is a text; empty where it is something else or not there.
std::string_view text_of(const Json& object, std::string_view member) {
  std::string_view text;
  return object.at_key(member).get(text) == simdjson::SUCCESS ? text : std::string_view();
}

/// Event Grid's pages show ETags in both ways.
std::string_view without_quotes(std::string_view etag) {
  const bool quoted = etag.size() >= 2 && etag.starts_with('"') && etag.ends_with('"');
  return quoted ? etag.substr(1, etag.size() - 2) : etag;
}

/// The subject is not percent-encoded.
std::optional<BlobName> name_of_subject(std::string_view subject, std::string_view source) {
  if (subject.starts_with('/')) subject.remove_prefix(1);
  if (!subject.starts_with(subject_before_container)) return std::nullopt;
  subject.remove_prefix(subject_before_container.size());
  const std::size_t at = subject.find(subject_before_blob);
  if (at == std::string_view::npos || at == 0) return std::nullopt;
  BlobName name;
  name.container = subject.substr(0, at);
  name.blob = subject.substr(at + subject_before_blob.size());
  if (name.blob.empty()) return std::nullopt;
  const std::size_t account = source.rfind(source_before_account);
  if (account != std::string_view::npos) name.account = source.substr(account + source_before_account.size());
  return name;
}

Result<BlobEvent> read_created(const Json& object, std::string_view source, BlobEvent event) {
  const Json data = object.at_key("data");
  std::optional<BlobName> name = parse_blob_url(text_of(data, "url"));
  if (!name) name = name_of_subject(text_of(object, "subject"), source);
  if (!name) return no_event();
  event.account = std::move(name->account);
  event.container = std::move(name->container);
  event.blob = std::move(name->blob);
  event.etag = without_quotes(text_of(data, "eTag"));
  const std::string_view api = text_of(data, "api");
  const bool complete = api.empty() || std::ranges::find(complete_apis, api) != complete_apis.end();
  event.kind = complete ? BlobEvent::Kind::created : BlobEvent::Kind::other;
  return event;
}

/// Either schema: they differ in what they call type and source.
Result<BlobEvent> read_event(const Json& object) {
  const bool cloud = !text_of(object, "specversion").empty();
  const std::string_view type = text_of(object, cloud ? "type" : "eventType");
  if (type.empty()) return no_event();
  BlobEvent event;
  event.id = text_of(object, "id");
  event.time = parse_event_time(text_of(object, cloud ? "time" : "eventTime"));
  // Event Grid's own schema has no place for a trace.
  if (cloud) event.trace = telemetry::trace_context(text_of(object, "traceparent"), text_of(object, "tracestate"));
  if (type == created_type) return read_created(object, text_of(object, cloud ? "source" : "topic"), std::move(event));
  if (type == validation_type) {
    event.kind = BlobEvent::Kind::validation;
    event.validation_code = text_of(object.at_key("data"), "validationCode");
    if (event.validation_code.empty()) return no_event();
  }
  return event;
}

}  // namespace

Result<std::vector<BlobEvent>> parse_events(std::string_view json) {
  if (json.starts_with(utf8_bom)) json.remove_prefix(utf8_bom.size());
  if (json.size() > max_event_bytes) return fail(ErrorKind::too_large, "the events are over 1 MiB");
  simdjson::dom::parser parser;
  if (parser.allocate(std::max<std::size_t>(json.size(), 1), max_depth) != simdjson::SUCCESS) {
    return fail(ErrorKind::try_later, "no memory for reading an event");
  }
  const Json root = parser.parse(json.data(), json.size());
  std::vector<BlobEvent> events;
  simdjson::dom::array list;
  if (root.get(list) != simdjson::SUCCESS) {
    DROPSCORE_TRY(BlobEvent event, read_event(root));
    events.push_back(std::move(event));
    return events;
  }
  for (const simdjson::dom::element item : list) {
    DROPSCORE_TRY(BlobEvent event, read_event(Json(simdjson::dom::element(item))));
    events.push_back(std::move(event));
  }
  if (events.empty()) return no_event();
  return events;
}

Result<std::vector<BlobEvent>> parse_message(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  text = text.substr(0, text.find_last_not_of(blanks) + 1);
  // No JSON of an event is base64: it begins with a bracket, or with a byte order mark.
  const std::optional<std::string> decoded = base64_decoded(text);
  return parse_events(decoded ? *decoded : text);
}

bool is_arrival(const BlobEvent& event, std::string_view account, std::string_view container) {
  if (event.kind != BlobEvent::Kind::created || event.container != container) return false;
  return account.empty() || event.account.empty() || event.account == account;
}

std::string event_json(const NewEvent& event) {
  // No URL: the account's may be of a domain of its own, from which account and container cannot be told.
  std::string out;
  JsonWriter json(out);
  json.begin_object().member("specversion", "1.0").member("type", created_type).member("id", event.id);
  json.member("source", fmt::format("{}{}", source_before_account, event.account)).member("time", event.time);
  json.member("subject",
              fmt::format("/{}{}{}{}", subject_before_container, event.container, subject_before_blob, event.blob));
  if (event.trace.has_span()) json.member("traceparent", telemetry::traceparent(event.trace));
  if (event.trace.has_span() && !event.trace.state.empty()) json.member("tracestate", event.trace.state);
  json.key("data").begin_object().member("eTag", event.etag).end_object().end_object();
  return out;
}

}  // namespace dropscore::event
