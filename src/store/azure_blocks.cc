#include "store/azure_blocks.h"

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/hash.h"
#include "telemetry/heartbeat.h"
#include "telemetry/trace.h"

namespace dropscore::store {
namespace {

constexpr std::size_t blocks_of_a_size = 5'000;

Status put_block(AzureContainer& container, const std::string& path, const std::string& id, std::string_view bytes) {
  azure::StorageRequest request;
  request.method = "PUT";
  request.path = path;
  request.query = {{"comp", "block"}, {"blockid", id}};
  request.body = bytes;
  DROPSCORE_TRY(const azure::StorageReply reply, container.client.call(request));
  if (!reply.ok()) return tl::unexpected<Error>(blob_error("Put Block", path, reply));
  return {};
}

template <class T>
bool is_ready(const std::future<T>& future) {
  return future.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

}  // namespace

std::size_t block_bytes_at(std::size_t first_bytes, std::size_t index) {
  return std::min(first_bytes << (index / blocks_of_a_size), max_block_bytes);
}

std::string block_id(std::string_view writer, std::size_t index) { return fmt::format("{}{:032}", writer, index); }

BlockUploads::BlockUploads(std::shared_ptr<AzureContainer> container, std::string path)
    : container_(std::move(container)), path_(std::move(path)), writer_(random_id()) {}

std::size_t BlockUploads::most_on_the_way() const {
  const AzureStoreOptions& options = container_->options;
  return std::max<std::size_t>(options.parallel_blocks * options.block_bytes / next_bytes(), 1);
}

Status BlockUploads::send(std::string& block) {
  if (count_ == max_blocks) {
    return fail(ErrorKind::too_large, fmt::format("the blob is of more than {} blocks", max_blocks));
  }
  const std::size_t most = most_on_the_way();
  while (on_the_way_.size() >= most || (!on_the_way_.empty() && is_ready(on_the_way_.front()))) {
    DROPSCORE_CHECK(land_first());
  }
  // By a shared pointer, for the bytes must still be here where no thread can be had.
  auto bytes = std::make_shared<std::string>(std::move(block));
  const auto upload = [container = container_, path = path_, id = block_id(writer_, count_), bytes,
                       trace = telemetry::current_trace(), pulse = telemetry::pulse_of_thread()]() -> Landed {
    const telemetry::InSpan in(trace);
    const telemetry::BeatsFor waiting(pulse);  // for whoever waits for the block
    Status status = put_block(*container, path, id, *bytes);
    bytes->clear();
    return {std::move(status), std::move(*bytes)};
  };
  ++count_;
  block.clear();
  if (!rooms_.empty()) {
    block = std::move(rooms_.back());
    rooms_.pop_back();
  }
  try {
    on_the_way_.push_back(std::async(std::launch::async, upload));
  } catch (const std::system_error&) {
    return upload().status;
  }
  return {};
}

Status BlockUploads::land_first() {
  Landed landed = on_the_way_.front().get();
  on_the_way_.pop_front();
  rooms_.push_back(std::move(landed.room));
  return std::move(landed.status);
}

Status BlockUploads::finish() {
  while (!on_the_way_.empty()) DROPSCORE_CHECK(land_first());
  return {};
}

std::string BlockUploads::list() const {
  std::string list = R"(<?xml version="1.0" encoding="utf-8"?><BlockList>)";
  // "Latest" and not "Uncommitted": a second try finds blocks that the first one has committed.
  for (std::size_t i = 0; i < count_; ++i) list += fmt::format("<Latest>{}</Latest>", block_id(writer_, i));
  return list += "</BlockList>";
}

}  // namespace dropscore::store
