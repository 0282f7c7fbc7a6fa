#include "event/dead_letters.h"

#include <fmt/format.h>

#include "base/base64.h"
#include "base/json_writer.h"

namespace dropscore::event {
namespace {

void add_text(JsonWriter& json, std::string_view name, const std::optional<std::string_view>& text) {
  json.key(name);
  if (text) {
    json.value(*text);
  } else {
    json.null();
  }
}

}  // namespace

Result<std::string> dead_letter_queue(std::string_view name) {
  std::string poison = fmt::format("{}-poison", name);
  DROPSCORE_CHECK(validate_queue_name(poison));
  return poison;
}

std::string dead_letter_json(const DeadLetter& letter) {
  const std::optional<std::string> decoded = base64_decoded(letter.message);
  std::string_view message = decoded ? *decoded : letter.message;
  for (;;) {
    std::string out;
    JsonWriter json(out);
    json.begin_object().member("reason", letter.reason);
    add_text(json, "blob", letter.blob);
    add_text(json, "etag", letter.etag);
    json.member("attempts", letter.attempts).member("message", message).end_object();
    if (out.size() <= AzureQueue::max_payload_bytes || message.empty()) return out;
    message = message.substr(0, message.size() / 2);
  }
}

Status DeadLetters::put(const DeadLetter& letter) {
  const std::string json = dead_letter_json(letter);
  Status put = queue_.put(json);
  if (put || put.error().kind != ErrorKind::not_found) return put;
  DROPSCORE_CHECK(queue_.make());
  return queue_.put(json);
}

}  // namespace dropscore::event
