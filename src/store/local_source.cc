#include "store/local_source.h"

#include <algorithm>
#include <cerrno>
#include <limits>

#include <fcntl.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/limits.h"

namespace dropscore::store {
namespace {

class LocalSource : public ByteSource {
 public:
  LocalSource(OpenedFile opened, std::uint64_t at, std::filesystem::path path)
      : opened_(std::move(opened)), at_(at), path_(std::move(path)) {
    ::posix_fadvise(opened_.file.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  }

  Result<std::size_t> read(std::span<char> out) override {
    if (at_ > static_cast<std::uint64_t>(std::numeric_limits<off_t>::max())) return std::size_t{0};
    for (;;) {
      const ssize_t got = ::pread(opened_.file.get(), out.data(), out.size(), static_cast<off_t>(at_));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return io_error("read", path_, errno);
      at_ += static_cast<std::uint64_t>(got);
      return static_cast<std::size_t>(got);
    }
  }

 protected:
  OpenedFile opened_;
  std::uint64_t at_;
  std::filesystem::path path_;
};

/// Time stamps alone cannot pin a version: two writes may fall into one tick of the file system's clock, a mapped page
/// is stamped only once, and utimes() sets a stamp back. The hash notices all of these, at a tenth of a parser's cost.
class PinnedSource : public LocalSource {
 public:
  PinnedSource(OpenedFile opened, std::string etag, std::filesystem::path path)
      : LocalSource(std::move(opened), 0, std::move(path)), etag_(std::move(etag)) {}

  Result<std::size_t> read(std::span<char> out) override {
    DROPSCORE_TRY(const std::size_t got, LocalSource::read(out));
    hash_.update(std::string_view(out.data(), got));
    DROPSCORE_TRY(const FileIdentity now, identity_of(opened_.file.get(), path_));
    // The change time may move: it does when another file is renamed over this one, and this version stays readable.
    const bool same = now.size_bytes == opened_.identity.size_bytes && now.modified_ns == opened_.identity.modified_ns;
    if (!same || (got == 0 && hash_.hex() != etag_)) {
      return fail(ErrorKind::changed, CustomerText{"the file changed while it was read"},
                  OperatorText{path_.string() + " changed while it was read"});
    }
    return got;
  }

  /// Hashes what lies before `offset` without handing it out.
  Status skip(std::uint64_t offset) {
    std::string chunk(static_cast<std::size_t>(std::min<std::uint64_t>(offset, limits::read_chunk_bytes)), '\0');
    while (at_ < offset) {
      const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(offset - at_, chunk.size()));
      DROPSCORE_TRY(const std::size_t got, read(std::span(chunk).first(wanted)));
      if (got == 0) break;
    }
    return {};
  }

 private:
  std::string etag_;
  ContentHash hash_;
};

}  // namespace

Result<std::unique_ptr<ByteSource>> make_local_source(OpenedFile opened, const std::optional<std::string>& etag,
                                                      std::uint64_t offset, std::filesystem::path path_for_messages) {
  if (!etag) return std::make_unique<LocalSource>(std::move(opened), offset, std::move(path_for_messages));
  auto pinned = std::make_unique<PinnedSource>(std::move(opened), *etag, std::move(path_for_messages));
  DROPSCORE_CHECK(pinned->skip(offset));
  return pinned;
}

}  // namespace dropscore::store
