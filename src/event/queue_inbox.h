// The trigger on Azure: a storage queue that Event Grid fills, shared by any number of workers, and a sweep for what no
// event told of. docs/formats/events.md.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "azure/account.h"
#include "event/inbox.h"
#include "event/store_sweep.h"
#include "net/http_client.h"
#include "net/retry.h"
#include "store/store.h"

namespace dropscore::event {

struct QueueInboxOptions {
  std::chrono::seconds visibility{60};            ///< a worker that dies gives its file back after this long at most
  std::chrono::milliseconds first_idle_wait{50};  ///< between two looks at an empty queue; doubled up to last_idle_wait
  std::chrono::milliseconds last_idle_wait{500};
  net::RetryPolicy retry;  ///< of what ends a delivery; looks and renewals have their own rhythm
  StoreSweepOptions sweep{std::chrono::seconds(10)};
  /// After this time without a result a blob's event counts as lost whatever the queue holds, and a message that the
  /// sweep put there for it as lost too.
  std::chrono::milliseconds sweep_patience{std::chrono::minutes(10)};
  Status validate() const;
};

/// Deliveries stay hidden from other workers as long as they are being worked on: a thread of the inbox renews them at
/// half of the visibility. `attempt` is the message's dequeue count. A second message for a blob that is being worked
/// on here is kept in hand until that work ends. Messages about other containers, and events of no interest, are
/// removed; what is no event at all goes to the dead-letter queue, NAME-poison, which is made when first needed.
///
/// take() gives no error: a queue that cannot be reached, or is not there (yet), is logged and looked at again.
/// acknowledge(), retry() and dead_letter() end a delivery whatever they return: with `try_later` the message comes
/// again once its visibility has run out. `not_found` also where the message was lost to somebody else meanwhile.
///
/// dead_letter() puts {"reason", "blob", "etag", "attempts", "message"} there and removes the message.
///
/// The sweep puts a message of its own into the queue for a blob without a result, when the queue held nothing at all
/// as it began and the blob was found so by the sweep before too, or when it was found so for sweep_patience: so that
/// workers share what was lost as they share the rest.
///
/// The destructor gives back what was never handed out; what was, and has not ended, comes to others when its
/// visibility has run out, unless abandon() gave it back. `input` must outlive the inbox. Errors: `misuse`.
Result<std::unique_ptr<Inbox>> open_queue_inbox(const azure::Account& account, const std::string& queue,
                                                const std::shared_ptr<net::HttpClient>& client, store::BlobStore& input,
                                                FindPending find_pending, const QueueInboxOptions& options = {});

}  // namespace dropscore::event
