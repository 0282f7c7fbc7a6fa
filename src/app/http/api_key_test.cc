// Keys: how they are read, what a request must bring, and what it costs whoever brings none.
#include "app/http/api_key.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/http/test_client.h"
#include "base/files.h"

namespace dropscore::http {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const std::string first = "0123456789abcdef-first";
const std::string second = "0123456789abcdef-second";
const std::string record = R"({"Age":40,"Channel":"SEO"})";

TEST(ReadKeys, SeparatedByCommasOrLines) {
  const auto keys = read_keys(" " + first + " ,\r\n" + second + "\n\n", "here");
  ASSERT_TRUE(keys) << keys.error().detail.text;
  EXPECT_THAT(*keys, ElementsAre(first, second));
}

TEST(ReadKeys, RefusesWhatIsNoKeyAndNeverSaysIt) {
  const auto reason = [](const std::string& text) {
    const auto keys = read_keys(text, "here");
    return keys ? std::string("taken") : keys.error().detail.text;
  };
  EXPECT_THAT(reason(""), HasSubstr("here holds no key"));
  EXPECT_THAT(reason(" ,\n, "), HasSubstr("here holds no key"));
  EXPECT_THAT(reason(first + ",hunter2"), HasSubstr("key 2 of here has 7 characters, and must have 16 to 128"));
  EXPECT_THAT(reason(first + ",hunter2"), Not(HasSubstr("hunter2")));
  EXPECT_THAT(reason(std::string(max_key_bytes + 1, 'x')), HasSubstr("129 characters"));
  EXPECT_EQ(reason(std::string(max_key_bytes, 'x')), "taken");
  for (const char* hidden : {"topsecret topsecret", "topsecret-topsecr\xC3\xA9t", "topsecret-\x01topsecret"}) {
    EXPECT_THAT(reason(hidden), HasSubstr("which a header does not carry"));
    EXPECT_THAT(reason(hidden), Not(HasSubstr("topsecret")));
  }
  std::string many;
  for (std::size_t i = 0; i < max_keys; ++i) many += first + ",";
  EXPECT_EQ(reason(many), "taken");
  EXPECT_THAT(reason(many + first), HasSubstr("more than 16 keys"));
}

RequestHead with(std::string_view api_key, std::string_view authorization) {
  RequestHead head;
  head.api_key = api_key;
  head.authorization = authorization;
  return head;
}

TEST(KeyCheck, EitherHeaderWillDo) {
  using Verdict = KeyCheck::Verdict;
  KeyCheck check(std::make_shared<KeyRing>(std::vector<std::string>{first, second}));
  EXPECT_EQ(check.judge(with("", "")), Verdict::no_key);
  EXPECT_EQ(check.judge(with(first, "")), Verdict::admitted);
  EXPECT_EQ(check.judge(with(second, "")), Verdict::admitted);
  EXPECT_EQ(check.judge(with("", "Bearer " + first)), Verdict::admitted);
  EXPECT_EQ(check.judge(with("", "bearer  " + second)), Verdict::admitted);
  EXPECT_EQ(check.judge(with(first, "Basic dXNlcjpwYXNz")), Verdict::admitted);
  EXPECT_EQ(check.judge(with("wrong-wrong-wrong", "Bearer " + first)), Verdict::admitted);
  EXPECT_EQ(check.judge(with("", "Basic " + first)), Verdict::no_key);
  EXPECT_EQ(check.judge(with("", first)), Verdict::no_key);
  EXPECT_EQ(check.judge(with("", "Bearer ")), Verdict::no_key);
  for (const std::string& wrong : {first.substr(1), first.substr(0, first.size() - 1), first + "x",
                                   first + "," + second, std::string(10'000, 'x')}) {
    EXPECT_EQ(check.judge(with(wrong, "")), Verdict::wrong_key) << wrong.substr(0, 100);
    EXPECT_EQ(check.judge(with("", "Bearer " + wrong)), Verdict::wrong_key) << wrong.substr(0, 100);
  }
  EXPECT_EQ(KeyCheck(nullptr).judge(with("", "")), Verdict::admitted);
}

TEST(KeyCheck, FollowsItsRing) {
  const auto ring = std::make_shared<KeyRing>(std::vector<std::string>{first});
  KeyCheck check(ring);
  EXPECT_EQ(check.judge(with(first, "")), KeyCheck::Verdict::admitted);
  ring->replace({first, second});
  EXPECT_EQ(check.judge(with(first, "")), KeyCheck::Verdict::admitted);
  EXPECT_EQ(check.judge(with(second, "")), KeyCheck::Verdict::admitted);
  ring->replace({second});
  EXPECT_EQ(check.judge(with(first, "")), KeyCheck::Verdict::wrong_key);
  EXPECT_EQ(ring->size(), 1U);
}

Endpoint endpoint(std::string path, Access access) {
  Endpoint made;
  made.path = std::move(path);
  made.allow = "POST, OPTIONS";
  made.max_body_bytes = 1000;
  made.answer = [](const EndpointRequest& request) {
    EndpointReply reply;
    reply.body = request.body;
    return reply;
  };
  made.access = access;
  return made;
}

class KeyedServerTest : public testing::Test {
 protected:
  void SetUp() override {
    ServerOptions options;
    options.port = 0;
    options.keys = ring_;
    auto started = Server::start(tiny_scorer, options,
                                 {endpoint("/keyed", Access::key), endpoint("/greeting", Access::key_but_to_options),
                                  endpoint("/open", Access::open)});
    ASSERT_TRUE(started) << started.error().detail.text;
    server_ = std::move(*started);
  }
  Response ask(const std::string& request) const { return TestClient(server_->port()).ask(request); }
  int predict(const std::string& headers) const { return ask(post("application/json", record, headers)).status; }
  std::string call(const char* method, const char* path, const std::string& headers = "") const {
    return std::string(method) + " " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n" + headers + "\r\n";
  }

  std::shared_ptr<KeyRing> ring_ = std::make_shared<KeyRing>(std::vector<std::string>{first});
  std::unique_ptr<Server> server_;
};

TEST_F(KeyedServerTest, PredictWantsAKeyAndHealthNone) {
  EXPECT_EQ(ask("GET /health HTTP/1.1\r\nHost: a\r\n\r\n").status, 200);
  const Response without = ask(post("application/json", record));
  EXPECT_EQ(without.status, 401);
  EXPECT_TRUE(without.has("\r\nWWW-Authenticate: Bearer\r\n"));
  EXPECT_TRUE(without.has("\r\nContent-Type: application/problem+json\r\n"));
  EXPECT_THAT(without.body, HasSubstr("X-API-Key"));
  const Response wrong = ask(post("application/json", record, "X-API-Key: " + second + "\r\n"));
  EXPECT_EQ(wrong.status, 401);
  EXPECT_THAT(wrong.body, Not(HasSubstr(second)));
  EXPECT_EQ(predict("X-API-Key: " + first + "\r\n"), 200);
  EXPECT_EQ(predict("x-api-key:" + first + " \r\n"), 200);
  EXPECT_EQ(predict("Authorization: Bearer " + first + "\r\n"), 200);
}

// What the quick reader leaves to the other one is answered alike.
TEST_F(KeyedServerTest, UnusualRequestsToo) {
  const std::string slow = "X-Far: caf\xC3\xA9\r\n";
  EXPECT_EQ(predict(slow), 401);
  EXPECT_EQ(predict(slow + "X-API-Key: " + first + "\r\n"), 200);
  EXPECT_EQ(predict(slow + "Authorization: Bearer " + first + "\r\n"), 200);
  // Which of two would count is not for us to guess.
  EXPECT_EQ(predict("X-API-Key: " + first + "\r\nX-API-Key: " + second + "\r\n"), 401);
  EXPECT_EQ(ask(post("text/csv", "Age,Channel\n40,SEO\n")).status, 401);
  EXPECT_EQ(ask(post("text/csv", "Age,Channel\n40,SEO\n", "X-API-Key: " + first + "\r\n")).status, 200);
}

TEST_F(KeyedServerTest, EndpointsSayWhoMayAsk) {
  const std::string key = "X-API-Key: " + first + "\r\n";
  EXPECT_EQ(ask(call("POST", "/keyed")).status, 401);
  EXPECT_EQ(ask(call("OPTIONS", "/keyed")).status, 401);
  EXPECT_EQ(ask(call("POST", "/keyed", key)).status, 200);
  EXPECT_EQ(ask(call("POST", "/greeting")).status, 401);
  EXPECT_EQ(ask(call("OPTIONS", "/greeting")).status, 200);
  EXPECT_EQ(ask(call("POST", "/greeting", key)).status, 200);
  EXPECT_EQ(ask(call("POST", "/open")).status, 200);
  EXPECT_EQ(ask(call("GET", "/keyed")).status, 401);
  EXPECT_EQ(ask(call("GET", "/keyed", key)).status, 405);
}

TEST_F(KeyedServerTest, RefusesBeforeTheBodyComes) {
  for (const char* length : {"Content-Length: 10000000000\r\n", "Transfer-Encoding: chunked\r\n"}) {
    for (const char* expect : {"", "Expect: 100-continue\r\n"}) {
      TestClient client(server_->port());
      client.send(std::string("POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: text/csv\r\n") + length + expect +
                  "\r\n");
      const Response response = client.read();  // nothing of the body was sent, and 100 would be the first answer
      EXPECT_EQ(response.status, 401) << length << expect;
      EXPECT_TRUE(response.has("\r\nConnection: close\r\n")) << length << expect;
    }
  }
}

TEST_F(KeyedServerTest, KeysChangeUnderway) {
  TestClient client(server_->port());
  const std::string with_first = post("application/json", record, "X-API-Key: " + first + "\r\n");
  const std::string with_second = post("application/json", record, "X-API-Key: " + second + "\r\n");
  EXPECT_EQ(client.ask(with_first).status, 200);
  EXPECT_EQ(client.ask(with_second).status, 401);
  ring_->replace({first, second});
  EXPECT_EQ(client.ask(with_first).status, 200);
  EXPECT_EQ(client.ask(with_second).status, 200);
  ring_->replace({second});
  EXPECT_EQ(client.ask(with_first).status, 401);
  EXPECT_EQ(client.ask(with_second).status, 200);
}

/// Containers are often without it.
bool has_ipv6() {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  const FileDescriptor socket(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return socket.valid() && ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

TEST(Reach, BeyondThisMachineOnlyWithAKeyOrSaidAloud) {
  const auto start = [](const char* host, bool keyed, bool insecure) {
    ServerOptions options;
    options.port = 0;
    options.host = host;
    if (keyed) options.keys = std::make_shared<KeyRing>(std::vector<std::string>{first});
    options.insecure_open = insecure;
    return Server::start(tiny_scorer, options);
  };
  std::vector<const char*> loopback{"127.0.0.1", "127.1.2.3", "127.1", "localhost"};
  if (has_ipv6()) loopback.insert(loopback.end(), {"::1", "::ffff:127.0.0.1"});
  for (const char* host : loopback) {
    const auto started = start(host, false, false);
    ASSERT_TRUE(started) << host << ": " << started.error().detail.text;
    EXPECT_FALSE((*started)->open_to_everybody()) << host;
  }
  for (const char* host : {"0.0.0.0", "::", "0", "::ffff:0.0.0.0", "128.0.0.1", "192.0.2.1"}) {
    const auto refused = start(host, false, false);
    ASSERT_FALSE(refused) << host;
    EXPECT_EQ(refused.error().kind, ErrorKind::misuse);
    for (const char* mend : {"DROPSCORE_API_KEY", "127.0.0.1", "--insecure-open", host}) {
      EXPECT_THAT(refused.error().detail.text, HasSubstr(mend));
    }
  }
  const auto keyed = start("0.0.0.0", true, false);
  ASSERT_TRUE(keyed);
  EXPECT_FALSE((*keyed)->open_to_everybody());
  const auto insecure = start("0.0.0.0", false, true);
  ASSERT_TRUE(insecure);
  EXPECT_TRUE((*insecure)->open_to_everybody());
  EXPECT_FALSE((*start("127.0.0.1", false, true))->open_to_everybody());
}

}  // namespace
}  // namespace dropscore::http
