#include "store/azure_writer.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/hash.h"
#include "store/azure_blocks.h"

namespace dropscore::store {
namespace {

constexpr std::size_t small_buffer_bytes = 64 * limits::kib;

class AzureWriter : public BlobWriter {
 public:
  AzureWriter(std::shared_ptr<AzureContainer> container, std::string_view name, WriteCondition condition)
      : container_(std::move(container)),
        name_(name),
        path_(container_->path_of(name)),
        condition_(std::move(condition)),
        blocks_(container_, path_) {}

  Status write(std::string_view bytes) override {
    if (!so_far_) return so_far_;
    if (spent_) return fail(ErrorKind::misuse, "the blob was committed already");
    md5_.update(bytes);
    size_bytes_ += bytes.size();
    while (!bytes.empty()) {
      // Sent only once there is more to come: a blob of just one block is one Put Blob.
      if (buffer_.size() == block_bytes() && !(so_far_ = blocks_.send(buffer_))) return so_far_;
      const std::size_t count = std::min(bytes.size(), block_bytes() - buffer_.size());
      make_room(count);
      buffer_.append(bytes.substr(0, count));
      bytes.remove_prefix(count);
    }
    return {};
  }

  Result<BlobInfo> commit(const Metadata& metadata) override {
    if (std::exchange(spent_, true)) return fail(ErrorKind::misuse, "the blob was committed already");
    DROPSCORE_TRY(std::vector<net::Header> headers, metadata_headers(metadata));
    DROPSCORE_CHECK(so_far_);
    if (condition_.kind == WriteCondition::Kind::if_match && !is_etag(condition_.etag)) return has_changed();
    if (in_blocks()) {
      DROPSCORE_CHECK(blocks_.send(buffer_));
      DROPSCORE_CHECK(blocks_.finish());
    }
    add_common_headers(headers);
    DROPSCORE_TRY(const azure::StorageReply reply,
                  in_blocks() ? put_block_list(std::move(headers)) : put_blob(std::move(headers)));
    if (!reply.ok()) return settle_refusal(reply, metadata);
    const std::string etag = azure::unquoted_etag(reply.header("ETag").value_or(""));
    if (etag.empty()) return strange_answer(operation(), path_, "no ETag");
    return BlobInfo{name_, etag, size_bytes_};
  }

 private:
  std::size_t block_bytes() const { return blocks_.next_bytes(); }
  bool in_blocks() const { return blocks_.count() > 0; }
  std::string_view operation() const { return in_blocks() ? "Put Block List" : "Put Blob"; }

  /// At most two allocations, so that a small result takes little and a large one no more than its blocks.
  void make_room(std::size_t count) {
    const std::size_t wanted = buffer_.size() + count;
    if (wanted <= buffer_.capacity()) return;
    const bool small = !in_blocks() && wanted <= small_buffer_bytes;
    buffer_.reserve(small ? std::min(small_buffer_bytes, block_bytes()) : block_bytes());
  }

  void add_common_headers(std::vector<net::Header>& headers) const {
    headers.push_back({"x-ms-blob-content-type", std::string(content_type_of(name_))});
    headers.push_back({"x-ms-blob-content-md5", md5_.base64()});
    switch (condition_.kind) {
      case WriteCondition::Kind::always: break;
      case WriteCondition::Kind::if_absent: headers.push_back({"If-None-Match", "*"}); break;
      case WriteCondition::Kind::if_match: headers.push_back({"If-Match", azure::quoted_etag(condition_.etag)}); break;
    }
  }

  Result<azure::StorageReply> put_blob(std::vector<net::Header> headers) {
    headers.push_back({"x-ms-blob-type", "BlockBlob"});
    azure::StorageRequest request;
    request.method = "PUT";
    request.path = path_;
    request.headers = std::move(headers);
    request.body = buffer_;
    return container_->client.call(request);
  }

  Result<azure::StorageReply> put_block_list(std::vector<net::Header> headers) {
    std::string().swap(buffer_);  // the list may be as large as a block
    const std::string list = blocks_.list();
    headers.push_back({"Content-Type", "application/xml"});
    azure::StorageRequest request;
    request.method = "PUT";
    request.path = path_;
    request.query = {{"comp", "blocklist"}};
    request.headers = std::move(headers);
    request.body = list;
    return container_->client.call(request);
  }

  /// A refused condition may be that of a second try, while the first one took effect and only its answer was lost:
  /// then what was to be published is there.
  Result<BlobInfo> settle_refusal(const azure::StorageReply& reply, const Metadata& metadata) {
    const bool conditional = condition_.kind != WriteCondition::Kind::always;
    // Whoever publishes under the name throws away the uncommitted blocks of everybody else.
    const bool lost_race = is_failed_condition(reply) || (conditional && reply.error_code == "InvalidBlockList") ||
                           (condition_.kind == WriteCondition::Kind::if_match && reply.error_code == "BlobNotFound");
    Error error = blob_error(operation(), path_, reply);
    if (!lost_race) {
      if (reply.error_code == "InvalidBlockList") error.kind = ErrorKind::try_later;
      return tl::unexpected<Error>(std::move(error));
    }
    error.kind = ErrorKind::changed;
    error.customer.text = "the blob has changed";
    if (reply.tries == 1) return tl::unexpected<Error>(std::move(error));
    Result<BlobHead> found = head_blob(*container_, name_);
    if (!found && found.error().kind != ErrorKind::not_found) return pass_on(std::move(found));
    const bool ours = found && found->content_md5 == md5_.base64() && found->properties.metadata == metadata &&
                      found->properties.info.size_bytes == size_bytes_;
    if (!ours) return tl::unexpected<Error>(std::move(error));
    return std::move(found->properties.info);
  }

  std::shared_ptr<AzureContainer> container_;
  std::string name_;
  std::string path_;
  WriteCondition condition_;
  std::string buffer_;
  BlockUploads blocks_;
  std::uint64_t size_bytes_ = 0;
  Md5 md5_;
  Status so_far_;
  bool spent_ = false;
};

}  // namespace

std::unique_ptr<BlobWriter> make_azure_writer(std::shared_ptr<AzureContainer> container, std::string_view name,
                                              const WriteCondition& condition) {
  return std::make_unique<AzureWriter>(std::move(container), name, condition);
}

}  // namespace dropscore::store
