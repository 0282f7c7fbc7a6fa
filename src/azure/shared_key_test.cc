// Signatures against vectors whose texts an emulator has authenticated.
#include <set>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "azure/credential.h"

namespace dropscore::azure {
namespace {

constexpr const char* key = "dGVzdC1vbmx5LWtleS1ub3QtYS1yZWFsLXNlY3JldC0wMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZg==";
const net::Header version{"x-ms-version", "2021-12-02"};
const net::Header date{"x-ms-date", "Sun, 22 Nov 2026 07:57:34 GMT"};

/// What authorize() adds.
std::string authorization(const char* account, Draft draft) {
  const auto credential = shared_key(account, key).value();
  EXPECT_TRUE(credential->authorize(draft, Deadline::never()));
  return draft.headers.back().name + ": " + draft.headers.back().value;
}

TEST(SharedKey, PutBlob) {
  const Draft draft{"PUT",
                    "/output-data/dir/a%20b.csv",
                    {},
                    {{"x-ms-meta-model", " m1 "},
                     {"X-MS-Blob-Type", "BlockBlob"},
                     version,
                     date,
                     {"x-ms-client-request-id", "11111111-2222-3333-4444-555555555555"},
                     {"Content-Type", "text/csv"},
                     {"If-None-Match", "*"}},
                    10};
  EXPECT_EQ(string_to_sign("acct1", draft),
            "PUT\n\n\n10\n\ntext/csv\n\n\n\n*\n\n\nx-ms-blob-type:BlockBlob\n"
            "x-ms-client-request-id:11111111-2222-3333-4444-555555555555\nx-ms-date:Sun, 22 Nov 2026 07:57:34 GMT\n"
            "x-ms-meta-model:m1\nx-ms-version:2021-12-02\n/acct1/output-data/dir/a%20b.csv");
  EXPECT_EQ(authorization("acct1", draft),
            "Authorization: SharedKey acct1:VswMsJI4iVFj4L410GEoDbh3HHodn5my86zZdrK+6EM=");
}

TEST(SharedKey, ListBlobs) {
  const Draft draft{"GET",
                    "/input-data",
                    {{"restype", "container"}, {"comp", "list"}, {"prefix", "dir/"}, {"maxresults", "100"}},
                    {version, date},
                    0};
  EXPECT_EQ(string_to_sign("acct1", draft),
            "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Sun, 22 Nov 2026 07:57:34 GMT\nx-ms-version:2021-12-02\n"
            "/acct1/input-data\ncomp:list\nmaxresults:100\nprefix:dir/\nrestype:container");
  EXPECT_EQ(authorization("acct1", draft),
            "Authorization: SharedKey acct1:KDzgVO4BpmuWp3OZmCSB3KpUbhGRifZb43Teu16rx/k=");
}

/// The name that the published vectors have.
const std::string queue = "work";

TEST(SharedKey, TheEmulatorsPathHoldsTheAccountTwice) {
  const Draft draft{"GET",
                    "/devstoreaccount1/" + queue + "/messages",
                    {{"visibilitytimeout", "60"}, {"NumOfMessages", "32"}},
                    {date, version},
                    0};
  EXPECT_EQ(string_to_sign("devstoreaccount1", draft),
            "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Sun, 22 Nov 2026 07:57:34 GMT\nx-ms-version:2021-12-02\n"
            "/devstoreaccount1/devstoreaccount1/" +
                queue + "/messages\nnumofmessages:32\nvisibilitytimeout:60");
  EXPECT_EQ(authorization("devstoreaccount1", draft),
            "Authorization: SharedKey devstoreaccount1:MwdeD7E+g4JVexbEMXQ2tFUFDbG1Q63mXCkl4B+vu6Y=");
}

TEST(SharedKey, PutMessage) {
  const Draft draft{"POST", "/" + queue + "/messages", {}, {version, {"content-type", "application/xml"}, date}, 72};
  EXPECT_EQ(authorization("acct1", draft),
            "Authorization: SharedKey acct1:pdtHMmsla0ptU8bup40Oa3lwAHlCZzpJ97cWwCXeHL4=");
}

TEST(SharedKey, AServiceSasIsSignedTheSameWay) {
  EXPECT_EQ(
      sign(key, "r\n\n2027-01-01T00:00:00Z\n/blob/acct1/input-data/dir/a b.csv\n\n\nhttps\n2021-12-02\nb\n\n\n\n\n\n\n")
          .value(),
      "el4gq5sEopO1Hexh77Lhj3NXkrE8+GsskYKMmCLK+xs=");
}

TEST(SharedKey, StandardHeadersHaveTheirPlaces) {
  const Draft draft{"PUT",
                    "/c/b",
                    {},
                    {{"Content-Encoding", "1"},
                     {"Content-Language", "2"},
                     {"Content-MD5", "4"},
                     {"Content-Type", "5"},
                     {"Date", "6"},
                     {"If-Modified-Since", "7"},
                     {"If-Match", "8"},
                     {"If-None-Match", "9"},
                     {"If-Unmodified-Since", "10"},
                     {"Range", "11"},
                     {"Accept", "ignored"}},
                    3};
  EXPECT_EQ(string_to_sign("a", draft), "PUT\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n/a/c/b");
}

/// The names of `headers` in the order in which they are signed.
std::vector<std::string> signed_order(const std::vector<std::string>& names) {
  Draft draft{"GET", "/", {}, {}, 0};
  for (const std::string& name : names) draft.headers.push_back({name, "v"});
  std::string text = string_to_sign("a", draft);
  text = text.substr(text.find("x-ms-"));
  std::vector<std::string> order;
  for (std::size_t at = 0; text[at] == 'x'; at = text.find('\n', at) + 1) {
    order.push_back(text.substr(at, text.find(':', at) - at));
  }
  return order;
}

TEST(SharedKey, HeadersAreSortedAsTheServiceSortsThem) {
  const std::vector<std::string> order = {"x-ms-meta-a_b", "x-ms-meta-a1", "x-ms-meta-ab", "x-ms-meta-a-c",
                                          "x-ms-meta-ad"};
  std::vector<std::string> backwards(order.rbegin(), order.rend());
  EXPECT_EQ(signed_order(backwards), order) << "'_' before digits before letters; '-' is passed over";
  EXPECT_TRUE(rc::check("the order does not depend on the order that they came in", [] {
    const auto letter = rc::gen::elementOf(std::string("ab019_-'.~"));
    std::vector<std::string> names;
    for (const std::string& tail :
         *rc::gen::container<std::set<std::string>>(rc::gen::container<std::string>(letter))) {
      names.push_back("x-ms-" + tail);
    }
    RC_PRE(!names.empty());
    std::vector<std::string> turned(names.rbegin(), names.rend());
    RC_ASSERT(signed_order(names) == signed_order(turned));
  }));
}

TEST(SharedKey, RepeatedParametersAreOne) {
  const Draft draft{"GET", "/", {{"include", "tags"}, {"Include", "metadata"}, {"a", ""}}, {}, 0};
  EXPECT_TRUE(string_to_sign("a", draft).ends_with("/a/\na:\ninclude:metadata,tags"));
}

TEST(SharedKey, AKeyIsBase64) {
  for (const char* bad : {"", "not base64!", "abc", "ab=c"}) {
    EXPECT_EQ(shared_key("a", bad).error().kind, ErrorKind::misuse);
    EXPECT_EQ(sign(bad, "text").error().kind, ErrorKind::misuse);
  }
}

TEST(SharedAccessSignature, IsAddedDecoded) {
  const auto sas = shared_access_signature("sv=2021-12-02&se=2027-01-01T00%3A00%3A00Z&sig=a%2Bb+c%3D&broken=%zz&flag");
  Draft draft{"GET", "/", {{"comp", "list"}}, {}, 0};
  ASSERT_TRUE(sas->authorize(draft, Deadline::never()));
  const Query wanted = {{"comp", "list"},  {"sv", "2021-12-02"}, {"se", "2027-01-01T00:00:00Z"},
                        {"sig", "a+b+c="}, {"broken", "%zz"},    {"flag", ""}};
  EXPECT_EQ(draft.query, wanted);
  EXPECT_TRUE(draft.headers.empty());
  EXPECT_FALSE(sas->refused());
}

}  // namespace
}  // namespace dropscore::azure
