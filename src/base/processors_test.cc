#include "base/processors.h"

#include <fstream>

#include <gtest/gtest.h>

#include "base/hash.h"

namespace dropscore {
namespace {

class Groups : public testing::Test {
 protected:
  ~Groups() override { std::filesystem::remove_all(mount_); }

  void put(const std::filesystem::path& name, const std::string& text) const {
    std::filesystem::create_directories((mount_ / name).parent_path());
    std::ofstream(mount_ / name) << text << '\n';
  }
  unsigned of_eight(std::string_view groups) const { return processors_within(8, groups, mount_); }

 private:
  std::filesystem::path mount_ = std::filesystem::temp_directory_path() / ("dropscore-groups-" + random_id());
};

TEST_F(Groups, WithoutAQuotaAllCores) {
  EXPECT_EQ(of_eight(""), 8U);
  EXPECT_EQ(of_eight("0::/\n"), 8U);
  put("cpu.max", "max 100000");
  EXPECT_EQ(of_eight("0::/\n"), 8U);
  EXPECT_EQ(of_eight("no line of cgroups(7)"), 8U);
}

TEST_F(Groups, AQuotaRoundedUpAndNeverMoreThanTheCores) {
  put("cpu.max", "250000 100000");
  EXPECT_EQ(of_eight("0::/\n"), 3U);
  put("cpu.max", "20000 100000");
  EXPECT_EQ(of_eight("0::/\n"), 1U);
  put("cpu.max", "3200000 100000");
  EXPECT_EQ(of_eight("0::/\n"), 8U);
}

TEST_F(Groups, TheNarrowestOfTheGroupsAround) {
  put("pods/cpu.max", "200000 100000");
  put("pods/worker/cpu.max", "500000 100000");
  EXPECT_EQ(of_eight("0::/pods/worker\n"), 2U);
  EXPECT_EQ(of_eight("0::/elsewhere\n"), 8U);
}

TEST_F(Groups, OfVersionOne) {
  put("cpu/box/cpu.cfs_quota_us", "150000");
  put("cpu/box/cpu.cfs_period_us", "100000");
  EXPECT_EQ(of_eight("5:memory:/box\n4:cpu,cpuacct:/box\n"), 2U);
  EXPECT_EQ(of_eight("4:cpuset:/box\n"), 8U);
  put("cpu/box/cpu.cfs_quota_us", "-1");
  EXPECT_EQ(of_eight("4:cpu,cpuacct:/box\n"), 8U);
}

TEST(Processors, AtLeastOne) {
  EXPECT_GE(processors(), 1U);
  EXPECT_EQ(processors_within(0, "", "/nowhere"), 1U);
  EXPECT_EQ(threads_or_processors(0), processors());
  EXPECT_EQ(threads_or_processors(7), 7U);
}

}  // namespace
}  // namespace dropscore
