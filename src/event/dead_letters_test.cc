#include "event/dead_letters.h"

#include <gtest/gtest.h>

#include "base/base64.h"

namespace dropscore::event {
namespace {

TEST(DeadLetters, AreForPeopleToRead) {
  EXPECT_EQ(dead_letter_json({"tried 5 times", "dir/a.csv", "0x8D", 5, base64_encoded("{\"id\":1}")}),
            R"({"reason":"tried 5 times","blob":"dir/a.csv","etag":"0x8D","attempts":5,"message":"{\"id\":1}"})");
  EXPECT_EQ(dead_letter_json({"no event", {}, {}, 1, "hello \xFF"}),
            "{\"reason\":\"no event\",\"blob\":null,\"etag\":null,\"attempts\":1,\"message\":\"hello \xEF\xBF\xBD\"}");
}

TEST(DeadLetters, FitIntoAMessage) {
  for (const std::string& text : {std::string(65536, 'x'), std::string(65536, '\0'), std::string(65536, '\xFF')}) {
    const std::string json = dead_letter_json({"no event", {}, {}, 1, text});
    EXPECT_LE(json.size(), AzureQueue::max_payload_bytes);
    EXPECT_GT(json.size(), AzureQueue::max_payload_bytes / 4) << "as much as fits, or half of it";
    EXPECT_TRUE(json.ends_with("\"}"));
  }
}

TEST(DeadLetters, TheQueuesName) {
  EXPECT_EQ(dead_letter_queue("scoring-work"), "scoring-work-poison");
  EXPECT_EQ(dead_letter_queue(std::string(56, 'a')).value().size(), 63U);
  EXPECT_EQ(dead_letter_queue(std::string(57, 'a')).error().kind, ErrorKind::misuse);
  for (const char* name : {"ab", "Scoring", "scoring_work", "-work", "work-", "a--b", "a.b", ""}) {
    EXPECT_EQ(validate_queue_name(name).error().kind, ErrorKind::misuse) << name;
  }
  EXPECT_TRUE(validate_queue_name("a-1"));
}

}  // namespace
}  // namespace dropscore::event
