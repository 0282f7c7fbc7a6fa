// Lists: what a page says, pages without blobs, and pages that something on the way has spoilt.
#include "store/azure_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "store/azure_test_service.h"

namespace dropscore::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Answer = AzureTestService::Answer;
using Request = AzureTestService::Request;

std::string blob(const std::string& name, const std::string& more = "", const std::string& properties = "") {
  return "<Blob><Name>" + name + "</Name><Properties><Creation-Time>Sun, 22 Nov 2026 07:58:08 GMT</Creation-Time>" +
         "<Etag>0x25ADBCD55DF3540</Etag><Content-Length>10</Content-Length><BlobType>BlockBlob</BlobType>" +
         properties + "</Properties>" + more + "</Blob>";
}

std::string page(const std::string& blobs, const std::string& next = "") {
  return "\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults ServiceEndpoint=\"http://x\" "
         "ContainerName=\"box\"><Prefix/><Marker/><MaxResults>5000</MaxResults><Blobs>" +
         blobs + "</Blobs><NextMarker>" + next + "</NextMarker></EnumerationResults>";
}

std::vector<std::string> names_of(const std::string& xml) {
  std::vector<std::string> names;
  const ListPage parsed = parse_list_page(xml).value();
  for (const BlobProperties& found : parsed.blobs) names.push_back(found.info.name);
  return names;
}

TEST(AzureListPage, NamesAsTheyAre) {
  EXPECT_THAT(names_of(page(blob("a/b.csv") + blob("Tom &amp; &lt;Zo\xC3\xAB&gt;.csv") + blob("a%20b") + blob(" "))),
              ElementsAre("a/b.csv", "Tom & <Zo\xC3\xAB>.csv", "a%20b", " "));
  EXPECT_THAT(names_of(page("<Blob><Name Encoded=\"true\">a%20b%0A%25.csv</Name><Properties><Etag>\"0x1\"</Etag>"
                            "<Content-Length>0</Content-Length></Properties></Blob>")),
              ElementsAre("a b\n%.csv"));
}

TEST(AzureListPage, EtagsSizesAndMetadata) {
  const auto parsed = parse_list_page(page(
      blob("x", "<Metadata><Model_Version>v1 &amp; 2</Model_Version><name>Zo%C3%AB</name><none/></Metadata>"), "next"));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->next_marker, "next");
  ASSERT_EQ(parsed->blobs.size(), 1U);
  EXPECT_EQ(parsed->blobs[0].info.etag, "0x25ADBCD55DF3540");
  EXPECT_EQ(parsed->blobs[0].info.size_bytes, 10U);
  EXPECT_EQ(parsed->blobs[0].metadata, (Metadata{{"model_version", "v1 & 2"}, {"name", "Zo\xC3\xAB"}, {"none", ""}}));
}

TEST(AzureListPage, LeavesOutFolders) {
  EXPECT_THAT(names_of(page(blob("a", "<Metadata><hdi_isfolder>true</hdi_isfolder></Metadata>") +
                            blob("b", "<Metadata><hdi_isfolder>false</hdi_isfolder></Metadata>") +
                            blob("c", "", "<ResourceType>directory</ResourceType>") +
                            blob("d", "", "<ResourceType>file</ResourceType>"))),
              ElementsAre("b", "d"));
}

TEST(AzureListPage, WhatIsNoListIsSaidToBeNone) {
  const std::string no_length = "<Blob><Name>x</Name><Properties><Etag>1</Etag></Properties></Blob>";
  for (const std::string& xml : {std::string(), std::string("<html><body>Sign in</body></html>"), std::string("{}"),
                                 page(blob("")), page(no_length), page(blob("x")).substr(0, 300),
                                 page("<Blob><Name Encoded=\"true\">%zz</Name><Properties><Etag>1</Etag>"
                                      "<Content-Length>1</Content-Length></Properties></Blob>")}) {
    const auto parsed = parse_list_page(xml);
    ASSERT_FALSE(parsed) << xml;
    EXPECT_EQ(name(parsed.error().kind), name(ErrorKind::try_later));
  }
}

RC_GTEST_PROP(AzureListPage, SpoiltPagesAreReadOrRefused, ()) {
  std::string xml = page(blob("a", "<Metadata><k>v</k></Metadata>") + blob("Tom &amp; Zo\xC3\xAB") +
                             "<BlobPrefix><Name>dir/</Name></BlobPrefix>" + blob("c"),
                         "next");
  const int changes = *rc::gen::inRange(1, 8);
  for (int i = 0; i < changes && !xml.empty(); ++i) {
    const std::size_t at = *rc::gen::inRange<std::size_t>(0, xml.size());
    const std::size_t length = *rc::gen::inRange<std::size_t>(0, 40);
    switch (*rc::gen::inRange(0, 4)) {
      case 0: xml[at] = *rc::gen::arbitrary<char>(); break;
      case 1: xml.erase(at, length); break;
      case 2: xml.insert(at, xml.substr(*rc::gen::inRange<std::size_t>(0, xml.size()), length)); break;
      default: {
        const auto piece = *rc::gen::element<std::string>("<Blob>", "</", "]]>", "<![CDATA[", "&#0;", "&#x110000;",
                                                          "<!DOCTYPE x [<!ENTITY y \"z\">]>", "<?", "<!--", "\"");
        xml.insert(at, piece);
      }
    }
  }
  const auto parsed = parse_list_page(xml);
  if (!parsed) {
    RC_ASSERT(parsed.error().kind == ErrorKind::try_later);
    return;
  }
  RC_ASSERT(parsed->next_marker.size() <= xml.size());
  RC_ASSERT(parsed->blobs.size() <= xml.size() / 6);
  for (const BlobProperties& found : parsed->blobs) {
    RC_ASSERT(!found.info.name.empty() && found.info.name.size() <= xml.size());
    RC_ASSERT(!found.info.etag.empty());
  }
}

TEST(AzureListPage, DepthCostsNoStack) {
  std::string deep = page("@");
  const std::size_t levels = 200'000;
  std::string nested;
  for (std::size_t i = 0; i < levels; ++i) nested += "<Blob>";
  EXPECT_FALSE(parse_list_page(deep.replace(deep.find('@'), 1, nested)));
}

class AzureList : public ::testing::Test {
 protected:
  /// Answers "marker=M" with pages[M].
  void serve(std::map<std::string, std::string> pages) {
    service_.instead = [pages = std::move(pages)](const Request& request) {
      return Answer{.body = pages.at(request.parameter("marker"))};
    };
  }
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    EXPECT_TRUE(store_->list([&](const BlobInfo& info) { return found.push_back(info.name), true; }));
    return found;
  }

  AzureTestService service_;
  std::unique_ptr<BlobStore> store_ = service_.open();
};

TEST_F(AzureList, FollowsTheMarkerAlone) {
  serve({{"", page(blob("a") + blob("b"), "m 1")}, {"m%201", page("", "m2")}, {"m2", page(blob("c"))}});
  EXPECT_THAT(names(), ElementsAre("a", "b", "c"));
  ASSERT_EQ(service_.requests.size(), 3U);
  EXPECT_EQ(service_.requests[0].path, "/acct/box");
  EXPECT_EQ(service_.requests[0].parameter("restype"), "container");
  EXPECT_EQ(service_.requests[0].parameter("comp"), "list");
  EXPECT_EQ(service_.requests[0].parameter("maxresults"), "5000");
  EXPECT_EQ(service_.requests[0].parameter("include"), "");
}

TEST_F(AzureList, EndsWhenTold) {
  serve({{"", page(blob("a") + blob("b"), "m")}});
  int seen = 0;
  EXPECT_TRUE(store_->list([&](const BlobInfo&) { return ++seen < 2; }));
  EXPECT_EQ(seen, 2);
  EXPECT_EQ(service_.requests.size(), 1U);
}

TEST_F(AzureList, MetadataComeWithTheSameRequest) {
  serve({{"", page(blob("a", "<Metadata><k>v</k></Metadata>"))}});
  std::vector<BlobProperties> seen;
  EXPECT_TRUE(store_->list_with_metadata([&](const BlobProperties& found) { return seen.push_back(found), true; }));
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].metadata, (Metadata{{"k", "v"}}));
  ASSERT_EQ(service_.requests.size(), 1U);
  EXPECT_EQ(service_.requests[0].parameter("include"), "metadata");
}

TEST_F(AzureList, LeavesOutBookkeepingAndNamesThatNoStoreTakes) {
  serve({{"", page(blob(".dropscore/state.json") + blob("a//b") + blob("dir/") + blob("../x") + blob(".dropscore"))}});
  EXPECT_THAT(names(), ElementsAre(".dropscore"));
}

TEST_F(AzureList, EndsWhereThePagesGoRound) {
  serve({{"", page(blob("a"), "m")}, {"m", page(blob("b"), "m")}});
  const Status listed = store_->list([](const BlobInfo&) { return true; });
  ASSERT_FALSE(listed);
  EXPECT_EQ(name(listed.error().kind), name(ErrorKind::try_later));
  EXPECT_EQ(service_.requests.size(), 2U);
}

TEST_F(AzureList, AMissingContainerIsNotAnEmptyOne) {
  service_.instead = [](const Request&) { return AzureTestService::refusal(404, "ContainerNotFound"); };
  const Status listed = store_->list([](const BlobInfo&) { return true; });
  ASSERT_FALSE(listed);
  EXPECT_EQ(name(listed.error().kind), name(ErrorKind::try_later));
}

}  // namespace
}  // namespace dropscore::store
