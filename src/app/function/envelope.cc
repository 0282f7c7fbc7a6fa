#include "app/function/envelope.h"

#include <simdjson.h>

#include "base/base64.h"
#include "base/json_writer.h"
#include "store/store.h"

namespace dropscore::function {
namespace {

using Json = simdjson::simdjson_result<simdjson::dom::element>;

tl::unexpected<Error> refuse(std::string why) { return fail(ErrorKind::reject, std::move(why)); }

/// The host writes a text as a JSON string that holds a JSON string: "\"a.csv\"". One that holds anything else is
/// taken as it stands. Empty where there is none.
std::string text_of(const Json& value) {
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) return {};
  simdjson::dom::parser parser;
  simdjson::dom::element inner;
  std::string_view inner_text;
  const bool is_json = parser.parse(text.data(), text.size()).get(inner) == simdjson::SUCCESS;
  return std::string(is_json && inner.get(inner_text) == simdjson::SUCCESS ? inner_text : text);
}

Result<event::BlobName> blob_of(const Json& metadata, const EnvelopeOptions& options) {
  event::BlobName blob;
  if (const std::string uri = text_of(metadata.at_key("Uri")); !uri.empty()) {
    const std::optional<event::BlobName> named = event::parse_blob_url(uri);
    if (!named) return refuse("the invocation's Metadata.Uri names no blob");
    blob = *named;
  } else {
    blob.container = options.input_container;
    blob.blob = text_of(metadata.at_key("name"));
  }
  if (blob.blob.empty()) return refuse("the invocation says neither Metadata.Uri nor Metadata.name");
  DROPSCORE_CHECK(store::validate_name(blob.blob));
  return blob;
}

}  // namespace

Result<Invocation> parse_invocation(std::string_view json, const EnvelopeOptions& options) {
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  if (parser.parse(json.data(), json.size()).get(document) != simdjson::SUCCESS || !document.is_object()) {
    return refuse("the invocation is no JSON object");
  }
  Invocation invocation;
  DROPSCORE_TRY(invocation.blob, blob_of(document["Metadata"], options));
  simdjson::dom::element entry;
  if (document["Data"].at_key(options.input_binding).get(entry) != simdjson::SUCCESS) return invocation;
  invocation.has_entry = true;
  if (entry.is_null() || !options.wants_payload) return invocation;
  std::string_view text;
  if (entry.get(text) != simdjson::SUCCESS) return refuse("the invocation's payload is no text");
  invocation.payload = base64_decoded(text);
  if (!invocation.payload) return refuse("the invocation's payload is no base64");
  return invocation;
}

std::string invocation_reply(std::string_view output_binding, const std::optional<std::string>& document,
                             std::span<const std::string> logs) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("Outputs").begin_object();
  // The host decodes what is base64 and writes the bytes; plain text that happens to be base64 would be decoded too.
  if (document) json.member(output_binding, base64_encoded(*document));
  json.end_object().key("Logs").begin_array();
  for (const std::string& line : logs) json.value(line);
  json.end_array().key("ReturnValue").null().end_object();
  return out;
}

}  // namespace dropscore::function
