// Settings of a function app and what is made of them. Nothing is sent, but where a test says so: to nobody.
#include "app/function/azure_stores.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dropscore::function {
namespace {

using testing::HasSubstr;
using testing::Not;

azure::Environment environment(std::map<std::string, std::string> settings) {
  return [settings = std::move(settings)](const char* name) -> std::optional<std::string> {
    const auto at = settings.find(name);
    return at == settings.end() ? std::nullopt : std::optional(at->second);
  };
}

Result<std::optional<azure::Account>> connected(std::map<std::string, std::string> settings,
                                                const std::string& connection = "AzureWebJobsStorage") {
  return connected_account(connection, environment(std::move(settings)), std::make_shared<net::HttpClient>());
}

const std::string key = "c2VjcmV0IGtleQ==";
const std::string text =
    "DefaultEndpointsProtocol=https;AccountName=acct;AccountKey=" + key + ";EndpointSuffix=core.windows.net";

TEST(ConnectedAccount, ByConnectionString) {
  const auto account =
      connected({{"AzureWebJobsStorage", text}, {"AZURE_STORAGE_CONNECTION_STRING", "of another use"}});
  ASSERT_TRUE(account && *account) << account.error().detail.text;
  EXPECT_EQ((*account)->name, "acct");
  EXPECT_EQ((*account)->blob_endpoint, "https://acct.blob.core.windows.net");
  EXPECT_EQ((*account)->credential->kind(), "shared key");
  const auto named =
      connected({{"DataStorage", text}, {"AzureWebJobsStorage", "of the host's own use"}}, "DataStorage");
  ASSERT_TRUE(named && *named);
  EXPECT_EQ((*named)->name, "acct");
  const auto emulator = connected({{"AzureWebJobsStorage", "UseDevelopmentStorage=true"}});
  ASSERT_TRUE(emulator && *emulator);
  EXPECT_EQ((*emulator)->name, "devstoreaccount1");
  EXPECT_EQ((*emulator)->blob_endpoint, "http://127.0.0.1:10000/devstoreaccount1");
}

TEST(ConnectedAccount, ByIdentity) {
  const auto by_name = connected({{"AzureWebJobsStorage__accountName", "acct"},
                                  {"AzureWebJobsStorage__credential", "managedidentity"},
                                  {"AzureWebJobsStorage__clientId", "id"},
                                  {"IDENTITY_ENDPOINT", "http://127.0.0.1:1/token"},
                                  {"IDENTITY_HEADER", "header"},
                                  {"AZURE_TENANT_ID", "t"},
                                  {"AZURE_CLIENT_SECRET", "not for this"}});
  ASSERT_TRUE(by_name && *by_name) << by_name.error().detail.text;
  EXPECT_EQ((*by_name)->name, "acct");
  EXPECT_EQ((*by_name)->blob_endpoint, "https://acct.blob.core.windows.net");
  EXPECT_EQ((*by_name)->credential->kind(), "managed identity");
  const auto by_uri =
      connected({{"DataStorage__blobServiceUri", "https://acct.blob.core.chinacloudapi.cn/"}}, "DataStorage");
  ASSERT_TRUE(by_uri && *by_uri) << by_uri.error().detail.text;
  EXPECT_EQ((*by_uri)->name, "acct");
  EXPECT_EQ((*by_uri)->blob_endpoint, "https://acct.blob.core.chinacloudapi.cn");
}

TEST(ConnectedAccount, NoneOrWrong) {
  const auto none = connected({{"PATH", "/bin"}});
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);
  for (const std::string& wrong :
       {std::string("nonsense"), "AccountName=acct;AccountKey=" + key.substr(1), std::string("AccountKey=") + key}) {
    const auto account = connected({{"AzureWebJobsStorage", wrong}});
    ASSERT_FALSE(account) << wrong;
    EXPECT_EQ(account.error().kind, ErrorKind::misuse);
    EXPECT_THAT(account.error().detail.text, HasSubstr("AzureWebJobsStorage"));
    EXPECT_THAT(account.error().detail.text, Not(HasSubstr("ecret")));
    EXPECT_THAT(account.error().detail.text, Not(HasSubstr(key.substr(1))));
  }
  const auto no_uri = connected({{"AzureWebJobsStorage__blobServiceUri", "acct"}});
  ASSERT_FALSE(no_uri);
  EXPECT_THAT(no_uri.error().detail.text, HasSubstr("AzureWebJobsStorage__blobServiceUri"));
}

TEST(AzureStores, RefusesWhatWouldGoWrong) {
  const auto account = connected({{"AzureWebJobsStorage", text}});
  ASSERT_TRUE(account && *account);
  const OpenStores open = azure_stores(**account, "output-results", std::make_shared<net::HttpClient>());
  const auto other_account = open({"other", "input-data", "a.csv"});
  ASSERT_FALSE(other_account);
  EXPECT_EQ(other_account.error().kind, ErrorKind::misuse);
  const auto output = open({"acct", "output-results", "a.csv.json"});
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().kind, ErrorKind::misuse);
}

}  // namespace
}  // namespace dropscore::function
