#include "job/sample.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace dropscore::job {
namespace {

std::string sample(const SampleOptions& options) {
  std::string all;
  EXPECT_TRUE(write_sample(options, [&all](std::string_view piece) {
    all.append(piece);
    return Status{};
  }));
  return all;
}

TEST(Sample, SameSeedSameBytes) {
  EXPECT_EQ(sample({100, 7, true}), sample({100, 7, true}));
  EXPECT_NE(sample({100, 7, true}), sample({100, 8, true}));
}

TEST(Sample, HasTwentyColumnsAndTheRowsAskedFor) {
  const std::string text = sample({3000, 1, true});
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3001);
  const std::string header = text.substr(0, text.find('\n'));
  EXPECT_EQ(std::count(header.begin(), header.end(), ','), 19);
  EXPECT_TRUE(header.ends_with(",Conversion"));
}

TEST(Sample, UnlabelledCustomersAreTheSameCustomers) {
  const std::string with = sample({1, 1, true});
  const std::string without = sample({1, 1, false});
  const std::string row = with.substr(with.find('\n') + 1);
  EXPECT_EQ(without.substr(without.find('\n') + 1), row.substr(0, row.size() - 3) + "\n");
}

TEST(Sample, AFailingWriterEndsIt) {
  const Status status =
      write_sample({}, [](std::string_view) -> Status { return fail(ErrorKind::try_later, "disk full"); });
  EXPECT_FALSE(status);
}

}  // namespace
}  // namespace dropscore::job
