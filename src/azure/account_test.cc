// Connection strings, URLs, and which credential an environment gives.
#include "azure/account.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "azure/endpoint.h"

namespace dropscore::azure {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* key = "c2VjcmV0LWtleQ==";

TEST(ConnectionString, AsThePortalPrintsIt) {
  const ConnectionString parsed = parse_connection_string(
                                      "DefaultEndpointsProtocol=https;AccountName=acct1;AccountKey=c2VjcmV0LWtleQ==;"
                                      "EndpointSuffix=core.windows.net")
                                      .value();
  EXPECT_EQ(parsed.account, "acct1");
  EXPECT_EQ(parsed.key, key);
  EXPECT_EQ(parsed.sas, "");
  EXPECT_EQ(parsed.blob_endpoint, "https://acct1.blob.core.windows.net");
  EXPECT_EQ(parsed.queue_endpoint, "https://acct1.queue.core.windows.net");
}

TEST(ConnectionString, OtherForms) {
  const ConnectionString cloud =
      parse_connection_string(
          " accountname=a ; ACCOUNTKEY=c2VjcmV0LWtleQ== ;EndpointSuffix=core.chinacloudapi.cn;;"
          "TableEndpoint=https://x/;DefaultEndpointsProtocol=HTTP")
          .value();
  EXPECT_EQ(cloud.blob_endpoint, "http://a.blob.core.chinacloudapi.cn");

  const ConnectionString sas =
      parse_connection_string(
          "BlobEndpoint=https://acct2.blob.core.windows.net/;QueueEndpoint=https://acct2.queue.core.windows.net;"
          "SharedAccessSignature=?sv=1&sig=a%3D")
          .value();
  EXPECT_EQ(sas.account, "acct2");
  EXPECT_EQ(sas.sas, "sv=1&sig=a%3D");
  EXPECT_EQ(sas.blob_endpoint, "https://acct2.blob.core.windows.net");

  const ConnectionString emulator = parse_connection_string("UseDevelopmentStorage=true").value();
  EXPECT_EQ(emulator.account, "devstoreaccount1");
  EXPECT_EQ(emulator.blob_endpoint, "http://127.0.0.1:10000/devstoreaccount1");
  EXPECT_EQ(emulator.queue_endpoint, "http://127.0.0.1:10001/devstoreaccount1");
  EXPECT_EQ(emulator.key.size(), 88U);
  EXPECT_EQ(parse_connection_string("UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://azurite")
                .value()
                .queue_endpoint,
            "http://azurite:10001/devstoreaccount1");
  EXPECT_EQ(parse_connection_string("AccountName=x;AccountKey=c2VjcmV0LWtleQ==;BlobEndpoint=http://10.0.0.1:9/x/;"
                                    "QueueEndpoint=http://10.0.0.1:8/x")
                .value()
                .blob_endpoint,
            "http://10.0.0.1:9/x");
}

TEST(ConnectionString, RefusedWithoutItsValues) {
  for (const char* text :
       {"", ";;", "hunter2", "AccountName=hunter2", "AccountKey=aHVudGVyMg==", "=hunter2",
        "AccountName=a;AccountKey=hunter2!", "AccountName=a;AccountName=hunter2;AccountKey=aHVudGVyMg==",
        "AccountName=a/hunter2;AccountKey=aHVudGVyMg==", "AccountName=a;AccountKey=aHVudGVyMg==;BlobEndpoint=hunter2",
        "AccountName=a;AccountKey=aHVudGVyMg==;BlobEndpoint=https://x/?hunter2",
        "AccountName=a;AccountKey=aHVudGVyMg==;DefaultEndpointsProtocol=hunter2",
        "AccountName=a;AccountKey=aHVudGVyMg==;EndpointSuffix=hunter2 x", "UseDevelopmentStorage=hunter2",
        "UseDevelopmentStorage=true;DevelopmentStorageProxyUri=hunter2"}) {
    const auto parsed = parse_connection_string(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().kind, ErrorKind::misuse);
    for (const char* secret : {"hunter2", "aHVudGVyMg"}) {
      EXPECT_THAT(parsed.error().detail.text, Not(HasSubstr(secret))) << text;
      EXPECT_THAT(parsed.error().customer.text, Not(HasSubstr(secret))) << text;
    }
  }
}

TEST(ConnectionString, Properties) {
  EXPECT_TRUE(rc::check("the order of the parts does not matter", [] {
    const std::string account = "a" + *rc::gen::container<std::string>(rc::gen::elementOf(std::string("abc0189")));
    std::vector<std::string> parts = {"AccountName=" + account, std::string("AccountKey=") + key,
                                      "EndpointSuffix=core.windows.net", "DefaultEndpointsProtocol=https", ""};
    const std::size_t turn = *rc::gen::inRange<std::size_t>(0, parts.size());
    std::rotate(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(turn), parts.end());
    std::string text;
    for (const std::string& part : parts) text += part + ";";
    const ConnectionString parsed = parse_connection_string(text).value();
    RC_ASSERT(parsed.account == account);
    RC_ASSERT(parsed.key == key);
    RC_ASSERT(parsed.queue_endpoint == "https://" + account + ".queue.core.windows.net");
  }));
  EXPECT_TRUE(rc::check("no text is too strange, and none is repeated", [](const std::string& text) {
    const std::string marked = text + "secret";
    for (const std::string& whole :
         {marked, "AccountName=" + marked, "AccountName=a;AccountKey=" + marked,
          "AccountName=a;BlobEndpoint=http://" + marked, "UseDevelopmentStorage=" + marked}) {
      const auto parsed = parse_connection_string(whole);
      if (!parsed) RC_ASSERT(parsed.error().detail.text.find("secret") == std::string::npos);
    }
  }));
}

TEST(ResourceUrl, HostAndPathStyle) {
  struct Case {
    const char* url;
    const char* endpoint;
    const char* account;
    const char* name;
    const char* sas;
  };
  for (const Case& wanted : {
           Case{"https://acct.blob.core.windows.net/input-data", "https://acct.blob.core.windows.net", "acct",
                "input-data", ""},
           Case{"HTTPS://Acct.Blob.Core.Windows.Net/input-data/", "https://acct.blob.core.windows.net", "acct",
                "input-data", ""},
           Case{"https://acct.queue.core.usgovcloudapi.net/work?sv=1&sig=a%2Fb",
                "https://acct.queue.core.usgovcloudapi.net", "acct", "work", "sv=1&sig=a%2Fb"},
           Case{"https://acct.blob.core.windows.net:443/$web", "https://acct.blob.core.windows.net:443", "acct", "$web",
                ""},
           Case{"http://127.0.0.1:10000/devstoreaccount1/input-data", "http://127.0.0.1:10000/devstoreaccount1",
                "devstoreaccount1", "input-data", ""},
           Case{"http://azurite:10000/acct/in1", "http://azurite:10000/acct", "acct", "in1", ""},
           Case{"http://[::1]:10000/acct/in1?sig=x", "http://[::1]:10000/acct", "acct", "in1", "sig=x"},
           Case{"https://127.0.0.1:10000/acct/in1", "https://127.0.0.1:10000/acct", "acct", "in1", ""},
           Case{"http://azurite.example.com/acct/in1", "http://azurite.example.com/acct", "acct", "in1", ""},
       }) {
    const auto parsed = parse_resource_url(wanted.url);
    ASSERT_TRUE(parsed) << wanted.url << ": " << parsed.error().detail.text;
    EXPECT_EQ(parsed->endpoint, wanted.endpoint);
    EXPECT_EQ(parsed->account, wanted.account);
    EXPECT_EQ(parsed->name, wanted.name);
    EXPECT_EQ(parsed->sas, wanted.sas);
  }
}

TEST(ResourceUrl, RefusedWithoutTheQuery) {
  for (const char* url :
       {"", "folder/input", "ftp://a.blob.core.windows.net/in1", "https://", "https:///in1?sig=hunter2",
        "https://acct.blob.core.windows.net?sig=hunter2", "https://acct.blob.core.windows.net/?sig=hunter2",
        "https://acct.blob.core.windows.net/input/blob.csv?sig=hunter2",
        "https://user:hunter2@acct.blob.core.windows.net/in1", "http://127.0.0.1:10000/input-data",
        "http://azurite/acct/in1/blob", "https://acct.blob.core.windows.net/Input",
        "https://acct.blob.core.windows.net/in", "https://acct.blob.core.windows.net/a--b",
        "https://acct.blob.core.windows.net/in1#hunter2", "https://acct.blob.core.windows.net/in 1?hunter2",
        "https://ac_ct.blob.core.windows.net/in1", "http://127.0.0.1:x/acct/in1", "http://127.0.0.1:1000/a%20b/in1"}) {
    const auto parsed = parse_resource_url(url);
    ASSERT_FALSE(parsed) << url;
    EXPECT_EQ(parsed.error().kind, ErrorKind::misuse);
    EXPECT_THAT(parsed.error().detail.text, Not(HasSubstr("hunter2"))) << url;
  }
  EXPECT_TRUE(rc::check("no URL is too strange", [](const std::string& text) {
    for (const std::string& url : {text, "http://" + text, "https://acct.blob.core.windows.net/" + text}) {
      const auto parsed = parse_resource_url(url);
      if (parsed) RC_ASSERT(!parsed->account.empty() && parsed->name.size() >= 3U);
    }
  }));
}

TEST(PathUrl, WhatIsNamedInAContainer) {
  struct Case {
    const char* url;
    const char* endpoint;
    const char* name;
    const char* path;
    const char* sas;
  };
  for (const Case& wanted : {
           Case{"https://acct.blob.core.windows.net/models", "https://acct.blob.core.windows.net", "models", "", ""},
           Case{"https://acct.blob.core.windows.net/models/?sig=x", "https://acct.blob.core.windows.net", "models", "",
                "sig=x"},
           Case{"https://acct.blob.core.windows.net/models/current", "https://acct.blob.core.windows.net", "models",
                "current", ""},
           Case{"https://acct.blob.core.windows.net/models/a%20b/c/?sig=x", "https://acct.blob.core.windows.net",
                "models", "a b/c", "sig=x"},
           Case{"http://127.0.0.1:10000/acct/models/current", "http://127.0.0.1:10000/acct", "models", "current", ""},
           Case{"http://azurite:10000/acct/models", "http://azurite:10000/acct", "models", "", ""},
       }) {
    const auto parsed = parse_path_url(wanted.url);
    ASSERT_TRUE(parsed) << wanted.url << ": " << parsed.error().detail.text;
    EXPECT_EQ(parsed->container.endpoint, wanted.endpoint);
    EXPECT_EQ(parsed->container.name, wanted.name);
    EXPECT_EQ(parsed->container.sas, wanted.sas);
    EXPECT_EQ(parsed->path, wanted.path);
  }
  for (const char* url : {"folder", "http://127.0.0.1:10000/acct?sig=hunter2", "https://acct.blob.core.windows.net/M/x",
                          "https://acct.blob.core.windows.net/models/%zz?sig=hunter2"}) {
    const auto parsed = parse_path_url(url);
    ASSERT_FALSE(parsed) << url;
    EXPECT_EQ(parsed.error().kind, ErrorKind::misuse);
    EXPECT_THAT(parsed.error().detail.text, Not(HasSubstr("hunter2"))) << url;
  }
}

TEST(ResourceUrl, FoldersAreNone) {
  for (const char* uri : {"http://x", "https://x/y", "HTTPS://x"}) EXPECT_TRUE(is_resource_url(uri)) << uri;
  for (const char* uri : {"", "http", "input", "/http://x", "./https://x", "file:///x"}) {
    EXPECT_FALSE(is_resource_url(uri)) << uri;
  }
}

TEST(Endpoint, TheSameInDifferentWords) {
  EXPECT_TRUE(same_endpoint("http://localhost:10000/a", "HTTP://127.0.0.1:10000/a/"));
  EXPECT_TRUE(same_endpoint("https://a.blob.core.windows.net", "https://A.blob.core.windows.net:443/"));
  EXPECT_FALSE(same_endpoint("http://a.blob.core.windows.net", "https://a.blob.core.windows.net"));
  EXPECT_FALSE(same_endpoint("http://127.0.0.1:10000/a", "http://127.0.0.1:10000/b"));
  EXPECT_FALSE(same_endpoint("http://127.0.0.1:10000/a", "http://127.0.0.1:10001/a"));
  EXPECT_FALSE(same_endpoint("", "http://127.0.0.1:10000/a"));
}

class ResolveAccount : public ::testing::Test {
 protected:
  Result<Account> resolve(const std::string& url) {
    const Environment environment = [this](const char* name) -> std::optional<std::string> {
      const auto found = variables.find(name);
      return found == variables.end() ? std::nullopt : std::optional(found->second);
    };
    return resolve_account(parse_resource_url(url).value(), environment, std::make_shared<net::HttpClient>());
  }
  std::string kind_of(const std::string& url) {
    const auto account = resolve(url);
    return account ? std::string(account->credential->kind()) : account.error().detail.text;
  }
  static std::string connection(const std::string& account) {
    return "AccountName=" + account + ";AccountKey=c2VjcmV0LWtleQ==";
  }

  std::map<std::string, std::string, std::less<>> variables;
  const std::string blob = "https://acct.blob.core.windows.net/input-data";
};

TEST_F(ResolveAccount, TheOrderOfCredentials) {
  EXPECT_EQ(kind_of(blob), "managed identity");
  variables = {{"IDENTITY_ENDPOINT", "http://127.0.0.1:1/"}, {"IDENTITY_HEADER", "x"}};
  EXPECT_EQ(kind_of(blob), "managed identity");
  variables.insert({{"AZURE_TENANT_ID", "t"}, {"AZURE_CLIENT_ID", "c"}, {"AZURE_FEDERATED_TOKEN_FILE", "/f"}});
  EXPECT_EQ(kind_of(blob), "workload identity");
  variables["AZURE_CLIENT_SECRET"] = "s";
  EXPECT_EQ(kind_of(blob), "client secret");
  variables["AZURE_STORAGE_SAS_TOKEN"] = "?sv=1&sig=x";
  EXPECT_EQ(kind_of(blob), "shared access signature");
  variables["AZURE_STORAGE_KEY"] = key;
  EXPECT_EQ(kind_of(blob), "shared key");
  variables["AzureWebJobsStorage"] = "AccountName=acct;SharedAccessSignature=sig=x";
  EXPECT_EQ(kind_of(blob), "shared access signature");
  variables["AZURE_STORAGE_CONNECTION_STRING"] = connection("acct");
  EXPECT_EQ(kind_of(blob), "shared key");
  EXPECT_EQ(kind_of(blob + "?sv=1&sig=x"), "shared access signature");
}

TEST_F(ResolveAccount, AConnectionStringOfAnotherAccountIsPassedOver) {
  variables = {{"DROPSCORE_CONNECTION_STRING", connection("other")}, {"AzureWebJobsStorage", connection("acct")}};
  EXPECT_EQ(kind_of(blob), "shared key") << "the third is of this account";
  variables["AzureWebJobsStorage"] = connection("third");
  EXPECT_EQ(kind_of(blob), "managed identity");
  variables = {{"AZURE_STORAGE_ACCOUNT", "other"}, {"AZURE_STORAGE_KEY", key}};
  EXPECT_EQ(kind_of(blob), "managed identity");
  variables["AZURE_STORAGE_ACCOUNT"] = "acct";
  EXPECT_EQ(kind_of(blob), "shared key");
  variables = {{"DROPSCORE_CONNECTION_STRING", ""}, {"AZURE_STORAGE_KEY", ""}};
  EXPECT_EQ(kind_of(blob), "managed identity") << "empty is not set";
}

TEST_F(ResolveAccount, Endpoints) {
  Account account = resolve(blob).value();
  EXPECT_EQ(account.name, "acct");
  EXPECT_EQ(account.blob_endpoint, "https://acct.blob.core.windows.net");
  EXPECT_EQ(account.queue_endpoint, "https://acct.queue.core.windows.net");
  account = resolve("https://acct.queue.core.windows.net/work").value();
  EXPECT_EQ(account.blob_endpoint, "https://acct.blob.core.windows.net");
  EXPECT_EQ(account.queue_endpoint, "https://acct.queue.core.windows.net");

  variables["AZURE_STORAGE_KEY"] = key;
  account = resolve("http://127.0.0.1:10000/devstoreaccount1/in1").value();
  EXPECT_EQ(account.blob_endpoint, "http://127.0.0.1:10000/devstoreaccount1");
  EXPECT_EQ(account.queue_endpoint, "");

  variables = {{"DROPSCORE_CONNECTION_STRING", "UseDevelopmentStorage=true"}};
  for (const char* url :
       {"http://localhost:10000/devstoreaccount1/in1", "http://127.0.0.1:10001/devstoreaccount1/work"}) {
    account = resolve(url).value();
    EXPECT_EQ(account.blob_endpoint, "http://127.0.0.1:10000/devstoreaccount1");
    EXPECT_EQ(account.queue_endpoint, "http://127.0.0.1:10001/devstoreaccount1");
  }
  variables = {{"DROPSCORE_CONNECTION_STRING", connection("acct") + ";BlobEndpoint=https://files.example.com"}};
  EXPECT_EQ(resolve("https://files.example.com/input-data").value().name, "acct")
      << "the account behind a name of one's own";
}

TEST_F(ResolveAccount, TokensNeedTls) {
  variables = {{"IDENTITY_ENDPOINT", "http://127.0.0.1:1/"}, {"IDENTITY_HEADER", "x"}};
  for (const char* url : {"http://acct.blob.core.windows.net/in1", "http://127.0.0.1:10000/acct/in1"}) {
    const auto account = resolve(url);
    ASSERT_FALSE(account);
    EXPECT_EQ(account.error().kind, ErrorKind::misuse);
    EXPECT_THAT(account.error().detail.text, HasSubstr("https://"));
  }
  EXPECT_TRUE(resolve("https://127.0.0.1:10000/acct/in1"));
}

TEST_F(ResolveAccount, OversightsAreNamed) {
  variables = {{"AZURE_STORAGE_CONNECTION_STRING", "hunter2"}};
  EXPECT_THAT(kind_of(blob), ::testing::StartsWith("AZURE_STORAGE_CONNECTION_STRING: the connection string"));
  EXPECT_THAT(kind_of(blob), Not(HasSubstr("hunter2")));
  variables = {{"AZURE_STORAGE_KEY", "hunter2!"}};
  EXPECT_THAT(kind_of(blob), HasSubstr("AZURE_STORAGE_KEY"));
  EXPECT_THAT(kind_of(blob), Not(HasSubstr("hunter2")));
  variables = {{"AZURE_CLIENT_SECRET", "hunter2"}, {"AZURE_CLIENT_ID", "c"}};
  EXPECT_EQ(kind_of(blob), "AZURE_CLIENT_SECRET is set, but AZURE_TENANT_ID is not");
  variables = {{"AZURE_FEDERATED_TOKEN_FILE", "/f"}, {"AZURE_TENANT_ID", "t"}};
  EXPECT_EQ(kind_of(blob), "AZURE_FEDERATED_TOKEN_FILE is set, but AZURE_CLIENT_ID is not");
}

TEST_F(ResolveAccount, TheConnectionStringAlone) {
  const auto find = [this] {
    return connection_string([this](const char* name) -> std::optional<std::string> {
      const auto found = variables.find(name);
      return found == variables.end() ? std::nullopt : std::optional(found->second);
    });
  };
  EXPECT_EQ(find().value(), std::nullopt);
  variables["AzureWebJobsStorage"] = connection("third");
  EXPECT_EQ(find().value()->account, "third");
  variables["AZURE_STORAGE_CONNECTION_STRING"] = connection("second");
  EXPECT_EQ(find().value()->account, "second");
  variables["DROPSCORE_CONNECTION_STRING"] = "hunter2";
  EXPECT_THAT(find().error().detail.text, ::testing::StartsWith("DROPSCORE_CONNECTION_STRING: "));
}

}  // namespace
}  // namespace dropscore::azure
