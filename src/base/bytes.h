// Where bytes come from: what a store hands out and a job feeds to a reader.
#pragma once

#include <cstddef>
#include <span>

#include "base/result.h"

namespace dropscore {

/// A one-way stream of bytes. Owned by whoever opened it; used by one thread at a time.
class ByteSource {
 public:
  ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  virtual ~ByteSource() = default;

  /// Fills the front of `out` and returns how many bytes; 0 means the end. May return fewer than asked.
  /// REQUIRES: !out.empty().
  /// Errors: `try_later` (I/O), `changed` (the blob is no longer the one that was opened), `not_found`.
  virtual Result<std::size_t> read(std::span<char> out) = 0;
};

}  // namespace dropscore
