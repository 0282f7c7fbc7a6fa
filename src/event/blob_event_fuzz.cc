// libFuzzer's way into the reading of events: any bytes are read without fault, and an arrival that was read is read
// again from what we say of it. With clang:
//
//   cmake -S . -B build/fuzz -G Ninja -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_BUILD_TYPE=RelWithDebInfo
//         -DDROPSCORE_FUZZ=ON -DDROPSCORE_SANITIZE=address,undefined,fuzzer-no-link
//   cmake --build build/fuzz --target event_fuzz && build/fuzz/event_fuzz -max_len=4096 -max_total_time=60
#include <cstdlib>

#include "base/utf8.h"
#include "event/blob_event.h"
#include "event/webhook.h"

using dropscore::event::BlobEvent;

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto plain = dropscore::event::parse_events(text);
  const auto message = dropscore::event::parse_message(text);
  if (plain && (!message || message->size() != plain->size())) std::abort();
  const auto reply = dropscore::event::answer_webhook(
      {.method = "POST", .content_type = "application/json", .body = text}, {"acct", "in"});
  if ((reply.status == 200) != plain.has_value()) std::abort();
  for (const BlobEvent& event : message.value_or(std::vector<BlobEvent>())) {
    if (event.kind != BlobEvent::Kind::created || !dropscore::is_utf8(event.blob)) continue;
    const auto again = dropscore::event::parse_events(
        dropscore::event::event_json({"1", "2026-11-23T01:00:00Z", "acct", "in", event.blob, event.etag}));
    if (!again || again->front().blob != event.blob) std::abort();
  }
  return 0;
}
