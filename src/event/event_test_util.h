// Events as Event Grid sends them, for tests.
#pragma once

#include <string>
#include <string_view>

#include "base/json_writer.h"
#include "net/http_client.h"

namespace dropscore::event::testing {

inline std::string url_of(std::string_view container, std::string_view blob,
                          std::string_view endpoint = "https://acct.blob.core.windows.net") {
  return std::string(endpoint) + "/" + std::string(container) + "/" + net::percent_encoded(blob, "/");
}

/// `data` of a BlobCreated event.
inline std::string created_data(std::string_view url, std::string_view api = "PutBlockList",
                                std::string_view etag = "0x8D4BCC2E4835CD0") {
  std::string out;
  JsonWriter json(out);
  json.begin_object().member("api", api).member("requestId", "831e1650-001e-001b-66ab-eeb76e000000");
  json.member("eTag", etag).member("contentType", "text/csv").member("contentLength", 524288);
  json.member("blobType", "BlockBlob").member("url", url).member("sequencer", "00000000000004420000000000028963");
  json.key("storageDiagnostics").begin_object().member("batchId", "b68529f3").end_object().end_object();
  return out;
}

/// One event in Event Grid's own schema.
inline std::string grid_event(std::string_view data, std::string_view subject = "",
                              std::string_view type = "Microsoft.Storage.BlobCreated") {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.member("topic", "/subscriptions/s/resourceGroups/r/providers/Microsoft.Storage/storageAccounts/acct");
  json.member("subject", subject).member("eventType", type).member("eventTime", "2026-06-26T18:41:00.9584103Z");
  json.member("id", "831e1650").key("data").raw(data).member("dataVersion", "").member("metadataVersion", "1");
  json.end_object();
  return out;
}

/// One CloudEvent; `more` goes among its attributes, with a comma behind it.
inline std::string cloud_event(std::string_view data, std::string_view subject = "",
                               std::string_view type = "Microsoft.Storage.BlobCreated", std::string_view more = "") {
  std::string out;
  JsonWriter json(out);
  json.begin_object().member("specversion", "1.0").member("type", type);
  json.member("source", "/subscriptions/s/resourceGroups/r/providers/Microsoft.Storage/storageAccounts/acct");
  json.member("id", "9aeb0fdf").member("time", "2026-11-18T15:13:39.4589254Z").member("subject", subject);
  json.key("data").raw(data).end_object();
  return out.insert(1, more);
}

inline constexpr std::string_view a_traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
inline const std::string traced = "\"traceparent\":\"" + std::string(a_traceparent) + R"(","tracestate":"a=1, b=2",)";

}  // namespace dropscore::event::testing
