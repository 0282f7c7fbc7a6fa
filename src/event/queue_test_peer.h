// A storage queue service inside a test: the operations of AzureQueue over real HTTP, its faults as the test says.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <pugixml.hpp>

#include "azure/account.h"
#include "base/base64.h"
#include "net/http_client.h"
#include "net/http_date.h"
#include "net/test_server.h"

namespace dropscore::event::testing {

class QueuePeer {
 public:
  using Clock = std::chrono::steady_clock;
  /// An answer instead of the queue's own; empty: its own.
  using Fault = std::function<std::optional<std::string>(const net::TestRequest&)>;

  QueuePeer() : server_(net::answering([this](const net::TestRequest& request) { return answer(request); })) {}

  azure::Account account() const {
    azure::Account account;
    account.name = "acct";
    account.blob_endpoint = server_.url("/acct");
    account.queue_endpoint = server_.url("/acct");
    account.credential = azure::shared_key("acct", base64_encoded("a key of the test")).value();
    return account;
  }

  void make(const std::string& queue) {
    const std::lock_guard lock(mutex_);
    queues_[queue];
  }
  void put(const std::string& queue, const std::string& text) {
    const std::lock_guard lock(mutex_);
    queues_[queue].push_back({fmt::format("id-{}", ++ids_), text, "", Clock::now(), 0});
  }
  void set_fault(Fault fault) {
    const std::lock_guard lock(mutex_);
    fault_ = std::move(fault);
  }
  /// Somebody else takes every message that this process has in hand.
  void steal(const std::string& queue) {
    const std::lock_guard lock(mutex_);
    for (Message& message : queues_[queue]) message.receipt = "of somebody else";
  }

  std::vector<std::string> texts(const std::string& queue) const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> all;
    const auto at = queues_.find(queue);
    if (at == queues_.end()) return all;
    for (const Message& message : at->second) all.push_back(message.text);
    return all;
  }
  std::size_t length(const std::string& queue) const { return texts(queue).size(); }
  std::size_t visible(const std::string& queue) const {
    const std::lock_guard lock(mutex_);
    const auto now = Clock::now();
    const auto& all = queues_.at(queue);
    return static_cast<std::size_t>(
        std::ranges::count_if(all, [now](const Message& message) { return message.visible_at <= now; }));
  }
  std::vector<net::TestRequest> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

  static std::string refuse(int status, const std::string& code) {
    return net::test_answer(status, "<Error><Code>" + code + "</Code></Error>", {{"x-ms-error-code", code}});
  }

 private:
  struct Message {
    std::string id;
    std::string text;
    std::string receipt;
    Clock::time_point visible_at;
    int count = 0;
  };
  using Queue = std::list<Message>;
  using Parameters = std::map<std::string, std::string>;

  std::string answer(const net::TestRequest& request) {
    Fault fault;
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
      fault = fault_;
    }
    if (fault) {
      if (auto instead = fault(request)) return *instead;
    }
    return answer_properly(request);
  }

 public:
  std::string answer_properly(const net::TestRequest& request) {
    const std::lock_guard lock(mutex_);
    const std::size_t mark = std::min(request.target.find('?'), request.target.size());
    std::string path = request.target.substr(std::string("/acct/").size(), mark - std::string("/acct/").size());
    Parameters parameters;
    for (std::string rest = request.target.substr(std::min(mark + 1, request.target.size())); !rest.empty();) {
      const std::string one = rest.substr(0, rest.find('&'));
      rest.erase(0, one.size() + 1);
      parameters[one.substr(0, one.find('='))] = net::percent_decoded(one.substr(one.find('=') + 1)).value();
    }
    const std::string queue = path.substr(0, path.find('/'));
    path.erase(0, queue.size());
    if (path.empty() && request.method == "PUT") return net::test_answer(queues_.try_emplace(queue).second ? 201 : 204);
    const auto at = queues_.find(queue);
    if (at == queues_.end()) return refuse(404, "QueueNotFound");
    if (path.empty()) {
      return net::test_answer(200, "", {{"x-ms-approximate-messages-count", std::to_string(at->second.size())}});
    }
    if (path == "/messages") return request.method == "GET" ? take(at->second, parameters) : add(at->second, request);
    return change(at->second, request.method, path.substr(std::string("/messages/").size()), parameters);
  }

 private:
  std::string take(Queue& queue, Parameters& parameters) {
    const auto now = Clock::now();
    std::size_t most = std::stoul(parameters["numofmessages"]);
    std::string xml = "\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"utf-8\"?><QueueMessagesList>";
    for (Message& message : queue) {
      if (most == 0) break;
      if (message.visible_at > now) continue;
      --most;
      if (parameters["peekonly"] == "true") {
        const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - message.visible_at);
        xml += fmt::format("<QueueMessage><MessageId>{}</MessageId><InsertionTime>{}</InsertionTime></QueueMessage>",
                           message.id, net::http_date(std::chrono::system_clock::now() - age));
        continue;
      }
      hide(message, parameters);
      ++message.count;
      xml += fmt::format(
          "<QueueMessage><MessageId>{}</MessageId><PopReceipt>{}</PopReceipt><DequeueCount>{}</DequeueCount>"
          "<MessageText>{}</MessageText></QueueMessage>",
          message.id, message.receipt, message.count, message.text);
    }
    return net::test_answer(200, xml + "</QueueMessagesList>");
  }

  std::string add(Queue& queue, const net::TestRequest& request) {
    pugi::xml_document body;
    body.load_string(request.body.c_str());
    const std::string text = body.child("QueueMessage").child_value("MessageText");
    queue.push_back({fmt::format("id-{}", ++ids_), text, "", Clock::now(), 0});
    return net::test_answer(201);
  }

  std::string change(Queue& queue, const std::string& method, const std::string& id, Parameters& parameters) {
    const auto at = std::ranges::find(queue, id, &Message::id);
    if (at == queue.end()) return refuse(404, "MessageNotFound");
    if (at->receipt != parameters["popreceipt"]) return refuse(400, "PopReceiptMismatch");
    if (method == "DELETE") {
      queue.erase(at);
      return net::test_answer(204);
    }
    hide(*at, parameters);
    return net::test_answer(204, "", {{"x-ms-popreceipt", at->receipt}});
  }

  void hide(Message& message, Parameters& parameters) {
    message.receipt = fmt::format("a+b/{}==", ++ids_);
    message.visible_at = Clock::now() + std::chrono::seconds(std::stol(parameters["visibilitytimeout"]));
  }

  mutable std::mutex mutex_;
  std::map<std::string, Queue> queues_;
  std::vector<net::TestRequest> requests_;
  Fault fault_;
  int ids_ = 0;
  net::TestServer server_;  // last: its threads use the rest
};

}  // namespace dropscore::event::testing
