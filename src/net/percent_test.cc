#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "net/http_client.h"

namespace dropscore::net {
namespace {

TEST(PercentCoding, AsAzureWantsIt) {
  EXPECT_EQ(percent_encoded("d\xC3\xADr a/x+y &#.csv", "/"), "d%C3%ADr%20a/x%2By%20%26%23.csv");
  EXPECT_EQ(percent_encoded("az-AZ_09.~"), "az-AZ_09.~");
  EXPECT_EQ(percent_encoded("/?#[]@!$&'()*+,;="), "%2F%3F%23%5B%5D%40%21%24%26%27%28%29%2A%2B%2C%3B%3D");
}

TEST(PercentCoding, UndoneOnce) {
  EXPECT_EQ(percent_decoded("a%2Fb%2fc+d").value(), "a/b/c+d");
  EXPECT_EQ(percent_decoded("%2525").value(), "%25");
  for (const char* broken : {"%", "a%2", "%G0", "%0G", "%%20"}) {
    EXPECT_EQ(percent_decoded(broken).error().kind, ErrorKind::reject) << broken;
  }
}

TEST(PercentCoding, ThereAndBack) {
  EXPECT_TRUE(rc::check("decoding undoes encoding", [](const std::string& text) {
    const std::string encoded = percent_encoded(text);
    RC_ASSERT(percent_decoded(encoded).value() == text);
    for (const char c : encoded) RC_ASSERT(c > ' ' && c < 0x7F && c != '/' && c != '?' && c != '&');
  }));
}

}  // namespace
}  // namespace dropscore::net
