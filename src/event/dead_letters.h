// The queue beside a queue, NAME-poison, where an operator finds the messages that came to nothing.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "event/azure_queue.h"

namespace dropscore::event {

struct DeadLetter {
  std::string_view reason;
  std::optional<std::string_view> blob;  ///< empty where the message names none
  std::optional<std::string_view> etag;
  std::int64_t attempts = 0;
  std::string_view message;  ///< the text as the queue held it
};

/// Thread-safe.
class DeadLetters {
 public:
  explicit DeadLetters(AzureQueue queue) : queue_(std::move(queue)) {}

  /// Makes the queue where it is missing. Errors: `try_later`, `misuse` (the queue cannot be made), `give_up`.
  Status put(const DeadLetter& letter);

 private:
  AzureQueue queue_;
};

/// "NAME-poison". Errors: `misuse` where that is no queue's name.
Result<std::string> dead_letter_queue(std::string_view name);

/// {"reason", "blob", "etag", "attempts", "message"}, small enough for a queue's message: a long text is cut. Base64
/// is undone first, so that an operator can read it.
std::string dead_letter_json(const DeadLetter& letter);

}  // namespace dropscore::event
