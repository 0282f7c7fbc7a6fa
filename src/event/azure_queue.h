// One queue of Azure Queue Storage: the few operations that an inbox needs.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "azure/account.h"
#include "azure/storage_client.h"
#include "base/limits.h"
#include "base/result.h"
#include "net/retry.h"

namespace dropscore::event {

struct QueueMessage {
  std::string id;
  std::string receipt;  ///< changes with each extend(); only the latest counts
  std::string text;     ///< as stored: usually base64
  std::int64_t dequeue_count = 0;
};

/// 3 to 63 lower-case letters, digits and single hyphens between them. Errors: `misuse`.
Status validate_queue_name(std::string_view name);

/// Thread-safe. Errors, where nothing else is said: `try_later`; `not_found` where the queue, or a message under its
/// receipt, is not there (any more): somebody else has it, or it is done; `misuse`, `give_up` where the service refuses
/// a request as such. A request that was sent again since its answer was lost may have taken effect twice: two messages
/// put, or an extend() that says `not_found` although the message stays hidden.
class AzureQueue {
 public:
  static constexpr std::size_t max_payload_bytes = 48 * limits::kib;  ///< base64 of it fills a message's 64 KiB

  /// REQUIRES: account.queue_endpoint is not empty, retry.validate() is ok, validate_queue_name(name) is ok.
  AzureQueue(const azure::Account& account, std::string name, std::shared_ptr<net::HttpClient> client,
             const net::RetryPolicy& retry = {});

  const std::string& name() const { return name_; }
  /// Makes it where it is missing. Errors: `misuse` where the service refuses and there is none.
  Status make();
  /// Messages, those being worked on too; approximate.
  Result<std::uint64_t> length();
  /// When the first of the messages that nobody has in hand was put; empty where there is none.
  Result<std::optional<std::chrono::system_clock::time_point>> oldest();
  /// At most `most` (1 to 32), hidden from others for `visibility` (1 s to 7 days).
  Result<std::vector<QueueMessage>> take(int most, std::chrono::seconds visibility);
  /// Keeps it hidden for `visibility` from now (0: give it back at once); the new receipt.
  Result<std::string> extend(const std::string& id, const std::string& receipt, std::chrono::seconds visibility);
  Status remove(const std::string& id, const std::string& receipt);
  /// Puts base64 of `payload`, which never ends by itself. Errors: `too_large` over 48 KiB.
  Status put(std::string_view payload);

 private:
  std::string message_path(const std::string& id) const;

  azure::StorageClient client_;
  std::string name_;
  std::string queue_path_;
  std::string messages_path_;
};

}  // namespace dropscore::event
