// Thousands of seeded lives of a host: runs of every ending are triggered while the store fails, the host is killed and
// started again. A failing seed is printed and reproduces: PERDURE_SEED=n runs that one alone.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "tests/engine/host_simulation.h"

namespace perdure::engine::testing {
namespace {

using namespace std::chrono_literals;

Ending any_ending(std::mt19937_64& random) {
  static constexpr store::FailureKind kKinds[] = {store::FailureKind::kTaskError,
                                                  store::FailureKind::kAborted,
                                                  store::FailureKind::kCrashed,
                                                  store::FailureKind::kStalled,
                                                  store::FailureKind::kHostLost,
                                                  store::FailureKind::kMaxDurationExceeded,
                                                  store::FailureKind::kExitedWithoutResult};
  Ending ending;
  ending.starts_after = store::Duration(random() % 5);
  ending.takes = store::Duration(random() % 50);
  ending.leaves_after = store::Duration(random() % 5);
  if (random() % 2 == 0) {
    const store::FailureKind kind = kKinds[random() % std::size(kKinds)];
    ending.result.failure = store::Failure{kind, "Any", "any", {}, {}};
    ending.dies = random() % 2 == 0;
  } else {
    ending.result.output = "{}";
  }
  return ending;
}

constexpr process::HookSet kHooks{process::Hook::kOnCancel, process::Hook::kOnComplete, process::Hook::kOnFailure,
                                  process::Hook::kCatchError};

std::string live(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  bool faulty = false;
  HostSimulation* simulation = nullptr;
  HostSimulation host({.concurrency = 1 + random() % 6,
                       .seed = seed,
                       .script = [&random](const process::AttemptSpec&) { return any_ending(random); },
                       .fault =
                           [&](std::string_view) {
                             if (!faulty || random() % 40 != 0) return store::Status::ok();
                             simulation->core.after(store::Duration(random() % 200),
                                                    [&] { simulation->store->serve_again(); });
                             return store::Status::io("injected");
                           },
                       .outlives = seed % 2 == 0});
  simulation = &host;
  host.catalog = catalog_of({"task"}, {}, kHooks);
  host.boot();
  faulty = random() % 2 == 0;
  for (int i = 0; i < 40; ++i) {
    TriggerRequest request;
    if (random() % 4 == 0) request.options.ttl = store::Duration(1 + random() % 40);
    if (random() % 4 == 0) request.delayed_until = host.core.now() + store::Duration(random() % 4000);
    host.core.after(store::Duration(random() % 3000), [&host, request] { host.trigger("task", request); });
  }
  for (int i = 0; i < 10; ++i) {
    host.core.after(store::Duration(random() % 4000), [&host, which = random()] {
      if (!host.engine || host.acknowledged.empty()) return;
      host.engine->cancel(host.acknowledged[which % host.acknowledged.size()], "because",
                          [](const store::Result<store::Run>&) {});
    });
  }
  const std::uint64_t kills = random() % 4;
  for (std::uint64_t i = 0; i < kills; ++i) {
    host.core.after(store::Duration(random() % 3000), [&] {
      host.kill();
      faulty = false;  // a host that cannot recover its store does not start; that is the store's tests' matter
      host.store->serve_again();
      host.boot();
    });
  }
  host.core.after(store::Duration(3000), [&] { faulty = false; });
  if (!host.core.run_out(200000)) return "never came to rest";
  host.kill();
  if (!host.wrong.empty()) return host.wrong;
  std::string wrong = check_history(*host.store, host.acknowledged);
  return wrong.empty() ? check_hooks(host, kHooks) : wrong;
}

TEST(Simulation, EveryAcknowledgedRunEndsOnceWhateverFails) {
  const char* only = std::getenv("PERDURE_SEED");
  const std::uint64_t first = only != nullptr ? std::strtoull(only, nullptr, 10) : 1;
  const std::uint64_t count = only != nullptr ? 1 : 3000;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    ASSERT_EQ(live(seed), "") << "reproduce with PERDURE_SEED=" << seed;
  }
}

TEST(Simulation, TheCheckerCatchesARunThatNeverEnds) {
  HostSimulation host({.script = [](const process::AttemptSpec&) { return Ending{}; }, .fault = {}});
  host.boot();
  host.trigger("task");
  while (host.acknowledged.empty()) ASSERT_TRUE(host.core.step());
  EXPECT_NE(check_history(*host.store, host.acknowledged), "");
  EXPECT_NE(check_history(*host.store, {store::new_run_id(host.core.now())}), "");
}

}  // namespace
}  // namespace perdure::engine::testing
