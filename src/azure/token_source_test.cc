// What each source of tokens is asked, and what is made of its answer.
#include "azure/token_source.h"

#include <atomic>
#include <filesystem>
#include <map>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "azure/storage_client.h"
#include "azure/token.h"
#include "base/files.h"
#include "base/hash.h"
#include "net/test_server.h"

namespace dropscore::azure {
namespace {

using net::test_answer;
using net::TestRequest;
using net::TestServer;
using std::chrono::milliseconds;
using ::testing::HasSubstr;

class TokenSourceTest : public ::testing::Test {
 protected:
  TokenSourceTest() : folder_(std::filesystem::temp_directory_path() / ("dropscore-" + random_id())) {
    std::filesystem::create_directories(folder_);
  }
  ~TokenSourceTest() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<TokenSource> source(const std::map<std::string, std::string>& variables) {
    const Environment environment = [variables](const char* name) -> std::optional<std::string> {
      const auto found = variables.find(name);
      return found == variables.end() ? std::nullopt : std::optional(found->second);
    };
    return find_token_source(environment, std::make_shared<net::HttpClient>(),
                             {milliseconds(1), milliseconds(20), milliseconds(3'000)});
  }
  std::string fetch(TokenSource& source) {
    const auto token = source.fetch(Deadline::never());
    return token ? token->value : token.error().detail.text;
  }
  std::string answer(const TestRequest& request) {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
    return answers_[std::min(requests_.size(), answers_.size()) - 1];
  }
  std::string token_file(const std::string& content) {
    EXPECT_TRUE(write_file_atomically(folder_ / "token", content));
    return folder_ / "token";
  }

  std::filesystem::path folder_;
  std::mutex mutex_;
  std::vector<std::string> answers_ = {test_answer(200, R"({"access_token":"the-token","expires_in":3599})")};
  std::vector<TestRequest> requests_;
  TestServer server_{net::answering([this](const TestRequest& request) { return answer(request); })};
};

TEST_F(TokenSourceTest, ClientSecret) {
  const auto from = source({{"AZURE_TENANT_ID", "tenant/1"},
                            {"AZURE_CLIENT_ID", "client"},
                            {"AZURE_CLIENT_SECRET", "a+b&c="},
                            {"AZURE_AUTHORITY_HOST", server_.url("/")},
                            {"IDENTITY_ENDPOINT", "http://127.0.0.1:1"},
                            {"IDENTITY_HEADER", "x"}});
  EXPECT_EQ(from->kind(), "client secret");
  EXPECT_EQ(fetch(*from), "the-token");
  const TestRequest& seen = requests_.at(0);
  EXPECT_EQ(seen.method, "POST");
  EXPECT_EQ(seen.target, "/tenant%2F1/oauth2/v2.0/token");
  EXPECT_EQ(seen.header("Content-Type"), "application/x-www-form-urlencoded");
  EXPECT_EQ(seen.body,
            "grant_type=client_credentials&client_id=client&scope=https%3A%2F%2Fstorage.azure.com%2F.default"
            "&client_secret=a%2Bb%26c%3D");
}

TEST_F(TokenSourceTest, WorkloadIdentityReadsItsFileEachTime) {
  const auto from = source({{"AZURE_TENANT_ID", "t"},
                            {"AZURE_CLIENT_ID", "c"},
                            {"AZURE_FEDERATED_TOKEN_FILE", token_file("first\n")},
                            {"AZURE_AUTHORITY_HOST", server_.origin()}});
  EXPECT_EQ(from->kind(), "workload identity");
  EXPECT_EQ(fetch(*from), "the-token");
  token_file("second");
  EXPECT_EQ(fetch(*from), "the-token");
  EXPECT_EQ(requests_.at(0).body,
            "grant_type=client_credentials&client_id=c&scope=https%3A%2F%2Fstorage.azure.com%2F.default"
            "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
            "&client_assertion=first");
  EXPECT_TRUE(requests_.at(1).body.ends_with("&client_assertion=second"));
  std::filesystem::remove(folder_ / "token");
  EXPECT_THAT(fetch(*from), HasSubstr("AZURE_FEDERATED_TOKEN_FILE"));
}

TEST_F(TokenSourceTest, SecretsNeedTls) {
  const auto from = source({{"AZURE_TENANT_ID", "t"},
                            {"AZURE_CLIENT_ID", "c"},
                            {"AZURE_CLIENT_SECRET", "s"},
                            {"AZURE_AUTHORITY_HOST", "http://login.example.com"}});
  EXPECT_THAT(fetch(*from), HasSubstr("AZURE_AUTHORITY_HOST is not an https:// URL"));
}

TEST_F(TokenSourceTest, IdentityEndpoint) {
  answers_ = {test_answer(200, R"({"access_token":"the-token","expires_on":"4102444800","token_type":"Bearer"})")};
  auto from = source({{"IDENTITY_ENDPOINT", server_.url("/msi/token")}, {"IDENTITY_HEADER", "header-secret"}});
  EXPECT_EQ(from->kind(), "managed identity");
  EXPECT_TRUE(from->renews_at_half());
  EXPECT_EQ(fetch(*from), "the-token");
  EXPECT_EQ(requests_.at(0).method, "GET");
  EXPECT_EQ(requests_.at(0).target, "/msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fstorage.azure.com%2F");
  EXPECT_EQ(requests_.at(0).header("X-IDENTITY-HEADER"), "header-secret");
  from = source({{"IDENTITY_ENDPOINT", server_.url("/msi?x=1")}, {"IDENTITY_HEADER", "h"}, {"AZURE_CLIENT_ID", "a/b"}});
  EXPECT_EQ(fetch(*from), "the-token");
  EXPECT_EQ(requests_.at(1).target,
            "/msi?x=1&api-version=2019-08-01&resource=https%3A%2F%2Fstorage.azure.com%2F&client_id=a%2Fb");
}

TEST_F(TokenSourceTest, MachineIdentity) {
  const auto from = source({{"AZURE_POD_IDENTITY_AUTHORITY_HOST", server_.url("/")}, {"AZURE_CLIENT_ID", "c"}});
  EXPECT_EQ(from->kind(), "managed identity");
  EXPECT_EQ(fetch(*from), "the-token");
  EXPECT_EQ(
      requests_.at(0).target,
      "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fstorage.azure.com%2F&client_id=c");
  EXPECT_EQ(requests_.at(0).header("Metadata"), "true");
}

TEST_F(TokenSourceTest, WhatPassesIsAskedAgain) {
  const std::string fine = answers_.front();
  const auto tries = [&](std::vector<std::string> answers, const std::map<std::string, std::string>& variables) {
    {
      const std::lock_guard lock(mutex_);
      requests_.clear();
      answers_ = std::move(answers);
    }
    const std::string got = fetch(*source(variables));
    return std::to_string(requests_.size()) + (got == "the-token" ? " fine" : " none");
  };
  const std::map<std::string, std::string> machine = {{"AZURE_POD_IDENTITY_AUTHORITY_HOST", server_.origin()}};
  EXPECT_EQ(tries({test_answer(404), test_answer(429), test_answer(500), fine}, machine), "4 fine");
  EXPECT_EQ(tries({test_answer(501)}, machine), "4 none");
  EXPECT_EQ(
      tries({test_answer(410), test_answer(410), test_answer(410), test_answer(410), test_answer(410), fine}, machine),
      "6 fine")
      << "an update takes longer";
  EXPECT_EQ(tries({test_answer(400)}, machine), "1 none");
  EXPECT_EQ(tries({test_answer(200, "{}")}, machine), "1 none");
  const std::map<std::string, std::string> secret = {{"AZURE_TENANT_ID", "t"},
                                                     {"AZURE_CLIENT_ID", "c"},
                                                     {"AZURE_CLIENT_SECRET", "s"},
                                                     {"AZURE_AUTHORITY_HOST", server_.origin()}};
  EXPECT_EQ(tries({test_answer(503), fine}, secret), "2 fine");
  EXPECT_EQ(tries({test_answer(404), fine}, secret), "1 none");
  EXPECT_EQ(tries({test_answer(401), fine}, secret), "1 none");
}

TEST_F(TokenSourceTest, NoMachineIdentityIsToldAtOnce) {
  std::string nowhere;
  {
    nowhere = TestServer([](net::TestConnection&) {}).origin();
  }
  const auto from = source({{"AZURE_POD_IDENTITY_AUTHORITY_HOST", nowhere}});
  EXPECT_THAT(fetch(*from), HasSubstr("no token from IMDS (no other identity is set up)"));
  EXPECT_THAT(fetch(*from), HasSubstr("(1 tries)"));
}

TEST_F(TokenSourceTest, AStorageClientRenewsWhatWasRefused) {
  std::atomic<int> tokens{0};
  TestServer both(net::answering([&](const TestRequest& request) {
    if (request.target.starts_with("/msi")) {
      return test_answer(200, R"({"access_token":"token-)" + std::to_string(++tokens) + R"(","expires_in":3600})");
    }
    return test_answer(request.header("Authorization") == "Bearer token-2" ? 200 : 401);
  }));
  const std::string endpoint = both.url("/msi");
  auto client = std::make_shared<net::HttpClient>();
  StorageClient storage(both.origin(),
                        token_credential(
                            [&](const char* name) -> std::optional<std::string> {
                              if (std::string_view(name) == "IDENTITY_ENDPOINT") return endpoint;
                              if (std::string_view(name) == "IDENTITY_HEADER") return "x";
                              return std::nullopt;
                            },
                            client),
                        client);
  StorageRequest request;
  request.method = "GET";
  request.path = "/in1";
  EXPECT_EQ(storage.call(request).value().status, 200);
  EXPECT_EQ(storage.call(request).value().status, 200);
  EXPECT_EQ(tokens, 2);
}

}  // namespace
}  // namespace dropscore::azure
