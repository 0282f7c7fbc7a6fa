// Walks a folder's blobs. Internal to the local store.
#pragma once

#include <filesystem>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "store/local_etags.h"
#include "store/store.h"

namespace dropscore::store {

/// Says once of each file why it is passed over, so that a sweep twice a second does not fill the log. Thread-safe.
class PassedOver {
 public:
  void tell(const std::string& name, std::string_view why);

 private:
  std::mutex mutex_;
  std::set<std::string> told_;
};

/// BlobStore::list() for the folder. A file whose ETag is remembered costs one look at its inode; another one is read
/// and hashed. Passed over: what is no blob by name or kind; a file that may not be read, or whose name is not UTF-8,
/// with a warning; a file that changes faster than it can be hashed, in silence: a later list will have it.
Status list_folder(const std::filesystem::path& root, EtagCache& etags, PassedOver& passed_over,
                   const std::function<bool(const BlobInfo&)>& visit);

}  // namespace dropscore::store
