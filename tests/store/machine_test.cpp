// Machines: the presets, and machines as text.
#include "store/model/machine.h"

#include <gtest/gtest.h>

namespace perdure::store {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

TEST(Machines, ThePresetsAreThoseOfTheTaskModel) {
  std::string all;
  for (const Machine& each : machine_presets()) all += machine_in_words(each) + ", ";
  EXPECT_EQ(all,
            "micro (256 MiB), small-1x (512 MiB), small-2x (1 GiB), medium-1x (2 GiB), medium-2x (4 GiB), "
            "large-1x (8 GiB), large-2x (16 GiB), ");
  EXPECT_EQ(parse_machine("micro")->cpu, 0.25);
  EXPECT_EQ(parse_machine("medium-2x"), (Machine{"medium-2x", 2, 4096 * kMiB}));
}

TEST(Machines, ComeBackFromTheirText) {
  for (const Machine& preset : machine_presets()) EXPECT_EQ(parse_machine(machine_text(preset)), preset);
  for (const Machine& own :
       {Machine{"", 0.1, 16 * kMiB}, Machine{"", 1.0 / 3, 300'000'000}, Machine{"", 1024, 1ull << 50}}) {
    EXPECT_EQ(parse_machine(machine_text(own)), own) << machine_text(own);
  }
}

TEST(Machines, ATextThatIsNoneIsRefused) {
  for (const char* text :
       {"", "small", "small-1x ", "Micro", "/", "1/", "/16777216", "1/16777215", "0/16777216", "-1/16777216",
        "1025/16777216", "1/16777216x", "1/-16777216", "nan/16777216", "1//16777216"}) {
    EXPECT_FALSE(parse_machine(text)) << text;
  }
}

TEST(Machines, AreNamedForPeople) {
  EXPECT_EQ(machine_in_words({"", 0.5, 300 * kMiB}), "0.5 vCPU, 300 MiB");
  EXPECT_EQ(memory_in_words(1536 * kMiB), "1.5 GiB");
  EXPECT_EQ(memory_in_words(0), "0 MiB");
}

TEST(Machines, TheNextOneIsTheSmallestWithMoreMemory) {
  EXPECT_EQ(machine_above(0).name, "micro");
  EXPECT_EQ(machine_above(256 * kMiB).name, "small-1x");
  EXPECT_EQ(machine_above(600 * kMiB).name, "small-2x");
  EXPECT_EQ(machine_above(std::uint64_t{1} << 60).name, "large-2x");
}

}  // namespace
}  // namespace perdure::store
