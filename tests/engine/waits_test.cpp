// Runs that wait, on simulated children: their slot is others' meanwhile, they hear what came, and whatever fails they
// go on once.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <random>

#include "tests/engine/host_simulation.h"

namespace perdure::engine::testing {
namespace {

using namespace std::chrono_literals;
using protocol::ReplyStatus;
using protocol::RequestKind;

process::AttemptRequest wait(int call, const std::string& what, const std::string& name = "wait") {
  return {0, RequestKind::kWait, R"({"call":)" + std::to_string(call) + R"(,"name":")" + name + "\"," + what + "}", {}};
}
process::AttemptRequest trigger(int call, const std::string& task) {
  return {0, RequestKind::kTrigger,
          R"({"call":)" + std::to_string(call) + R"(,"task":")" + task + R"(","awaited":true})", "1"};
}

// An attempt that triggers a child and waits for it; the answers.
struct Parent {
  store::RunId child;
  std::vector<process::AttemptReply> answers;

  Ending ending(const std::string& single = R"("single":true,)") {
    Ending ending;
    ending.result.output = "1";
    ending.asks.push_back(
        {trigger(1, "child"), [this](const process::AttemptReply& reply) { child = store::RunId(reply.raw); }});
    ending.asks.push_back(
        {wait(2, ""), [this](const process::AttemptReply& reply) { answers.push_back(reply); },
         [this, single] { return wait(2, single + R"("for":[{"run":")" + child.text() + "\"}]").json; }});
    return ending;
  }
};

TEST(EngineWaits, AParentHearsWhatItsChildReturnedInTheOneSlotThereIs) {
  Parent parent;
  HostSimulation host({.concurrency = 1,
                       .script =
                           [&](const process::AttemptSpec& spec) {
                             Ending ending;
                             ending.result.output = R"({"a":1})";
                             return spec.task.text() == "task" ? parent.ending() : ending;
                           },
                       .fault = {}});
  host.catalog = catalog_of({"task", "child"});
  host.boot();
  host.trigger("task");
  ASSERT_TRUE(host.core.run_out(10000));
  host.kill();
  EXPECT_EQ(host.wrong, "");
  ASSERT_EQ(parent.answers.size(), 1u);
  EXPECT_EQ(parent.answers[0].status, ReplyStatus::kOk);
  EXPECT_EQ(parent.answers[0].raw, R"({"a":1})");
  EXPECT_EQ(host.store->run(host.acknowledged[0]).value().status, store::RunStatus::kCompleted);
  EXPECT_EQ(host.most_at_once, 1u);
}

// Where there may be no more processes, runs stay queued, and those that wait go on nevertheless.
TEST(EngineWaits, NoMoreRunsBeginThanMayHaveAProcess) {
  std::vector<process::AttemptReply> answers;
  HostSimulation host({.concurrency = 3,
                       .processes = 5,
                       .script =
                           [&](const process::AttemptSpec&) {
                             Ending ending;
                             ending.result.output = "1";
                             ending.asks.push_back(
                                 {wait(1, R"("for":[{"ms":3600000}])"),
                                  [&](const process::AttemptReply& reply) { answers.push_back(reply); }});
                             return ending;
                           },
                       .fault = {}});
  host.boot();
  for (int i = 0; i < 17; ++i) host.trigger("task");
  ASSERT_TRUE(host.core.run_out(10000));
  EXPECT_EQ(host.launcher->most_processes(), 5u);
  host.kill();
  EXPECT_EQ(host.wrong, "");
  EXPECT_EQ(answers.size(), 17u);
  EXPECT_EQ(check_history(*host.store, host.acknowledged), "");
}

TEST(EngineWaits, AFailedChildIsToldWithItsErrorStatusAndId) {
  for (const bool single : {true, false}) {
    Parent parent;
    HostSimulation host(
        {.script =
             [&](const process::AttemptSpec& spec) {
               Ending ending;
               ending.result.failure = store::Failure{store::FailureKind::kAborted, "Broken", "it broke", {}, {}};
               return spec.task.text() == "task" ? parent.ending(single ? R"("single":true,)" : std::string()) : ending;
             },
         .fault = {}});
    host.catalog = catalog_of({"task", "child"});
    host.boot();
    host.trigger("task");
    ASSERT_TRUE(host.core.run_out(10000));
    host.kill();
    EXPECT_EQ(host.wrong, "");
    ASSERT_EQ(parent.answers.size(), 1u);
    EXPECT_EQ(parent.answers[0].status, single ? ReplyStatus::kChildFailed : ReplyStatus::kOk);
    const boost::json::value answer = boost::json::parse(parent.answers[0].raw);
    const boost::json::value error = single ? answer : answer.as_array().at(0).at("error");
    EXPECT_EQ(error.at("name"), "Broken");
    EXPECT_EQ(error.at("message"), "it broke");
    EXPECT_EQ(error.at("status"), "FAILED");
    EXPECT_EQ(error.at("runId").as_string(), parent.child.text());
  }
}

TEST(EngineWaits, AWaitThatIsNoneIsRefusedWithWords) {
  std::vector<process::AttemptReply> answers;
  const std::vector<std::string> wrong = {R"("for":[])",
                                          R"("for":[{"day":1}])",
                                          R"("for":[{"run":"nonsense"}])",
                                          R"("for":{"ms":1})",
                                          R"("single":true,"for":[{"ms":1},{"ms":2}])",
                                          R"("mode":"some","for":[{"ms":1}])"};
  HostSimulation host({.script =
                           [&](const process::AttemptSpec&) {
                             Ending ending;
                             ending.result.output = "1";
                             int call = 0;
                             for (const std::string& what : wrong) {
                               ending.asks.push_back({wait(++call, what), [&](const process::AttemptReply& reply) {
                                                        answers.push_back(reply);
                                                      }});
                             }
                             return ending;
                           },
                       .fault = {}});
  host.boot();
  host.trigger("task");
  ASSERT_TRUE(host.core.run_out(10000));
  host.kill();
  EXPECT_EQ(host.wrong, "");
  ASSERT_EQ(answers.size(), wrong.size());
  for (std::size_t i = 0; i < answers.size(); ++i) {
    EXPECT_EQ(answers[i].status, ReplyStatus::kInvalid) << wrong[i];
    EXPECT_NE(answers[i].json, "") << wrong[i];
  }
}

// The process of a "leaver" leaves during a wait that lasts.
catalog::SnapshotPtr with_leavers() {
  auto snapshot = std::make_shared<catalog::Snapshot>(*catalog_of({"task", "leaver", "child"}));
  snapshot->tasks.at(store::TaskId("leaver")).options.evict_waits_after = 20ms;
  snapshot->versions.clear();
  offer_version(*snapshot, snapshot->tasks);
  return snapshot;
}

// One seeded life: parents that wait for children and for times, some without their process, while the store fails and
// the host is killed.
std::string live(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  bool faulty = false;
  HostSimulation* simulation = nullptr;
  std::vector<std::unique_ptr<Parent>> parents;
  const auto script = [&](const process::AttemptSpec& spec) {
    Ending ending;
    ending.result.output = "{}";
    if (spec.task.text() != "child") {
      ending = parents.emplace_back(std::make_unique<Parent>())->ending();
      const std::string time = R"({"ms":)" + std::to_string(random() % 9000) + "}";
      ending.asks.push_back({wait(3, R"("for":[)" + time + "]"), {}, {}});
    }
    ending.takes = store::Duration(random() % 60);
    if (random() % 3 == 0) {
      ending.result.failure = store::Failure{store::FailureKind::kCrashed, "Any", "any", {}, {}};
      ending.dies = true;
    }
    return ending;
  };
  const std::size_t concurrency = 1 + random() % 3;
  HostSimulation host({.concurrency = concurrency, .seed = seed, .script = script, .fault = [&](std::string_view) {
                         if (!faulty || random() % 60 != 0) return store::Status::ok();
                         simulation->core.after(store::Duration(random() % 200),
                                                [&] { simulation->store->serve_again(); });
                         return store::Status::io("injected");
                       }});
  simulation = &host;
  host.catalog = with_leavers();
  host.boot();
  faulty = random() % 2 == 0;
  for (int i = 0; i < 12; ++i) {
    host.core.after(store::Duration(random() % 2000),
                    [&host, leaves = random() % 2 == 0] { host.trigger(leaves ? "leaver" : "task"); });
  }
  for (int i = 0; i < 3; ++i) {
    host.core.after(store::Duration(random() % 9000), [&host, which = random()] {
      if (!host.engine || host.acknowledged.empty()) return;
      host.engine->cancel(host.acknowledged[which % host.acknowledged.size()], "because",
                          [](const store::Result<store::Run>&) {});
    });
  }
  const std::uint64_t kills = random() % 3;
  for (std::uint64_t i = 0; i < kills; ++i) {
    host.core.after(store::Duration(random() % 9000), [&] {
      host.kill();
      faulty = false;
      host.store->serve_again();
      host.boot();
    });
  }
  host.core.after(store::Duration(9000), [&] { faulty = false; });
  if (!host.core.run_out(400000)) return "never came to rest";
  host.kill();
  if (!host.wrong.empty()) return host.wrong;
  return check_history(*host.store, host.acknowledged);
}

TEST(EngineWaits, EveryRunThatWaitsEndsOnceWhateverFails) {
  const char* only = std::getenv("PERDURE_SEED");
  const std::uint64_t first = only != nullptr ? std::strtoull(only, nullptr, 10) : 1;
  const std::uint64_t count = only != nullptr ? 1 : 1000;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    ASSERT_EQ(live(seed), "") << "reproduce with PERDURE_SEED=" << seed;
  }
}

}  // namespace
}  // namespace perdure::engine::testing
