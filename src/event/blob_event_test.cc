#include "event/blob_event.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/base64.h"
#include "base/utf8.h"
#include "event/event_test_util.h"

namespace dropscore::event {
namespace {

using testing::cloud_event;
using testing::created_data;
using testing::grid_event;
using testing::url_of;
using Kind = BlobEvent::Kind;

BlobEvent only(const Result<std::vector<BlobEvent>>& events) {
  EXPECT_TRUE(events) << (events ? "" : events.error().detail.text);
  if (!events) return {};
  EXPECT_EQ(events->size(), 1U);
  return events->front();
}

ErrorKind kind_of(const Result<std::vector<BlobEvent>>& events) {
  EXPECT_FALSE(events) << "an error was expected";
  return events ? ErrorKind::give_up : events.error().kind;
}

TEST(BlobEvent, BothSchemasAloneAndInAnArray) {
  const std::string data = created_data(url_of("input-data", "dir/new file.csv"));
  for (const std::string& event : {grid_event(data), cloud_event(data)}) {
    for (const std::string& json : {event, "[" + event + "]", "\xEF\xBB\xBF " + event + "\n"}) {
      const BlobEvent read = only(parse_events(json));
      EXPECT_EQ(read.kind, Kind::created) << json;
      EXPECT_EQ(read.account, "acct");
      EXPECT_EQ(read.container, "input-data");
      EXPECT_EQ(read.blob, "dir/new file.csv");
      EXPECT_EQ(read.etag, "0x8D4BCC2E4835CD0");
      EXPECT_FALSE(read.id.empty());
    }
  }
  const auto two = parse_events("[" + grid_event(data) + "," + cloud_event(data) + "]");
  ASSERT_TRUE(two);
  EXPECT_EQ(two->size(), 2U);
}

TEST(BlobEvent, OnlyCompleteContentIsAnArrival) {
  const std::string url = url_of("in", "a.csv");
  for (const char* api : {"PutBlob", "PutBlockList", "CopyBlob", "FlushWithClose", "SftpCommit", ""}) {
    EXPECT_EQ(only(parse_events(grid_event(created_data(url, api)))).kind, Kind::created) << api;
  }
  for (const char* api : {"CreateFile", "PutBlock", "SftpCreate", "SetBlobTier"}) {
    EXPECT_EQ(only(parse_events(cloud_event(created_data(url, api)))).kind, Kind::other) << api;
  }
  for (const char* type : {"Microsoft.Storage.BlobDeleted", "Microsoft.Storage.DirectoryCreated", "something.else"}) {
    EXPECT_EQ(only(parse_events(grid_event(created_data(url), "", type))).kind, Kind::other) << type;
  }
}

TEST(BlobEvent, EveryFormOfAUrl) {
  const auto read = [](std::string_view url) { return only(parse_events(cloud_event(created_data(url)))); };
  for (const char* endpoint : {"https://acct.blob.core.windows.net", "https://acct.dfs.core.windows.net",
                               "https://acct.blob.core.chinacloudapi.cn", "https://acct.z07.blob.storage.azure.net:443",
                               "http://127.0.0.1:10000/acct", "http://azurite:10000/acct", "http://[::1]:10000/acct",
                               "http://emulator.example.net/acct", "http://acct.blob.localhost:10000"}) {
    const BlobEvent event = read(url_of("in", "a/b.csv", endpoint));
    EXPECT_EQ(event.account, "acct") << endpoint;
    EXPECT_EQ(event.container, "in") << endpoint;
    EXPECT_EQ(event.blob, "a/b.csv") << endpoint;
  }
  EXPECT_EQ(read("https://acct.blob.core.windows.net/in/a%2Bb%2520+c.csv?x=1").blob, "a+b%20+c.csv") << "decoded once";
  EXPECT_EQ(read("https://acct.blob.core.windows.net/in/a%2Fb").blob, "a/b");
}

TEST(BlobEvent, WithoutAUsableUrlTheSubjectNamesTheBlob) {
  const std::string subject = "blobServices/default/containers/in/blobs/dir/100% sure.csv";
  for (const char* url : {"", "https://acct.blob.core.windows.net/in/dir/100% sure.csv", "nonsense",
                          "https://acct.blob.core.windows.net/in", "https://acct.blob.core.windows.net/in/"}) {
    for (const std::string before : {"", "/"}) {
      const BlobEvent event = only(parse_events(grid_event(created_data(url), before + subject)));
      EXPECT_EQ(event.kind, Kind::created);
      EXPECT_EQ(event.account, "acct");
      EXPECT_EQ(event.container, "in");
      EXPECT_EQ(event.blob, "dir/100% sure.csv") << url;
    }
  }
  EXPECT_EQ(only(parse_events(cloud_event("null", "/" + subject))).blob, "dir/100% sure.csv") << "no data at all";
  EXPECT_EQ(kind_of(parse_events(grid_event(created_data("nonsense")))), ErrorKind::reject);
  EXPECT_EQ(kind_of(parse_events(grid_event(created_data(""), "/blobServices/default/containers/in/blobs/"))),
            ErrorKind::reject);
}

TEST(BlobEvent, TheRootContainersBlobsAreNamedByTheSubject) {
  const std::string subject = "/blobServices/default/containers/$root/blobs/a.csv";
  const BlobEvent event =
      only(parse_events(grid_event(created_data("https://acct.blob.core.windows.net/a.csv"), subject)));
  EXPECT_EQ(event.container, "$root");
  EXPECT_EQ(event.blob, "a.csv");
}

TEST(BlobEvent, ETagsWithAndWithoutQuotes) {
  for (const char* etag : {"0x8D", "\"0x8D\""}) {
    EXPECT_EQ(only(parse_events(grid_event(created_data(url_of("in", "a"), "PutBlob", etag)))).etag, "0x8D");
  }
  EXPECT_EQ(only(parse_events(grid_event(R"({"url":"https://a.blob.core.windows.net/in/a"})"))).etag, "");
  EXPECT_EQ(only(parse_events(grid_event(R"({"url":"https://a.blob.core.windows.net/in/a","eTag":5})"))).etag, "");
}

TEST(BlobEvent, TheValidationEvent) {
  const std::string type = "Microsoft.EventGrid.SubscriptionValidationEvent";
  const BlobEvent event = only(parse_events("[" + grid_event(R"({"validationCode":"512d38b6"})", "", type) + "]"));
  EXPECT_EQ(event.kind, Kind::validation);
  EXPECT_EQ(event.validation_code, "512d38b6");
  EXPECT_EQ(kind_of(parse_events(grid_event("{}", "", type))), ErrorKind::reject);
}

TEST(BlobEvent, RefusesWhatIsNoEvent) {
  const std::string good = grid_event(created_data(url_of("in", "a")));
  for (const std::string& json :
       {std::string(), std::string("{}"), std::string("[]"), std::string("null"), std::string("\"text\""),
        std::string("[{}]"), std::string("not json"), std::string("{\"specversion\":\"1.0\"}"),
        std::string("{\"eventType\":5}"), good.substr(0, good.size() - 1), good + good, "[" + good + ",7]",
        "[[" + good + "]]", std::string(100'000, '['),
        "{\"eventType\":\"x\",\"data\":" + std::string(40, '[') + std::string(40, ']') + "}"}) {
    EXPECT_EQ(kind_of(parse_events(json)), ErrorKind::reject) << json.substr(0, 80);
  }
  EXPECT_EQ(kind_of(parse_events(std::string(max_event_bytes + 1, ' '))), ErrorKind::too_large);
}

TEST(BlobEvent, AQueuesTextIsBase64OrPlain) {
  const std::string json = cloud_event(created_data(url_of("in", "a.csv")));
  for (const std::string& text : {json, " " + json + "\n", base64_encoded(json), base64_encoded(json) + "\n",
                                  base64_encoded("[" + json + "]"), base64_encoded("\xEF\xBB\xBF" + json)}) {
    EXPECT_EQ(only(parse_message(text)).blob, "a.csv") << text;
  }
  for (const std::string& text : {std::string(), std::string("  "), std::string("hello"), std::string("Zm9v"),
                                  base64_encoded(base64_encoded(json)), base64_encoded(json).substr(1)}) {
    EXPECT_EQ(kind_of(parse_message(text)), ErrorKind::reject) << text;
  }
}

TEST(BlobEvent, OfThisContainerOrNot) {
  BlobEvent event = only(parse_events(grid_event(created_data(url_of("in", "a")))));
  EXPECT_TRUE(is_arrival(event, "acct", "in"));
  EXPECT_TRUE(is_arrival(event, "", "in"));
  EXPECT_FALSE(is_arrival(event, "acct2", "in"));
  EXPECT_FALSE(is_arrival(event, "acct", "in2"));
  event.account.clear();
  EXPECT_TRUE(is_arrival(event, "acct", "in"));
  event.kind = Kind::other;
  EXPECT_FALSE(is_arrival(event, "acct", "in"));
}

/// Names of any characters, those that URLs and JSON have a use for among them.
rc::Gen<std::string> any_name() {
  const auto code = rc::gen::weightedOneOf<char32_t>(
      {{4, rc::gen::element<char32_t>(' ', '%', '+', '/', '?', '#', '&', '"', '\\', '.', '2', 'F', ':')},
       {3, rc::gen::inRange<char32_t>(1, 0x80)},
       {2, rc::gen::inRange<char32_t>(0x80, 0xD800)},
       {1, rc::gen::inRange<char32_t>(0xE000, 0x110000)}});
  return rc::gen::map(rc::gen::nonEmpty(rc::gen::container<std::vector<char32_t>>(code)),
                      [](const std::vector<char32_t>& codes) {
                        std::string name;
                        for (const char32_t each : codes) append_utf8(name, each);
                        return name;
                      });
}

RC_GTEST_PROP(BlobEvent, AnyNameComesThroughAnUrl, ()) {
  const std::string name = *any_name();
  const std::string endpoint =
      *rc::gen::element<std::string>("https://acct.blob.core.windows.net", "http://127.0.0.1:1/acct");
  const std::string data = created_data(url_of("in", name, endpoint));
  const std::string json = *rc::gen::element(grid_event(data), cloud_event(data));
  const auto events = parse_message(*rc::gen::element(json, base64_encoded(json)));
  RC_ASSERT(events.has_value());
  RC_ASSERT(events->front().blob == name);
  RC_ASSERT(events->front().container == "in");
}

RC_GTEST_PROP(BlobEvent, AnyNameComesThroughASubject, ()) {
  const std::string name = *any_name();
  const auto events = parse_events(cloud_event("{}", "/blobServices/default/containers/in/blobs/" + name));
  RC_ASSERT(events.has_value());
  RC_ASSERT(events->front().blob == name);
}

RC_GTEST_PROP(BlobEvent, ASweepsOwnEventIsRead, ()) {
  const std::string name = *any_name();
  const std::string etag = *rc::gen::container<std::string>(rc::gen::element('0', 'x', 'A', 'f'));
  const auto events = parse_events(event_json({"1", "2026-11-23T01:00:00Z", "acct", "in", name, etag}));
  RC_ASSERT(events.has_value());
  RC_ASSERT(events->size() == 1U);
  RC_ASSERT(is_arrival(events->front(), "acct", "in"));
  RC_ASSERT(!is_arrival(events->front(), "acct2", "in"));
  RC_ASSERT(events->front().blob == name);
  RC_ASSERT(events->front().etag == etag);
}

constexpr std::string_view created = "Microsoft.Storage.BlobCreated";

TEST(BlobEvent, ACloudEventMayBelongToATrace) {
  const std::string data = created_data(url_of("in", "a.csv"));
  const BlobEvent event = parse_events(cloud_event(data, "", created, testing::traced)).value().front();
  EXPECT_EQ(telemetry::traceparent(event.trace), testing::a_traceparent);
  EXPECT_EQ(event.trace.state, "a=1,b=2");
  EXPECT_FALSE(parse_events(cloud_event(data)).value().front().trace.has_trace());
  for (const char* odd : {R"("traceparent":"00-x",)", R"("traceparent":7,)", R"("tracestate":"a=1",)"}) {
    EXPECT_FALSE(parse_events(cloud_event(data, "", created, odd)).value().front().trace.has_trace()) << odd;
  }
}

TEST(BlobEvent, EventGridsOwnSchemaHasNoPlaceForATrace) {
  std::string event = grid_event(created_data(url_of("in", "a.csv")));
  EXPECT_FALSE(parse_events(event.insert(1, testing::traced)).value().front().trace.has_trace());
}

TEST(BlobEvent, WhatASweepPutsIntoAQueueKeepsItsTrace) {
  const telemetry::TraceContext trace = telemetry::trace_context(testing::a_traceparent, "a=1");
  const BlobEvent event =
      parse_events(event_json({"1", "2026-11-23T01:00:00Z", "acct", "in", "a.csv", "0x8D", trace})).value().front();
  EXPECT_EQ(telemetry::traceparent(event.trace), testing::a_traceparent);
  EXPECT_EQ(event.trace.state, "a=1");
}

}  // namespace
}  // namespace dropscore::event
