#include "app/function/payload_filter.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "base/json_writer.h"

namespace dropscore::function {
namespace {

/// Through the filter in pieces of `piece` bytes.
std::string filtered(std::string_view text, std::size_t most, std::size_t piece = std::string::npos) {
  PayloadFilter filter(most);
  std::string kept;
  while (!text.empty()) {
    filter.take(text.substr(0, piece), kept);
    text.remove_prefix(std::min(piece, text.size()));
  }
  return kept;
}

TEST(PayloadFilter, LeavesOutLongStringsAlone) {
  EXPECT_EQ(filtered(R"({"a":"1234","b":"12345","c":[1,"x"]})", 4), R"({"a":"1234","b":null,"c":[1,"x"]})");
  EXPECT_EQ(filtered(R"(["\"\\\"","\"\\\"x"])", 6), R"(["\"\\\"",null])");
  EXPECT_EQ(filtered(R"(["",1])", 0), R"(["",1])");
  EXPECT_EQ(filtered("", 4), "");
  EXPECT_EQ(filtered(R"({"a":"never ends)", 4), R"({"a":)");
  EXPECT_EQ(filtered(R"({"too long a name":1})", 4), "{null:1}");  // which no parser takes
}

TEST(PayloadFilter, HoldsLittleOfALongBlob) {
  PayloadFilter filter(1000);
  std::string kept;
  filter.take(R"({"Data":{"inputBlob":")", kept);
  const std::string piece(65536, 'A');
  for (int i = 0; i < 1000; ++i) {
    filter.take(piece, kept);
    ASSERT_LT(kept.size(), 1100U);
  }
  filter.take(R"("},"Metadata":{}})", kept);
  EXPECT_EQ(kept, R"({"Data":{"inputBlob":null},"Metadata":{}})");
  EXPECT_LT(kept.capacity(), 200'000U);
}

RC_GTEST_PROP(PayloadFilterProperty, CutsMakeNoDifferenceAndShortStringsStay, (const std::vector<std::string>& texts)) {
  std::string json = "[";
  std::size_t longest = 0;
  for (const std::string& text : texts) {
    if (json.size() > 1) json += ',';
    const std::size_t before = json.size();
    append_json_string(json, text);
    longest = std::max(longest, json.size() - before - 2);
  }
  json += ']';
  RC_ASSERT(filtered(json, longest) == json);
  const auto most = *rc::gen::inRange<std::size_t>(0, longest + 2);
  const auto piece = *rc::gen::inRange<std::size_t>(1, 9);
  RC_ASSERT(filtered(json, most, piece) == filtered(json, most));
}

}  // namespace
}  // namespace dropscore::function
