// Which attempts are to leave a core file: the last permitted one, of a task that asks for it, after a crash.
#include <gtest/gtest.h>

#include "host/engine/diagnostics.h"
#include "tests/engine/host_simulation.h"

namespace perdure::engine::testing {
namespace {

store::Run crashed(std::uint32_t attempts) {
  store::Run run;
  run.attempts = attempts;
  run.failure = store::Failure{store::FailureKind::kCrashed, "SIGSEGV", "", {}, {}};
  return run;
}

TEST(Core, IsKeptOfTheLastPermittedAttemptAfterACrash) {
  store::TaskOptions options;
  options.core_of_last_attempt = true;
  EXPECT_TRUE(keeps_core(crashed(3), options));
  EXPECT_FALSE(keeps_core(crashed(2), options)) << "another one is permitted";
  options.retry.crash_attempts = 2;
  EXPECT_TRUE(keeps_core(crashed(2), options)) << "crashes have their own number";
  store::Run run = crashed(2);
  run.options.max_attempts = 5;
  EXPECT_FALSE(keeps_core(run, options)) << "the trigger asked for more";
}

TEST(Core, IsNotKeptWhereTheAttemptBeforeDidNotCrashOrNobodyAskedForIt) {
  store::TaskOptions options;
  EXPECT_FALSE(keeps_core(crashed(3), options));
  options.core_of_last_attempt = true;
  store::Run first;
  first.attempts = 1;
  EXPECT_FALSE(keeps_core(first, options));
  store::Run failed = crashed(3);
  failed.failure->kind = store::FailureKind::kTaskError;
  EXPECT_FALSE(keeps_core(failed, options));
}

TEST(Core, IsAskedForWithTheLastAttemptOfARunThatCrashesAgainAndAgain) {
  std::vector<std::pair<std::uint32_t, bool>> started;
  HostSimulation host({.script =
                           [&started](const process::AttemptSpec& spec) {
                             started.emplace_back(spec.number, spec.keep_core);
                             Ending ending;
                             ending.result.failure = *crashed(1).failure;
                             ending.dies = true;
                             return ending;
                           },
                       .fault = {}});
  auto offered = std::make_shared<catalog::Snapshot>(*catalog_of({"task"}));
  offered->tasks.begin()->second.options.core_of_last_attempt = true;
  offer_version(*offered, offered->tasks);
  host.catalog = offered;
  host.boot();
  host.trigger("task");
  ASSERT_TRUE(host.core.run_out(1000));
  EXPECT_EQ(started, (std::vector<std::pair<std::uint32_t, bool>>{{1, false}, {2, false}, {3, true}}));
}

}  // namespace
}  // namespace perdure::engine::testing
