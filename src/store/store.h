// A container of blobs: list, read, write whole, each conditional on an ETag. One contract for the local folder, the
// in-memory store of the tests and Azure Blob Storage; tests/contract/store_contract.h is its suite.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace dropscore::store {

/// Names are relative, '/'-separated, UTF-8 without NUL, at most limits::max_blob_name_bytes, with no empty, "." or
/// ".." part. Errors: `reject`. Every method below that takes a name gives the same error for a bad one.
Status validate_name(std::string_view name);

/// Small texts kept with a blob and published with it.
using Metadata = std::map<std::string, std::string>;

inline constexpr std::size_t max_metadata_bytes = 8192;  ///< keys and values together: Azure's own limit

/// Keys: lower-case letters, digits, '_', no digit first (what Azure accepts). Values: one line of UTF-8.
/// Errors: `misuse`.
Status validate_metadata(const Metadata& metadata);

struct BlobInfo {
  std::string name;
  std::string etag;  ///< opaque; changes whenever the content does. Local: a hash of the content
  std::uint64_t size_bytes = 0;
};

struct BlobProperties {
  BlobInfo info;
  Metadata metadata;
};

/// When a write may take effect.
struct WriteCondition {
  enum class Kind : std::uint8_t { always, if_absent, if_match };
  Kind kind = Kind::always;
  std::string etag;  ///< for if_match
  static WriteCondition always() { return {}; }
  static WriteCondition if_absent() { return {Kind::if_absent, {}}; }
  static WriteCondition if_match(std::string e) { return {Kind::if_match, std::move(e)}; }
};

/// A blob being written. Nothing is to be seen of it before commit(); destroyed without commit it leaves no trace.
/// Used by one thread at a time.
class BlobWriter {
 public:
  BlobWriter() = default;
  BlobWriter(const BlobWriter&) = delete;
  BlobWriter& operator=(const BlobWriter&) = delete;
  virtual ~BlobWriter() = default;

  virtual Status write(std::string_view bytes) = 0;
  /// Publishes content and metadata; durable when it returns. The blob's new state.
  /// Errors: `changed` where the condition does not hold (somebody else published; if_match and the blob is gone),
  /// `misuse` (metadata that validate_metadata refuses), `try_later`. Whatever the outcome, the writer is spent.
  virtual Result<BlobInfo> commit(const Metadata& metadata) = 0;
};

/// Thread-safe: every method may be called from any thread.
class BlobStore {
 public:
  BlobStore() = default;
  BlobStore(const BlobStore&) = delete;
  BlobStore& operator=(const BlobStore&) = delete;
  virtual ~BlobStore() = default;

  /// The container's name, the first part of a document's `blob_name`: a folder's last component, or Azure's container.
  virtual std::string container() const = 0;

  /// Calls `visit` for every blob, in no stated order, until it returns false. Blobs that come or go meanwhile may be
  /// seen or not. A store's own bookkeeping (".dropscore/") is never listed. `visit` may use the store. Errors:
  /// `try_later`.
  virtual Status list(const std::function<bool(const BlobInfo&)>& visit) = 0;

  /// As list(), with each blob's metadata. Here: list() and properties(); a store that can do it in one, does.
  virtual Status list_with_metadata(const std::function<bool(const BlobProperties&)>& visit);

  /// Errors: `not_found`, `try_later`.
  virtual Result<BlobProperties> properties(std::string_view name) = 0;

  /// Opens a blob's content for reading from `offset` to the end. With `if_match`, reading fails with `changed` once
  /// the blob is not (or no longer) that version: bytes of two versions are never mixed unnoticed by a caller who reads
  /// to the end. A store may also hand out the opened version to its end after the blob was replaced. An `offset` past
  /// the end reads as empty. The source may outlive the store. Errors: `not_found`, `changed`, `try_later`.
  virtual Result<std::unique_ptr<ByteSource>> open(std::string_view name, const std::optional<std::string>& if_match,
                                                   std::uint64_t offset = 0) = 0;

  /// A condition is looked at by commit(), not here. The writer must not outlive the store.
  /// Errors: `reject` (a name that this store cannot hold), `try_later`.
  virtual Result<std::unique_ptr<BlobWriter>> create(std::string_view name, const WriteCondition& condition) = 0;

  /// Errors: `not_found`, `changed`, `try_later`.
  virtual Status remove(std::string_view name, const std::optional<std::string>& if_match) = 0;
};

/// Reads a whole blob. Errors: `too_large` over `max_bytes`, and those of open() and read().
Result<std::string> read_all(BlobStore& store, std::string_view name, std::size_t max_bytes);

/// Writes a whole blob.
Result<BlobInfo> write_all(BlobStore& store, std::string_view name, std::string_view bytes,
                           const WriteCondition& condition, const Metadata& metadata);

}  // namespace dropscore::store
