#include "store/azure_source.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "telemetry/metrics.h"

namespace dropscore::store {
namespace {

constexpr std::string_view operation = "Get Blob";

struct ContentRange {
  std::uint64_t first = 0;
  std::uint64_t total = 0;
};

/// "bytes 5-9/10" (RFC 9110, 14.4).
std::optional<ContentRange> parse_content_range(std::string_view text) {
  constexpr std::string_view unit = "bytes ";
  const std::size_t dash = text.find('-');
  const std::size_t slash = text.find('/');
  if (!text.starts_with(unit) || dash == std::string_view::npos || slash == std::string_view::npos || dash > slash) {
    return std::nullopt;
  }
  const auto first = parse_count(text.substr(unit.size(), dash - unit.size()));
  const auto total = parse_count(text.substr(slash + 1));
  if (!first || !total) return std::nullopt;
  return ContentRange{*first, *total};
}

class AzureSource : public ByteSource {
 public:
  AzureSource(std::shared_ptr<AzureContainer> container, std::string_view name,
              const std::optional<std::string>& if_match, std::uint64_t offset)
      : container_(std::move(container)), name_(name), path_(container_->path_of(name)), etag_(if_match), at_(offset) {}

  /// Asks for everything from at_ on.
  Status request() {
    // No service takes a larger one, and no blob is as long.
    if (at_ > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return past_the_end();
    azure::StorageRequest request;
    request.method = "GET";
    request.path = path_;
    if (at_ > 0) request.headers.push_back({"x-ms-range", fmt::format("bytes={}-", at_)});
    if (etag_) request.headers.push_back({"If-Match", azure::quoted_etag(*etag_)});
    azure::StorageReply refusal;
    DROPSCORE_TRY(exchange_, container_->client.open(request, refusal));
    if (!exchange_ && refusal.status == 416) return past_the_end();
    if (!exchange_) {
      return tl::unexpected<Error>(missing_or_changed(*container_, name_, blob_error(operation, path_, refusal)));
    }
    Status checked = check_answer();
    if (!checked) exchange_.reset();
    if (checked && at_ == end_) hear_the_end();
    return checked;
  }

  Result<std::size_t> read(std::span<char> out) override {
    while (at_ < end_) {
      if (!exchange_) DROPSCORE_CHECK(request());
      Result<std::size_t> got = exchange_->read(out.first(std::min<std::uint64_t>(end_ - at_, out.size())));
      if (got && *got > 0) {
        advance(*got);
        return got;
      }
      if (!got && got.error().kind != ErrorKind::try_later) return got;
      exchange_.reset();
      if (!may_resume()) return got ? strange_answer(operation, path_, "the body ends short") : std::move(got);
    }
    return std::size_t{0};
  }

 private:
  /// Is this the version and the place that was asked for?
  Status check_answer() {
    const std::string etag = azure::unquoted_etag(exchange_->header("ETag").value_or(""));
    if (etag.empty()) return strange_answer(operation, path_, "no ETag");
    if (etag_ && *etag_ != etag) return has_changed();
    std::optional<std::uint64_t> size;
    if (exchange_->status() == 206) {
      const auto range = parse_content_range(exchange_->header("Content-Range").value_or(""));
      if (range && range->first == at_) size = range->total;
    } else if (at_ == 0) {
      size = parse_count(exchange_->header("Content-Length").value_or(""));
    }
    if (!size || *size < at_) return strange_answer(operation, path_, "not the range that was asked for");
    if (opened_ && *size != end_) return has_changed();
    etag_ = etag;
    end_ = *size;
    opened_ = true;
    return {};
  }

  /// Reads as empty, which an empty blob does too; but only of the version that was asked for.
  Status past_the_end() {
    if (opened_) return has_changed();
    const Result<BlobHead> found = head_blob(*container_, name_, etag_);
    if (!found) return tl::unexpected<Error>(missing_or_changed(*container_, name_, found.error()));
    end_ = at_;
    return {};
  }

  void advance(std::size_t bytes) {
    at_ += bytes;
    losses_.reset();
    if (at_ == end_) hear_the_end();
  }

  /// After which the connection can be used again.
  void hear_the_end() {
    std::array<char, 1> none{};
    [[maybe_unused]] const Result<std::size_t> ended = exchange_->read(none);
    exchange_.reset();
  }

  bool may_resume() {
    if (!losses_) losses_.emplace(container_->options.retry, Deadline::never());
    const bool resumes = losses_->wait(std::nullopt);
    telemetry::add(resumes ? telemetry::Metric::retries : telemetry::Metric::retries_exhausted, 1,
                   {"blob", "GET rest"});
    return resumes;
  }

  std::shared_ptr<AzureContainer> container_;
  std::string name_;
  std::string path_;
  std::optional<std::string> etag_;  ///< asked for, then opened
  std::uint64_t at_;
  std::uint64_t end_ = 0;  ///< of the blob
  bool opened_ = false;
  std::unique_ptr<net::Exchange> exchange_;
  std::optional<net::Retry> losses_;  ///< since a byte came
};

}  // namespace

Result<std::unique_ptr<ByteSource>> open_azure_source(std::shared_ptr<AzureContainer> container, std::string_view name,
                                                      const std::optional<std::string>& if_match,
                                                      std::uint64_t offset) {
  if (if_match && !is_etag(*if_match)) return has_changed();
  auto source = std::make_unique<AzureSource>(std::move(container), name, if_match, offset);
  DROPSCORE_CHECK(source->request());
  return source;
}

}  // namespace dropscore::store
