#include "event/azure_queue.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>
#include <pugixml.hpp>

#include "base/base64.h"
#include "net/http_date.h"

namespace dropscore::event {
namespace {

azure::StorageRequest request_of(std::string_view method, const std::string& path, azure::Query query = {}) {
  azure::StorageRequest request;
  request.method = method;
  request.path = path;
  request.query = std::move(query);
  return request;
}

/// What the service says where a message, or a receipt, is not the one that counts.
Error refusal(std::string_view operation, std::string_view path, const azure::StorageReply& reply) {
  Error error = azure::unexpected_reply(operation, path, reply);
  if (reply.error_code == "PopReceiptMismatch") error.kind = ErrorKind::not_found;
  if (reply.error_code == "QueueBeingDeleted") error.kind = ErrorKind::try_later;
  return error;
}

Result<std::vector<QueueMessage>> read_messages(const std::string& xml) {
  pugi::xml_document document;
  if (!document.load_buffer(xml.data(), xml.size())) {
    return fail(ErrorKind::try_later, "the queue's answer is no XML");
  }
  std::vector<QueueMessage> messages;
  for (const pugi::xml_node& node : document.child("QueueMessagesList").children("QueueMessage")) {
    QueueMessage message;
    message.id = node.child_value("MessageId");
    message.receipt = node.child_value("PopReceipt");
    message.text = node.child_value("MessageText");
    message.dequeue_count = node.child("DequeueCount").text().as_llong();
    if (message.id.empty() || message.receipt.empty()) {
      return fail(ErrorKind::try_later, "the queue's answer holds a message without id or receipt");
    }
    messages.push_back(std::move(message));
  }
  return messages;
}

}  // namespace

Status validate_queue_name(std::string_view name) {
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  const bool fits = name.size() >= 3 && name.size() <= 63 && plain(name.front()) && plain(name.back()) &&
                    name.find("--") == std::string_view::npos &&
                    std::ranges::all_of(name, [&](char c) { return plain(c) || c == '-'; });
  if (fits) return {};
  return fail(ErrorKind::misuse,
              "a queue's name is 3 to 63 lower-case letters, digits and single hyphens between them");
}

AzureQueue::AzureQueue(const azure::Account& account, std::string name, std::shared_ptr<net::HttpClient> client,
                       const net::RetryPolicy& retry)
    : client_(account.queue_endpoint, account.credential, std::move(client), retry, "queue"),
      name_(std::move(name)),
      queue_path_("/" + net::percent_encoded(name_)),
      messages_path_(queue_path_ + "/messages") {}

Status AzureQueue::make() {
  DROPSCORE_TRY(const azure::StorageReply reply, client_.call(request_of("PUT", queue_path_)));
  if (reply.ok() || reply.error_code == "QueueAlreadyExists") return {};
  if (reply.status == 403 && length()) return {};  // who may not make one may still use it
  Error error = refusal("create queue", queue_path_, reply);
  if (reply.error_code != "QueueBeingDeleted") error.kind = ErrorKind::misuse;
  return tl::unexpected(std::move(error));
}

Result<std::uint64_t> AzureQueue::length() {
  DROPSCORE_TRY(const azure::StorageReply reply, client_.call(request_of("GET", queue_path_, {{"comp", "metadata"}})));
  if (!reply.ok()) return tl::unexpected(refusal("get queue metadata", queue_path_, reply));
  const std::string_view text = reply.header("x-ms-approximate-messages-count").value_or("");
  std::uint64_t count = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (wrong != std::errc() || end != text.data() + text.size()) {
    return fail(ErrorKind::try_later, "the queue does not say how many messages it holds");
  }
  return count;
}

Result<std::optional<std::chrono::system_clock::time_point>> AzureQueue::oldest() {
  DROPSCORE_TRY(const azure::StorageReply reply,
                client_.call(request_of("GET", messages_path_, {{"numofmessages", "1"}, {"peekonly", "true"}})));
  if (!reply.ok()) return tl::unexpected(refusal("peek messages", messages_path_, reply));
  pugi::xml_document document;
  const bool read = document.load_buffer(reply.body.data(), reply.body.size());
  if (!read) return fail(ErrorKind::try_later, "the queue's answer is no XML");
  const pugi::xml_node message = document.child("QueueMessagesList").child("QueueMessage");
  if (!message) return std::nullopt;
  const auto put = net::parse_http_date(message.child_value("InsertionTime"), std::chrono::system_clock::now());
  if (!put) return fail(ErrorKind::try_later, "the queue does not say when a message was put");
  return put;
}

Result<std::vector<QueueMessage>> AzureQueue::take(int most, std::chrono::seconds visibility) {
  DROPSCORE_TRY(const azure::StorageReply reply,
                client_.call(request_of("GET", messages_path_,
                                        {{"numofmessages", fmt::format("{}", most)},
                                         {"visibilitytimeout", fmt::format("{}", visibility.count())}})));
  if (!reply.ok()) return tl::unexpected(refusal("get messages", messages_path_, reply));
  return read_messages(reply.body);
}

Result<std::string> AzureQueue::extend(const std::string& id, const std::string& receipt,
                                       std::chrono::seconds visibility) {
  const std::string path = message_path(id);
  DROPSCORE_TRY(
      const azure::StorageReply reply,
      client_.call(request_of(
          "PUT", path, {{"popreceipt", receipt}, {"visibilitytimeout", fmt::format("{}", visibility.count())}})));
  if (!reply.ok()) return tl::unexpected(refusal("update message", path, reply));
  const auto renewed = reply.header("x-ms-popreceipt");
  if (!renewed) return fail(ErrorKind::try_later, "the queue gave no receipt for an updated message");
  return std::string(*renewed);
}

Status AzureQueue::remove(const std::string& id, const std::string& receipt) {
  const std::string path = message_path(id);
  DROPSCORE_TRY(const azure::StorageReply reply, client_.call(request_of("DELETE", path, {{"popreceipt", receipt}})));
  if (reply.ok()) return {};
  // An earlier try removed it, and its answer was lost on the way.
  if (reply.tries > 1 && reply.error_code == "MessageNotFound") return {};
  return tl::unexpected(refusal("delete message", path, reply));
}

Status AzureQueue::put(std::string_view payload) {
  if (payload.size() > max_payload_bytes) return fail(ErrorKind::too_large, "a queue's message holds at most 48 KiB");
  const std::string body =
      fmt::format("<QueueMessage><MessageText>{}</MessageText></QueueMessage>", base64_encoded(payload));
  azure::StorageRequest request = request_of("POST", messages_path_, {{"messagettl", "-1"}});
  request.headers.push_back({"Content-Type", "application/xml"});
  request.body = body;
  DROPSCORE_TRY(const azure::StorageReply reply, client_.call(request));
  if (!reply.ok()) return tl::unexpected(refusal("put message", messages_path_, reply));
  return {};
}

std::string AzureQueue::message_path(const std::string& id) const {
  return messages_path_ + "/" + net::percent_encoded(id);
}

}  // namespace dropscore::event
