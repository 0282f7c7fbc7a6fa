// Invocations as the host writes them: every encoding of its own, and what nobody should send.
#include "app/function/envelope.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "base/base64.h"
#include "base/json_writer.h"
#include "store/store.h"

namespace dropscore::function {
namespace {

/// As a real host sent it, but for account and names.
const std::string captured = R"({"Data":{"inputBlob":"aDEsaDIKMSwyCg=="},
 "Metadata":{
   "Uri":"\"https://acct.blob.core.windows.net/input-data/a.csv\"",
   "Properties":{"LastModified":"2026-05-31T13:28:51+00:00","CreatedOn":"2026-05-31T13:18:04+00:00","Metadata":{},
      "BlobType":0,"LeaseDuration":0,"LeaseState":0,"LeaseStatus":1,"ContentLength":10,"ContentType":"text/csv",
      "ETag":{},"ContentHash":"SK/c+G9WfXJNIQ3lT17FkA==","ContentEncoding":null,"AcceptRanges":"bytes",
      "IsServerEncrypted":true,"AccessTier":"Hot","AccessTierInferred":true,"VersionId":null,"TagCount":0},
   "Metadata":{},
   "name":"\"a.csv\"",
   "sys":{"MethodName":"BlobTriggerConversionPrediction","UtcNow":"2026-05-31T13:55:02.1264382Z",
          "RandGuid":"ca44fda7-c95b-4128-9b3f-fa21ba23644a"}
 }})";

/// A text as the host writes it: JSON in a JSON string.
std::string twice(std::string_view text) {
  std::string once;
  append_json_string(once, text);
  std::string out;
  append_json_string(out, once);
  return out;
}

std::string envelope(const std::string& data, const std::string& metadata) {
  return R"({"Data":)" + data + R"(,"Metadata":)" + metadata + "}";
}
std::string with_uri(std::string_view uri) { return envelope(R"({"inputBlob":""})", R"({"Uri":)" + twice(uri) + "}"); }

TEST(Envelope, Captured) {
  const auto invocation = parse_invocation(captured, {});
  ASSERT_TRUE(invocation) << invocation.error().detail.text;
  EXPECT_EQ(invocation->blob.account, "acct");
  EXPECT_EQ(invocation->blob.container, "input-data");
  EXPECT_EQ(invocation->blob.blob, "a.csv");
  EXPECT_TRUE(invocation->has_entry);
  EXPECT_EQ(invocation->payload, "h1,h2\n1,2\n");
}

TEST(Envelope, NamesOfBlobs) {
  const std::vector<std::pair<std::string, std::string>> uris{
      {"https://acct.blob.core.windows.net/input-data/dir/a%20b%2Bc%25.csv", "dir/a b+c%.csv"},
      {"https://acct.blob.core.windows.net/input-data/caf%C3%A9.csv", "caf\xC3\xA9.csv"},
      {"https://acct.z12.blob.storage.azure.net/input-data/a.csv?sv=1&sig=x", "a.csv"},
      {"http://127.0.0.1:10000/acct/input-data/dir/a.csv", "dir/a.csv"},
      {"http://azurite:10000/acct/input-data/a.csv", "a.csv"},
  };
  for (const auto& [uri, blob] : uris) {
    const auto invocation = parse_invocation(with_uri(uri), {});
    ASSERT_TRUE(invocation) << uri;
    EXPECT_EQ(invocation->blob.account, "acct") << uri;
    EXPECT_EQ(invocation->blob.container, "input-data") << uri;
    EXPECT_EQ(invocation->blob.blob, blob) << uri;
  }
  // Encoded once, as a later host might.
  EXPECT_EQ(parse_invocation(R"({"Data":{},"Metadata":{"Uri":"https://acct.blob.core.windows.net/c/a.csv"}})", {})
                ->blob.container,
            "c");
  // The name alone, twice, once, and such that the inner text is JSON but no text.
  EnvelopeOptions options;
  options.input_container = "elsewhere";
  for (const auto& [name, blob] : std::vector<std::pair<std::string, std::string>>{
           {R"("\"dir/a b.csv\"")", "dir/a b.csv"}, {R"("a.csv")", "a.csv"}, {R"("123")", "123"}}) {
    const auto invocation = parse_invocation(envelope("{}", R"({"name":)" + name + "}"), options);
    ASSERT_TRUE(invocation) << name;
    EXPECT_EQ(invocation->blob.blob, blob);
    EXPECT_EQ(invocation->blob.container, "elsewhere");
    EXPECT_EQ(invocation->blob.account, "");
    EXPECT_FALSE(invocation->has_entry);
  }
}

TEST(Envelope, Payloads) {
  const std::string metadata = R"({"name":"a.csv"})";
  // What is base64 and JSON at once is base64.
  EXPECT_EQ(parse_invocation(envelope(R"({"inputBlob":"1234"})", metadata), {})->payload, base64_decoded("1234"));
  EXPECT_EQ(parse_invocation(envelope(R"({"inputBlob":""})", metadata), {})->payload, "");
  const auto left_out = parse_invocation(envelope(R"({"inputBlob":null})", metadata), {});
  EXPECT_TRUE(left_out->has_entry);
  EXPECT_FALSE(left_out->payload);
  EnvelopeOptions other;
  other.input_binding = "myblob";
  EXPECT_EQ(parse_invocation(envelope(R"({"myblob":"YQ==","inputBlob":"Yg=="})", metadata), other)->payload, "a");
  EnvelopeOptions unwanted;
  unwanted.wants_payload = false;
  EXPECT_FALSE(parse_invocation(envelope(R"({"inputBlob":"!"})", metadata), unwanted)->payload);
}

TEST(Envelope, Refused) {
  const std::string metadata = R"({"name":"a.csv"})";
  const std::vector<std::string> bad{
      "",
      "{",
      "[]",
      "null",
      "{}",
      captured.substr(0, captured.size() - 1),
      R"({"Data":{"inputBlob":""}})",
      envelope(R"({"inputBlob":""})", "[]"),
      envelope(R"({"inputBlob":""})", R"({"Uri":"\"https://acct.blob.core.windows.net/only-a-container\""})"),
      envelope(R"({"inputBlob":""})", R"({"Uri":"no url"})"),
      envelope(R"({"inputBlob":""})", R"({"name":""})"),
      envelope(R"({"inputBlob":""})", R"({"name":7})"),
      envelope(R"({"inputBlob":""})", R"({"name":"../a.csv"})"),
      envelope(R"({"inputBlob":""})", R"({"name":"a\u0000.csv"})"),
      with_uri("https://acct.blob.core.windows.net/input-data/../../etc/passwd"),
      with_uri("https://acct.blob.core.windows.net/input-data/a%2"),
      with_uri("https://acct.blob.core.windows.net/input-data/" + std::string(1025, 'x')),
      envelope(R"({"inputBlob":"YQ="})", metadata),
      envelope(R"({"inputBlob":"Y Q=="})", metadata),
      envelope(R"({"inputBlob":"\"YQ==\""})", metadata),
      envelope(R"({"inputBlob":7})", metadata),
      envelope(R"({"inputBlob":{"a":1}})", metadata),
      "\xEF\xBB\xBF\xFF",
      std::string(5000, '['),
      R"({"Data":{"inputBlob":"YQ=="},"Metadata":{"name":")" + std::string("\xFF") + R"("}})",
  };
  for (const std::string& json : bad) {
    const auto invocation = parse_invocation(json, {});
    ASSERT_FALSE(invocation) << json.substr(0, 100);
    EXPECT_EQ(invocation.error().kind, ErrorKind::reject) << json.substr(0, 100);
  }
}

TEST(Envelope, Reply) {
  const std::vector<std::string> logs{"scored \"3\" rows"};
  EXPECT_EQ(invocation_reply("out", "{}\n", logs),
            R"({"Outputs":{"out":"e30K"},"Logs":["scored \"3\" rows"],"ReturnValue":null})");
  EXPECT_EQ(invocation_reply("out", std::nullopt, {}), R"({"Outputs":{},"Logs":[],"ReturnValue":null})");
}

RC_GTEST_PROP(EnvelopeProperty, PayloadsComeBackWhole, (const std::string& bytes)) {
  const auto invocation =
      parse_invocation(envelope(R"({"inputBlob":")" + base64_encoded(bytes) + "\"}", R"({"name":"a.csv"})"), {});
  RC_ASSERT(invocation.has_value());
  RC_ASSERT(invocation->payload == bytes);
}

RC_GTEST_PROP(EnvelopeProperty, AnyTextIsAnInvocationOrRefused, (const std::string& bytes)) {
  const auto invocation = parse_invocation(bytes, {});
  RC_ASSERT(!invocation);
}

RC_GTEST_PROP(EnvelopeProperty, OneWrongByteNeverHarms, ()) {
  std::string json = captured;
  const auto at = *rc::gen::inRange<std::size_t>(0, json.size());
  json[at] = *rc::gen::arbitrary<char>();
  const auto invocation = parse_invocation(json, {});
  if (invocation) {
    RC_ASSERT(!invocation->blob.blob.empty());
    RC_ASSERT(store::validate_name(invocation->blob.blob).has_value());
  } else {
    RC_ASSERT(invocation.error().kind == ErrorKind::reject);
  }
}

}  // namespace
}  // namespace dropscore::function
