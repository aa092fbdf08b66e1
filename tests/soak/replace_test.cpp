// A plugin that is replaced a thousand times while its runs flow: none fails, each is served by a version that there
// was when it started, and nothing of the versions that went stays behind in the host.
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tests/e2e/changeling.h"
#include "tests/e2e/holdings.h"

namespace perdure::e2e {
namespace {

namespace fs = std::filesystem;

constexpr int kReplacements = 1000;
constexpr int kRunsEach = 20;
// What the store and the allocator may come to hold between the middle and the end.
constexpr long kMostGrowth = 24L << 10;  // kB

TEST(Soak, APluginIsReplacedAThousandTimesWhileTwentyThousandRunsFlow) {
  const Changelings plugins;
  plugins.put("a.so", "version=0");
  HostProcess host({.plugins = plugins.path()});
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();

  struct Triggered {
    std::string id;
    int serving;  // the version that surely served by then
  };
  std::vector<Triggered> runs;
  Holdings middle;
  for (int version = 1; version <= kReplacements; ++version) {
    plugins.put("a.so", "version=" + std::to_string(version));
    for (int i = 0; i < kRunsEach; ++i) runs.push_back({trigger(http, "which", "{}"), version - 1});
    await_version(http, std::to_string(version));
    ASSERT_FALSE(HasFailure()) << "at version " << version;
    if (version == kReplacements / 2) middle = holdings(host.pid());
  }

  std::map<int, int> served;  // runs, by version
  for (const Triggered& each : runs) {
    const auto run = await_run(http, each.id);
    ASSERT_EQ(std::string(run.at("status").as_string()), "COMPLETED") << boost::json::serialize(run);
    ASSERT_EQ(run.at("attempts").as_array().size(), 1u) << boost::json::serialize(run);
    const int version = std::stoi(std::string(run.at("output").at("version").as_string()));
    ASSERT_GE(version, each.serving) << "it began on a version that another had taken the place of";
    ASSERT_LE(version, kReplacements);
    ++served[version];
  }
  EXPECT_EQ(runs.size(), std::size_t{kReplacements} * kRunsEach);
  EXPECT_GT(served.size(), kReplacements / 2u) << "versions took turns";

  // Only the last one is left: no process, descriptor or copy of the others.
  await_plugin(http, [&](const auto&) { return holdings(host.pid()).named("perdure-zygote") == 1; });
  const Holdings end = holdings(host.pid());
  EXPECT_LE(end.descriptors, middle.descriptors + 4);
  EXPECT_LE(end.memory, middle.memory + kMostGrowth);
  std::size_t copies = 0;
  for (const auto& entry : fs::directory_iterator(host.data() / "plugins")) copies += entry.is_directory() ? 1 : 0;
  EXPECT_LE(copies, 10u);
  RecordProperty("memory_middle_kb", static_cast<int>(middle.memory));
  RecordProperty("memory_end_kb", static_cast<int>(end.memory));
}

}  // namespace
}  // namespace perdure::e2e
