// The engine goes on with attempts that outlived the host before it.
#include <gtest/gtest.h>

#include "tests/engine/host_simulation.h"

namespace perdure::engine::testing {
namespace {

class AdoptionTest : public ::testing::Test {
 protected:
  AdoptionTest()
      : host_({.concurrency = 2,
               .memory = std::uint64_t{1} << 30,
               .script =
                   [this](const process::AttemptSpec& spec) {
                     started_.push_back(spec);
                     Ending ending;
                     ending.takes = store::Duration(100);
                     ending.result.output = "\"done\"";
                     return ending;
                   },
               .fault = {},
               .outlives = true}) {
    host_.boot();
  }

  store::RunId executing() {
    const std::size_t before = started_.size();
    host_.trigger("task");
    while (started_.size() == before) EXPECT_TRUE(host_.core.step());
    return host_.acknowledged.back();
  }
  void next_host() {
    host_.kill();
    host_.boot();
  }
  void come_to_rest() { ASSERT_TRUE(host_.core.run_out(100'000)); }

  std::vector<process::AttemptSpec> started_;
  HostSimulation host_;
};

TEST_F(AdoptionTest, AnAttemptThatOutlivedItsHostEndsItsRun) {
  const store::RunId id = executing();
  next_host();
  EXPECT_EQ(host_.engine->status().executing, 1u) << "in its slot again";
  come_to_rest();
  EXPECT_EQ(host_.launcher->adopted, 1u);
  const store::Run run = host_.store->run(id).value();
  EXPECT_EQ(run.status, store::RunStatus::kCompleted);
  EXPECT_EQ(run.attempts, 1u);
  EXPECT_EQ(run.host_losses, 0u);
  EXPECT_EQ(host_.wrong, "");
}

TEST_F(AdoptionTest, ItIsAdoptedAsItWasStarted) {
  executing();
  next_host();
  come_to_rest();
  ASSERT_EQ(started_.size(), 2u);
  EXPECT_EQ(started_[1].run, started_[0].run);
  EXPECT_EQ(started_[1].number, started_[0].number);
  EXPECT_EQ(started_[1].token, started_[0].token);
  EXPECT_EQ(started_[1].version, started_[0].version);
  EXPECT_EQ(started_[1].machine, started_[0].machine);
}

TEST_F(AdoptionTest, AdoptedAttemptsHoldTheirSlotsAndTheirMemory) {
  executing();
  executing();  // both slots, and the memory of two machines
  next_host();
  EXPECT_EQ(host_.engine->status().memory_reserved, std::uint64_t{1} << 30);
  host_.trigger("task");
  come_to_rest();
  EXPECT_EQ(host_.launcher->most_at_once(), 2u);
  EXPECT_EQ(host_.launcher->adopted, 2u);
  EXPECT_EQ(check_history(*host_.store, host_.acknowledged), "");
}

TEST_F(AdoptionTest, OneWhoseRunIsOverIsNotAdopted) {
  const store::RunId id = executing();
  host_.kill();
  host_.boot();
  const process::Survivor late{0, id, started_[0].number, started_[0].token};
  come_to_rest();
  host_.kill();
  ASSERT_EQ(host_.store->run(id).value().status, store::RunStatus::kCompleted);
  host_.boot_with({late});
  come_to_rest();
  EXPECT_EQ(host_.launcher->adopted, 0u);
}

TEST_F(AdoptionTest, OneWithAnotherFenceIsNotAdopted) {
  const store::RunId id = executing();
  host_.kill();
  host_.boot_with({{0, id, 1, "another"}});
  come_to_rest();
  EXPECT_EQ(host_.launcher->adopted, 0u);
  EXPECT_EQ(host_.store->run(id).value().host_losses, 1u);
  EXPECT_EQ(host_.store->run(id).value().status, store::RunStatus::kCompleted) << "by another attempt";
}

TEST_F(AdoptionTest, AChildThatOnlyCallsHooksIsNotAdopted) {
  const store::RunId id = executing();
  host_.kill();
  host_.boot_with({{0, id, 1, started_[0].token, true}});
  come_to_rest();
  EXPECT_EQ(host_.launcher->adopted, 0u);
  EXPECT_EQ(host_.store->run(id).value().host_losses, 1u);
}

TEST_F(AdoptionTest, AnAdoptedAttemptIsCanceled) {
  const store::RunId id = executing();
  next_host();
  host_.engine->cancel(id, "because", [](const store::Result<store::Run>&) {});
  come_to_rest();
  EXPECT_EQ(host_.store->run(id).value().status, store::RunStatus::kCanceled);
  EXPECT_EQ(host_.store->run(id).value().attempts, 1u);
}

}  // namespace
}  // namespace perdure::engine::testing
