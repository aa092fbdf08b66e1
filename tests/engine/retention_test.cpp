// Retention: what is configured goes, by age and by count, a little at a time.
#include "host/engine/retention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/engine/host_simulation.h"

namespace perdure::engine::testing {
namespace {

using namespace std::chrono_literals;
using store::RunStatus;

class RetentionTest : public ::testing::Test {
 protected:
  void boot(const std::function<void(RetentionOptions&)>& configure) {
    host_ = std::make_unique<HostSimulation>(HostSimulation::Options{
        .script =
            [this](const process::AttemptSpec&) {
              Ending ending;
              ending.takes = 1ms;
              ending.result.output = "null";
              if (fails_) {
                ending.result.failure = store::Failure{store::FailureKind::kTaskError, "Boom", "boom", {}, {}};
              }
              return ending;
            },
        .fault =
            [this](std::string_view operation) {
              if (operation == "remove_finished") ++calls_;
              return operation == failing_ ? store::Status::io("injected") : store::Status::ok();
            }});
    store::RetryPolicy once;
    once.max_attempts = 1;
    host_->catalog = catalog_of({"task"}, once);
    configure(host_->retention);
    host_->boot();
    pass(1s);
  }
  void pass(store::Duration time) { host_->core.run_until(host_->core.now() + time); }
  void run(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) host_->trigger("task");
    pass(5s);
  }
  std::uint64_t count(RunStatus status) { return host_->store->counts().at(status); }

  bool fails_ = false;
  std::string failing_;
  std::size_t calls_ = 0;
  std::unique_ptr<HostSimulation> host_;
};

TEST_F(RetentionTest, RunsGoWhenTheyAreAsOldAsTheirStatusMayBecome) {
  boot([](RetentionOptions& options) {
    options.of(RunStatus::kCompleted).age = 24h;
    options.of(RunStatus::kFailed).age = 72h;
  });
  run(20);
  fails_ = true;
  run(10);
  pass(23h);
  EXPECT_EQ(count(RunStatus::kCompleted), 20u);
  pass(2h);
  EXPECT_EQ(count(RunStatus::kCompleted), 0u);
  EXPECT_EQ(count(RunStatus::kFailed), 10u);
  pass(48h);
  EXPECT_EQ(count(RunStatus::kFailed), 0u);
}

TEST_F(RetentionTest, ABatchThatIsNeverCompleteGoesAfterADay) {
  boot([](RetentionOptions& options) { options.of(RunStatus::kCompleted).age = 240h; });
  store::BatchId id;
  host_->engine->create_batch({.id = {}, .run_count = 2, .idempotency_key = "k", .parent = {}},
                              [&](const store::Result<store::Batch>& batch) { id = batch->id; });
  pass(23h);
  EXPECT_TRUE(host_->store->batch(id));
  pass(2h);
  EXPECT_EQ(host_->store->batch(id).status().code(), store::Code::kNotFound);
}

TEST_F(RetentionTest, TheNewestSoManyAreKeptHoweverYoung) {
  boot([](RetentionOptions& options) { options.of(RunStatus::kCompleted).runs = 50; });
  run(300);
  pass(30min);
  EXPECT_EQ(count(RunStatus::kCompleted), 50u);
  EXPECT_TRUE(host_->store->run(host_->acknowledged.back()));
  EXPECT_EQ(host_->store->run(host_->acknowledged.front()).status().code(), store::Code::kNotFound);
}

TEST_F(RetentionTest, WhoHasJustEndedIsKeptAMinuteAtLeast) {
  boot([](RetentionOptions& options) {
    options.of(RunStatus::kCompleted).age = 1ms;
    options.of(RunStatus::kCompleted).runs = 1;
  });
  pass(10min + 20s);
  run(5);  // half a minute before a round
  pass(1min);
  EXPECT_EQ(count(RunStatus::kCompleted), 5u);
  pass(11min);
  EXPECT_EQ(count(RunStatus::kCompleted), 0u);
}

TEST_F(RetentionTest, WithoutLimitsEverythingIsKeptAndTheStoreIsNotAsked) {
  boot([](RetentionOptions&) {});
  run(10);
  pass(365 * 24h);
  EXPECT_EQ(count(RunStatus::kCompleted), 10u);
  EXPECT_EQ(calls_, 0u);
}

TEST_F(RetentionTest, TokensGoWhenTheyHaveBeenOverForLong) {
  boot([](RetentionOptions& options) { options.tokens = 24h; });
  std::vector<store::TokenId> made;
  for (int i = 0; i < 250; ++i) {
    TokenRequest request;
    request.timeout = i % 2 == 0 ? store::Duration(1min) : store::Duration(1000h);
    host_->engine->tokens().create(request, [&](const store::Result<store::CreatedToken>& created) {
      ASSERT_TRUE(created);
      made.push_back(created->token.id);
    });
  }
  pass(23h);
  ASSERT_EQ(made.size(), 250u);
  const auto there = [&] {
    return std::ranges::count_if(made, [&](const store::TokenId& id) { return host_->store->token(id).is_ok(); });
  };
  EXPECT_EQ(there(), 250);
  pass(2h);
  EXPECT_EQ(there(), 125) << "those that still wait stay";
}

TEST_F(RetentionTest, AStoreThatFailsMeanwhileIsAskedAgainWhenItServes) {
  boot([](RetentionOptions& options) { options.of(RunStatus::kCompleted).age = 1h; });
  run(20);
  failing_ = "remove_finished";
  pass(2h);
  EXPECT_EQ(count(RunStatus::kCompleted), 20u);
  failing_.clear();
  host_->store->serve_again();
  pass(1min);
  EXPECT_EQ(count(RunStatus::kCompleted), 0u);
}

}  // namespace
}  // namespace perdure::engine::testing
