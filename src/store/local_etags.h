// The ETags of a folder's files: a hash of each one's content, remembered for as long as the file's identity stays.
// Internal to the local store. Thread-safe.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "store/local_paths.h"

namespace dropscore::store {

class EtagCache {
 public:
  /// The ETag of the file with this identity, where it is remembered.
  std::optional<std::string> find(const FileIdentity& identity);

  /// The ETag of an open file: remembered, or hashed now, which reads it whole. `identity` becomes the one hashed.
  /// Errors: `try_later` (I/O, or the file kept changing under the reader).
  Result<std::string> of(int file, FileIdentity& identity, const std::filesystem::path& path_for_messages);

  /// A listing calls start_round() first and, having asked for every file, forget_before() with that number: what no
  /// longer exists is forgotten, so the cache never grows past the folder's files.
  std::uint64_t start_round();
  void forget_before(std::uint64_t round);

 private:
  struct Entry {
    FileIdentity identity;
    std::string etag;
    std::uint64_t round = 0;
  };
  struct Key {
    std::uint64_t device;
    std::uint64_t inode;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const { return key.inode * 0x9E3779B97F4A7C15U ^ key.device; }
  };

  std::mutex mutex_;
  std::unordered_map<Key, Entry, KeyHash> entries_;
  std::uint64_t round_ = 0;
};

}  // namespace dropscore::store
