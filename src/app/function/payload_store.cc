#include "app/function/payload_store.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/hash.h"

namespace dropscore::function {
namespace {

/// What the host handed out is one version for good: sources share it.
using Content = std::shared_ptr<const std::string>;

class PayloadSource final : public ByteSource {
 public:
  PayloadSource(Content content, std::uint64_t offset)
      : content_(std::move(content)), at_(std::min<std::uint64_t>(offset, content_->size())) {}

  Result<std::size_t> read(std::span<char> out) override {
    const std::size_t count = content_->copy(out.data(), out.size(), at_);
    at_ += count;
    return count;
  }

 private:
  Content content_;
  std::size_t at_;
};

class RefusingSource final : public ByteSource {
 public:
  explicit RefusingSource(Error why) : why_(std::move(why)) {}
  Result<std::size_t> read(std::span<char> /*out*/) override { return tl::unexpected<Error>(why_); }

 private:
  Error why_;
};

class PayloadStore final : public store::BlobStore {
 public:
  PayloadStore(const event::BlobName& blob, std::string payload, std::optional<Error> why)
      : container_(blob.container),
        content_(std::make_shared<const std::string>(std::move(payload))),
        why_(std::move(why)),
        info_{blob.blob, why_ ? std::string() : content_hash_hex(*content_), content_->size()} {}

  std::string container() const override { return container_; }

  Status list(const std::function<bool(const store::BlobInfo&)>& visit) override {
    visit(info_);
    return {};
  }

  Result<store::BlobProperties> properties(std::string_view name) override {
    if (name != info_.name) return fail(ErrorKind::not_found, "there is no such blob");
    return store::BlobProperties{info_, {}};
  }

  Result<std::unique_ptr<ByteSource>> open(std::string_view name, const std::optional<std::string>& if_match,
                                           std::uint64_t offset) override {
    if (name != info_.name) return fail(ErrorKind::not_found, "there is no such blob");
    if (if_match && *if_match != info_.etag) return fail(ErrorKind::changed, "the blob has changed");
    if (why_) return std::make_unique<RefusingSource>(*why_);
    return std::make_unique<PayloadSource>(content_, offset);
  }

  Result<std::unique_ptr<store::BlobWriter>> create(std::string_view /*name*/,
                                                    const store::WriteCondition& /*condition*/) override {
    return fail(ErrorKind::misuse, "an invocation's payload cannot be written to");
  }

  Status remove(std::string_view /*name*/, const std::optional<std::string>& /*if_match*/) override {
    return fail(ErrorKind::misuse, "an invocation's payload cannot be removed");
  }

 private:
  std::string container_;
  Content content_;
  std::optional<Error> why_;
  store::BlobInfo info_;
};

}  // namespace

std::unique_ptr<store::BlobStore> payload_store(const event::BlobName& blob, std::string payload) {
  return std::make_unique<PayloadStore>(blob, std::move(payload), std::nullopt);
}

std::unique_ptr<store::BlobStore> unreadable_payload(const event::BlobName& blob, Error why) {
  return std::make_unique<PayloadStore>(blob, std::string(), std::move(why));
}

}  // namespace dropscore::function
