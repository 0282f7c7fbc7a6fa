#include "store/memory_store.h"

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace dropscore::store {
namespace {

struct Blob {
  std::shared_ptr<const std::string> bytes;
  BlobInfo info;
  Metadata metadata;
};

/// What the store and everything opened from it share, so that a source may outlive the store.
struct Shelf {
  std::mutex mutex;
  std::map<std::string, Blob, std::less<>> blobs;
  std::uint64_t versions = 0;
};

tl::unexpected<Error> no_such_blob() { return fail(ErrorKind::not_found, "there is no such blob"); }
tl::unexpected<Error> has_changed() { return fail(ErrorKind::changed, "the blob has changed"); }

/// Stops with `changed` as soon as the blob is replaced, as Azure does: jobs meet that case in their tests.
class MemorySource : public ByteSource {
 public:
  MemorySource(std::shared_ptr<Shelf> shelf, Blob blob, bool pinned, std::uint64_t offset)
      : shelf_(std::move(shelf)), blob_(std::move(blob)), pinned_(pinned), at_(offset) {}

  Result<std::size_t> read(std::span<char> out) override {
    if (pinned_) {
      const std::lock_guard lock(shelf_->mutex);
      const auto found = shelf_->blobs.find(blob_.info.name);
      if (found == shelf_->blobs.end() || found->second.info.etag != blob_.info.etag) return has_changed();
    }
    const std::uint64_t left = blob_.bytes->size() - std::min<std::uint64_t>(at_, blob_.bytes->size());
    const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(left, out.size()));
    std::copy_n(blob_.bytes->data() + blob_.bytes->size() - left, count, out.data());
    at_ += count;
    return count;
  }

 private:
  std::shared_ptr<Shelf> shelf_;
  Blob blob_;
  bool pinned_;
  std::uint64_t at_;
};

class MemoryWriter : public BlobWriter {
 public:
  MemoryWriter(std::shared_ptr<Shelf> shelf, std::string_view name, WriteCondition condition)
      : shelf_(std::move(shelf)), name_(name), condition_(std::move(condition)) {}

  Status write(std::string_view bytes) override {
    bytes_.append(bytes);
    return {};
  }

  Result<BlobInfo> commit(const Metadata& metadata) override {
    if (std::exchange(spent_, true)) return fail(ErrorKind::misuse, "the blob was committed already");
    DROPSCORE_CHECK(validate_metadata(metadata));
    const std::lock_guard lock(shelf_->mutex);
    if (!holds()) return has_changed();
    // A count, not a hash: writing the same bytes again makes a new version, as on Azure.
    BlobInfo info{name_, fmt::format("v{}", ++shelf_->versions), bytes_.size()};
    shelf_->blobs[name_] = Blob{std::make_shared<const std::string>(std::move(bytes_)), info, metadata};
    return info;
  }

 private:
  bool holds() const {
    const auto found = shelf_->blobs.find(name_);
    switch (condition_.kind) {
      case WriteCondition::Kind::always: return true;
      case WriteCondition::Kind::if_absent: return found == shelf_->blobs.end();
      case WriteCondition::Kind::if_match:
        return found != shelf_->blobs.end() && found->second.info.etag == condition_.etag;
    }
    return false;
  }

  std::shared_ptr<Shelf> shelf_;
  std::string name_;
  WriteCondition condition_;
  std::string bytes_;
  bool spent_ = false;
};

class MemoryStore : public BlobStore {
 public:
  explicit MemoryStore(std::string container) : container_(std::move(container)) {}

  std::string container() const override { return container_; }

  Status list(const std::function<bool(const BlobInfo&)>& visit) override {
    // A copy, because `visit` may use the store.
    std::vector<BlobInfo> infos;
    {
      const std::lock_guard lock(shelf_->mutex);
      for (const auto& [name, blob] : shelf_->blobs) infos.push_back(blob.info);
    }
    for (const BlobInfo& info : infos) {
      if (!visit(info)) break;
    }
    return {};
  }

  Result<BlobProperties> properties(std::string_view name) override {
    DROPSCORE_TRY(const Blob blob, find(name));
    return BlobProperties{blob.info, blob.metadata};
  }

  Result<std::unique_ptr<ByteSource>> open(std::string_view name, const std::optional<std::string>& if_match,
                                           std::uint64_t offset) override {
    DROPSCORE_TRY(Blob blob, find(name));
    if (if_match && *if_match != blob.info.etag) return has_changed();
    return std::make_unique<MemorySource>(shelf_, std::move(blob), if_match.has_value(), offset);
  }

  Result<std::unique_ptr<BlobWriter>> create(std::string_view name, const WriteCondition& condition) override {
    DROPSCORE_CHECK(validate_name(name));
    return std::make_unique<MemoryWriter>(shelf_, name, condition);
  }

  Status remove(std::string_view name, const std::optional<std::string>& if_match) override {
    DROPSCORE_CHECK(validate_name(name));
    const std::lock_guard lock(shelf_->mutex);
    const auto found = shelf_->blobs.find(name);
    if (found == shelf_->blobs.end()) return no_such_blob();
    if (if_match && *if_match != found->second.info.etag) return has_changed();
    shelf_->blobs.erase(found);
    return {};
  }

 private:
  Result<Blob> find(std::string_view name) {
    DROPSCORE_CHECK(validate_name(name));
    const std::lock_guard lock(shelf_->mutex);
    const auto found = shelf_->blobs.find(name);
    if (found == shelf_->blobs.end()) return no_such_blob();
    return found->second;
  }

  std::string container_;
  std::shared_ptr<Shelf> shelf_ = std::make_shared<Shelf>();
};

}  // namespace

std::unique_ptr<BlobStore> make_memory_store(std::string container) {
  return std::make_unique<MemoryStore>(std::move(container));
}

}  // namespace dropscore::store
