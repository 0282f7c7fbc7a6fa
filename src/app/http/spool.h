// A queue of bytes in a temporary file that has no name: where a streamed answer goes while its client is still busy
// sending. Not thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/files.h"
#include "base/result.h"

namespace dropscore::http {

class Spool {
 public:
  /// `folder` empty: TMPDIR, or /tmp. Errors: `try_later`.
  static Result<Spool> open(const std::string& folder);

  /// Errors: `try_later`; what was appended before stays readable.
  Status append(std::string_view bytes);
  /// Takes from the front; 0 means that nothing is left.
  /// Errors: `try_later`.
  Result<std::size_t> take(std::span<char> out);

 private:
  explicit Spool(FileDescriptor file) : file_(std::move(file)) {}
  FileDescriptor file_;
  std::uint64_t written_ = 0;
  std::uint64_t taken_ = 0;
};

}  // namespace dropscore::http
