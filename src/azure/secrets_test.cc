// Whatever goes wrong, no error and no log line holds anything of a credential.
#include <filesystem>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "azure/account.h"
#include "azure/storage_client.h"
#include "azure/token_cache.h"
#include "azure/token_source.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/log.h"
#include "net/test_server.h"

namespace dropscore::azure {
namespace {

using net::test_answer;
using net::TestRequest;
using net::TestServer;
using std::chrono::milliseconds;

/// Each is recognizable, as it is and in the forms that a request has it in.
constexpr const char* sas_secret = "c2FzLXNlY3JldA";       // base64 of "sas-secret"
constexpr const char* key_secret = "a2V5LXNlY3JldA==";     // of "key-secret"
constexpr const char* client_secret = "client-topsecret";  // Entra's
constexpr const char* federated_secret = "federated-topsecret";
constexpr const char* header_secret = "header-topsecret";
constexpr const char* token_secret = "token-topsecret";

class Secrets : public ::testing::Test {
 protected:
  Secrets() : folder_(std::filesystem::temp_directory_path() / ("dropscore-" + random_id())) {
    log::set_up(log::Level::debug, log::Format::text);
    ::testing::internal::CaptureStderr();
    EXPECT_TRUE(write_file_atomically(folder_ / "token", federated_secret));
  }
  ~Secrets() override {
    log::set_up(log::Level::warning, log::Format::text);
    std::filesystem::remove_all(folder_);
  }

  /// Notes both texts of an error.
  template <class T>
  void note(const Result<T>& result) {
    if (!result) seen_ += result.error().customer.text + "\n" + result.error().detail.text + "\n";
  }
  /// Everything that was said, logs too.
  std::string said() { return seen_ + ::testing::internal::GetCapturedStderr(); }

  /// One request to each of a storage service's ways of failing.
  void use(const std::string& endpoint, const std::shared_ptr<Credential>& credential) {
    const net::RetryPolicy fast{3, milliseconds(1), milliseconds(5), milliseconds(2'000)};
    StorageClient client(endpoint, credential, client_, fast);
    for (const char* path : {"/busy", "/reset", "/short", "/forbidden", "/unauthorized", "/stall"}) {
      StorageRequest request;
      request.method = "PUT";
      request.path = path;
      request.body = "body";
      request.deadline = Deadline::in(milliseconds(300));
      const auto reply = client.call(request);
      note(reply);
      if (reply) {
        EXPECT_FALSE(reply->ok());
        seen_ += unexpected_reply("PUT", path, *reply).detail.text + "\n";
      }
      StorageReply refusal;
      note(client.open(request, refusal));
      seen_ += refusal.error_code + "\n";
    }
  }

  Environment environment() const {
    return [variables = variables_](const char* name) -> std::optional<std::string> {
      const auto found = variables.find(name);
      return found == variables.end() ? std::nullopt : std::optional(found->second);
    };
  }

  std::filesystem::path folder_;
  std::shared_ptr<net::HttpClient> client_ = std::make_shared<net::HttpClient>();
  std::map<std::string, std::string, std::less<>> variables_;
  std::string seen_;
};

/// A service that fails in the way that the path says, and repeats what it was sent while it does.
void fail_as_asked(net::TestConnection& connection) {
  while (const auto request = connection.read_request()) {
    const std::string authorization = request->header("Authorization").value_or("") + request->target + request->body;
    const std::string body =
        "<Error><Code>" + authorization + "</Code><Message>" + authorization + "</Message></Error>";
    const auto has = [&](const char* what) { return request->target.find(what) != std::string::npos; };
    if (has("/reset")) return connection.reset();
    if (has("/stall")) {
      connection.read_request();
      return;
    }
    if (has("/short")) {
      connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n" + authorization);
      return;
    }
    const int status = has("/busy") ? 503 : has("/forbidden") ? 403 : 401;
    if (!connection.write(
            test_answer(status, body, {{"x-ms-error-code", authorization}, {"x-ms-request-id", authorization}})))
      return;
  }
}

void expect_no_secret(const std::string& said) {
  for (const char* secret :
       {sas_secret, "a2V5LXNlY3JldA", "sas-secret", "key-secret", "topsecret", "Bearer", "SharedKey", "sig="}) {
    EXPECT_EQ(said.find(secret), std::string::npos) << secret << " in:\n" << said;
  }
  EXPECT_NE(said.find("storage_retry"), std::string::npos) << "the log was not seen";
}

TEST_F(Secrets, OfTheStorageAccount) {
  TestServer server(fail_as_asked);
  std::string nowhere;
  {
    nowhere = TestServer([](net::TestConnection&) {}).origin();
  }
  variables_["DROPSCORE_CONNECTION_STRING"] =
      "AccountName=acct;AccountKey=" + std::string(key_secret) + ";BlobEndpoint=" + server.url("/acct");
  const std::string sas = "?sv=1&sig=" + std::string(sas_secret) + "%3D";
  for (const std::string& url : {server.url("/acct/in1"), server.url("/acct/in1") + sas, nowhere + "/acct/in1" + sas}) {
    const auto account = resolve_account(parse_resource_url(url).value(), environment(), client_);
    ASSERT_TRUE(account);
    use(account->blob_endpoint, account->credential);
  }
  variables_ = {{"AZURE_STORAGE_KEY", std::string(key_secret) + "!"}};
  note(resolve_account(parse_resource_url(server.url("/acct/in1")).value(), environment(), client_));
  note(parse_resource_url("https://host/" + sas));
  note(parse_resource_url("ftp://host/" + sas));
  note(parse_connection_string(key_secret));
  expect_no_secret(said());
}

TEST_F(Secrets, OfMicrosoftEntra) {
  // It repeats the request in every member of its refusal.
  TestServer refusing([](net::TestConnection& connection) {
    int count = 0;
    while (const auto request = connection.read_request()) {
      const std::string all = request->body + request->header("X-IDENTITY-HEADER").value_or("");
      const std::string json = R"({"error":")" + all + R"(","error_description":"AADSTS12: )" + all +
                               R"(","access_token":"token-topsecret bad","expires_in":5})";
      static constexpr int statuses[] = {400, 500, 401, 200, 403};
      if (!connection.write(test_answer(statuses[count++ % 5], json))) return;
    }
  });
  std::string nowhere;
  {
    nowhere = TestServer([](net::TestConnection&) {}).origin();
  }
  for (const std::string& host :
       {refusing.origin(), nowhere, std::string("http://example.invalid"), std::string("?")}) {
    const std::map<std::string, std::string, std::less<>> entra = {
        {"AZURE_TENANT_ID", "t"}, {"AZURE_CLIENT_ID", "c"}, {"AZURE_AUTHORITY_HOST", host}};
    for (const auto& more : std::vector<std::map<std::string, std::string, std::less<>>>{
             {{"AZURE_CLIENT_SECRET", client_secret}},
             {{"AZURE_FEDERATED_TOKEN_FILE", folder_ / "token"}},
             {{"AZURE_FEDERATED_TOKEN_FILE", folder_ / "missing"}},
             {{"IDENTITY_ENDPOINT", host + "/msi?code=topsecret"}, {"IDENTITY_HEADER", header_secret}},
             {{"AZURE_POD_IDENTITY_AUTHORITY_HOST", host}}}) {
      variables_ = more;
      if (!more.contains("IDENTITY_ENDPOINT")) variables_.insert(entra.begin(), entra.end());
      TokenCache cache(
          find_token_source(environment(), client_, {milliseconds(1), milliseconds(5), milliseconds(1'000)}));
      for (int i = 0; i < 3; ++i) {
        Draft draft;
        const Status authorized = cache.authorize(draft, Deadline::in(milliseconds(1'000)));
        EXPECT_FALSE(authorized);
        note(authorized);
      }
    }
  }
  TestServer server(fail_as_asked);
  TestServer giving(net::answering([](const TestRequest&) {
    return test_answer(200, std::string(R"({"access_token":")") + token_secret + R"(","expires_in":3600})");
  }));
  variables_ = {{"IDENTITY_ENDPOINT", giving.origin()}, {"IDENTITY_HEADER", header_secret}};
  use(server.origin(), std::make_shared<TokenCache>(find_token_source(environment(), client_)));
  const std::string all = said();
  EXPECT_NE(all.find("no token from"), std::string::npos);
  expect_no_secret(all);
}

}  // namespace
}  // namespace dropscore::azure
