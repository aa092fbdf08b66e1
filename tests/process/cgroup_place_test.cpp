// Where the host finds its memory cgroup, on machines of several kinds, by what their /proc says.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "host/os/cgroup.h"

namespace perdure::os {
namespace {

constexpr const char* kVersionOneMount =
    "31 23 0:28 / /sys/fs/cgroup rw shared:9 - tmpfs tmpfs rw\n"
    "33 31 0:31 / /sys/fs/cgroup/cpu,cpuacct rw shared:11 - cgroup cgroup rw,cpu,cpuacct\n"
    "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:12 - cgroup cgroup rw,memory\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

TEST(CgroupPlace, IsInTheMemoryHierarchyOfVersionOne) {
  std::string why;
  const auto place =
      own_cgroup("9:name=systemd:/\n4:memory:/system.slice/perdure.service\n0::/x\n", kVersionOneMount, why);
  ASSERT_TRUE(place) << why;
  EXPECT_EQ(place->version, CgroupVersion::kOne);
  EXPECT_EQ(place->directory, "/sys/fs/cgroup/memory/system.slice/perdure.service");
}

TEST(CgroupPlace, OfTheRootIsTheMountItself) {
  std::string why;
  EXPECT_EQ(own_cgroup("4:cpu,memory:/\n", kVersionOneMount, why)->directory, "/sys/fs/cgroup/memory");
}

TEST(CgroupPlace, InAContainerIsBelowThePartThatIsMounted) {
  std::string why;
  const std::string mounts = "35 31 0:32 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
  EXPECT_EQ(own_cgroup("4:memory:/docker/abc/inner\n", mounts, why)->directory, "/sys/fs/cgroup/memory/inner");
  EXPECT_FALSE(own_cgroup("4:memory:/elsewhere\n", mounts, why));
}

TEST(CgroupPlace, OfVersionTwoNeedsTheMemoryController) {
  const std::filesystem::path root = std::filesystem::path(testing::TempDir()) / "perdure-cgroup-place";
  std::filesystem::create_directories(root / "user.slice");
  const std::string mounts = "41 31 0:38 / " + root.string() + " rw - cgroup2 cgroup2 rw\n";
  std::string why;
  std::ofstream(root / "user.slice/cgroup.controllers") << "cpu memory pids\n";
  const auto place = own_cgroup("0::/user.slice\n", mounts, why);
  ASSERT_TRUE(place) << why;
  EXPECT_EQ(place->version, CgroupVersion::kTwo);
  EXPECT_EQ(place->directory, (root / "user.slice").string());
  std::ofstream(root / "user.slice/cgroup.controllers") << "cpu pids\n";
  EXPECT_FALSE(own_cgroup("0::/user.slice\n", mounts, why));
  EXPECT_NE(why.find("the memory controller is not enabled"), std::string::npos) << why;
  std::filesystem::remove_all(root);
}

TEST(CgroupPlace, IsNowhereWhereNothingIsMounted) {
  std::string why;
  EXPECT_FALSE(own_cgroup("", "", why));
  EXPECT_EQ(why, "no cgroup hierarchy that this process is in is mounted");
}

TEST(CgroupPlace, TheLeastLimitAboveHolds) {
  const std::filesystem::path root = std::filesystem::path(testing::TempDir()) / "perdure-cgroup-limit";
  std::filesystem::create_directories(root / "a/b");
  const CgroupPlace place{CgroupVersion::kTwo, root / "a/b"};
  std::ofstream(root / "a/b/memory.max") << "max\n";
  EXPECT_FALSE(memory_limit_at(place));
  std::ofstream(root / "a/memory.max") << "1000000000\n";
  EXPECT_EQ(memory_limit_at(place), 1'000'000'000u);
  std::ofstream(root / "a/b/memory.max") << "2000000000\n";
  EXPECT_EQ(memory_limit_at(place), 1'000'000'000u);
  std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace perdure::os
