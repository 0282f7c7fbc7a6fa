// The local trigger: inotify tells at once that a file was closed by its writer or renamed into place; a sweep, at
// start and at intervals, finds what an event missed (a full event queue, a network mount, a time when nothing ran).
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>

#include "event/inbox.h"
#include "store/store.h"

namespace dropscore::event {

struct LocalInboxOptions {
  bool use_inotify = true;                         ///< false: sweep only (--trigger sweep)
  std::chrono::milliseconds sweep_interval{2000};  ///< first pause between sweeps; grows to stay under 5 % of one core
  Status validate() const;
};

/// Asked by a sweep of every file that is not under way: is its result missing? Inotify's arrivals are delivered
/// without asking. Called on a thread of the inbox; a fault is logged and the file asked about again by the next sweep.
using IsPending = std::function<Result<bool>(const store::BlobInfo&)>;

/// Watches `folder`, which is what `input` holds, with its subfolders, those made later too. A file that a writer still
/// has open is never delivered by a sweep (a read lease tells; where the file system has none, a size and modification
/// time that stay the same for one second), nor by an event before the last writer has closed it. A version that was
/// acknowledged is not found by a sweep again, result or not. A folder that goes away is watched again when it is back.
/// The inbox has two threads of its own, for events and for sweeps, ended by its destructor, which waits for a file
/// that is being hashed. `input` must outlive it. Errors: `misuse`.
Result<std::unique_ptr<Inbox>> open_local_inbox(const std::filesystem::path& folder, store::BlobStore& input,
                                                IsPending is_pending, const LocalInboxOptions& options = {});

}  // namespace dropscore::event
