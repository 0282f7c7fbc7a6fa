#include "app/http/negotiation.h"

#include <gtest/gtest.h>

namespace dropscore::http {
namespace {

TEST(BodyType, KnowsJsonAndCsv) {
  EXPECT_EQ(body_type("application/json"), MediaType::json);
  EXPECT_EQ(body_type("Application/JSON ; charset=UTF-8"), MediaType::json);
  EXPECT_EQ(body_type("application/json;charset=\"utf-8\""), MediaType::json);
  EXPECT_EQ(body_type("application/vnd.shop+json"), MediaType::json);
  EXPECT_EQ(body_type("text/csv"), MediaType::csv);
  EXPECT_EQ(body_type("text/csv; header=present; charset=windows-1252"), MediaType::csv);
}

TEST(BodyType, RefusesOthers) {
  for (const char* type :
       {"", "text/plain", "application/x-www-form-urlencoded", "application/+json", "json", "text/csvx",
        "application/jsonp", "application/json; charset=utf-16", "multipart/form-data; boundary=x"}) {
    EXPECT_FALSE(body_type(type)) << type;
  }
}

struct AcceptCase {
  const char* accept;
  unsigned json;
  unsigned csv;
};

TEST(Accept, MostSpecificRangeDecides) {
  for (const AcceptCase& one : {
           AcceptCase{"", 1000, 1000},
           {"*/*", 1000, 1000},
           {"text/csv", 0, 1000},
           {"application/json", 1000, 0},
           {"application/*", 1000, 0},
           {"text/html, */*;q=0.8", 800, 800},
           {"text/csv;q=0.5, application/json;q=0.25", 250, 500},
           {"*/*, text/csv;q=0", 1000, 0},
           {"text/csv;q=0, */*", 1000, 0},
           {"text/*;q=0.1, text/csv", 0, 1000},
           {"image/png", 0, 0},
           {"text/csv; header=\"a,b;q=0\"; q=0.3", 0, 300},
           {"TEXT/CSV;Q=1.000", 0, 1000},
           {"text/csv;q=banana", 0, 1000},
           {",,;;=,", 0, 0},
           {"\"", 0, 0},
       }) {
    EXPECT_EQ(quality_of(MediaType::json, one.accept), one.json) << one.accept;
    EXPECT_EQ(quality_of(MediaType::csv, one.accept), one.csv) << one.accept;
  }
}

}  // namespace
}  // namespace dropscore::http
