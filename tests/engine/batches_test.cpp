// Batches that attempts trigger, and what they trigger for the case of their success: whole or not at all, and once,
// whenever the host dies.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <map>
#include <random>

#include "tests/engine/host_simulation.h"

namespace perdure::engine::testing {
namespace {

namespace json = boost::json;
using protocol::ReplyStatus;
using protocol::RequestKind;

process::AttemptRequest batch(int call, const std::string& items) {
  return {0, RequestKind::kBatch, R"({"call":)" + std::to_string(call) + "}", items};
}
process::AttemptRequest trigger(int call, const std::string& options) {
  return {0, RequestKind::kTrigger,
          R"({"call":)" + std::to_string(call) + R"(,"task":"child","options":)" + options + "}", "1"};
}
std::string items(int count, const std::string& options = "{}") {
  std::string list = "[";
  for (int i = 0; i < count; ++i) {
    list +=
        (i == 0 ? "" : ",") + (R"({"task":"child","payload":)" + std::to_string(i)) + R"(,"options":)" + options + "}";
  }
  return list + "]";
}

struct Answered {
  std::uint32_t attempt = 0;
  process::AttemptReply reply;
};

// One run of "task" whose attempts ask these things; all but the last attempt fail.
class OneRun {
 public:
  explicit OneRun(std::vector<process::AttemptRequest> requests, std::uint32_t attempts = 1, bool succeeds = true)
      : host_({.script =
                   [this, attempts, succeeds](const process::AttemptSpec& spec) {
                     Ending ending;
                     ending.result.output = "1";
                     ending.takes = store::Duration(100);
                     if (spec.task.text() != "task") return ending;
                     for (const process::AttemptRequest& request : requests_) {
                       ending.asks.push_back({request, [this, number = spec.number](const auto& reply) {
                                                answers.push_back({number, reply});
                                                children_meanwhile = children().size();
                                              }});
                     }
                     if (spec.number < attempts || !succeeds) {
                       ending.result.failure = store::Failure{store::FailureKind::kTaskError, "E", "e", {}, {}};
                     }
                     return ending;
                   },
               .fault = {}}),
        requests_(std::move(requests)) {
    host_.catalog = catalog_of({"task", "child"});
    host_.boot();
    host_.trigger("task");
    EXPECT_TRUE(host_.core.run_out(200000));
    host_.kill();
    EXPECT_EQ(host_.wrong, "");
  }
  [[nodiscard]] const store::RunId& run() const { return host_.acknowledged.at(0); }
  [[nodiscard]] store::MemoryStore& store() { return *host_.store; }
  [[nodiscard]] std::vector<store::RunId> children() {
    return host_.acknowledged.empty() ? std::vector<store::RunId>() : store().children(run(), {}, 2000).value();
  }

  std::vector<Answered> answers;
  std::size_t children_meanwhile = 0;  // when the last answer came

 private:
  HostSimulation host_;
  std::vector<process::AttemptRequest> requests_;
};

std::vector<store::RunId> runs_in(const process::AttemptReply& reply) {
  std::vector<store::RunId> runs;
  const json::value batch = json::parse(reply.raw);
  for (const json::value& run : batch.at("runs").as_array()) {
    runs.emplace_back(std::string(run.as_string()));
  }
  return runs;
}

std::string refusal(process::AttemptRequest request) {
  OneRun asked({std::move(request)});
  EXPECT_EQ(asked.answers.size(), 1u);
  if (asked.answers.empty() || asked.answers[0].reply.status == ReplyStatus::kOk) return "(none)";
  EXPECT_TRUE(asked.children().empty());
  return asked.answers[0].reply.json;
}

TEST(Batches, TriggerEveryItemInOrder) {
  OneRun asked({batch(1, R"([{"task":"child","payload":{"n":0}},{"task":"child"},)"
                         R"({"task":"child","payload":2,"options":{"tags":["t"],"maxAttempts":2}}])")});
  ASSERT_EQ(asked.answers.size(), 1u);
  ASSERT_EQ(asked.answers[0].reply.status, ReplyStatus::kOk) << asked.answers[0].reply.json;
  const std::vector<store::RunId> runs = runs_in(asked.answers[0].reply);
  EXPECT_EQ(runs, asked.children());
  ASSERT_EQ(runs.size(), 3u);
  EXPECT_EQ(asked.store().payload(runs[0]).value(), R"({"n":0})");
  EXPECT_EQ(asked.store().payload(runs[1]).value(), "null");
  const store::Run third = asked.store().run(runs[2]).value();
  EXPECT_EQ(third.options.tags, std::vector<std::string>{"t"});
  EXPECT_EQ(third.options.max_attempts, 2u);
  EXPECT_EQ(third.depth, 1u);
  EXPECT_EQ(third.root, asked.run());
  EXPECT_EQ(third.status, store::RunStatus::kCompleted);
  const store::Batch made = asked.store().batch(third.batch).value();
  EXPECT_EQ(made.id.text(), json::parse(asked.answers[0].reply.raw).at("id").as_string());
  EXPECT_EQ(made.runs, runs);
  EXPECT_EQ(made.parent, asked.run());
}

TEST(Batches, MayHaveAThousandItems) {
  OneRun asked({batch(1, items(1000))});
  EXPECT_EQ(runs_in(asked.answers.at(0).reply).size(), 1000u);
  EXPECT_EQ(asked.children().size(), 1000u);
  EXPECT_NE(refusal(batch(1, items(1001))).find("1 to 1000 items"), std::string::npos);
}

TEST(Batches, AreRefusedWholeForOneItem) {
  EXPECT_NE(refusal(batch(1, R"([{"task":"child"},{"task":"nope"}])")).find("item 1: No loaded plugin"),
            std::string::npos);
  EXPECT_NE(refusal(batch(1, R"([{"task":"child","options":{"ttlMs":"x"}}])")).find("item 0: the trigger option ttlMs"),
            std::string::npos);
  EXPECT_NE(refusal(batch(1, R"([{"payload":1}])")).find("item 0: a task's id"), std::string::npos);
  EXPECT_NE(refusal(batch(1, R"([{"task":"child","options":{"debounce":{"key":"k","delayMs":5000}}}])")).find("alone"),
            std::string::npos);
  EXPECT_NE(refusal(batch(1, R"([{"task":"child"},{"task":"child","options":{"when":"on_success"}}])"))
                .find("item 1: the items of a batch have the same \"when\""),
            std::string::npos);
  EXPECT_NE(refusal(batch(1, "[")).find("not acceptable JSON"), std::string::npos);
  EXPECT_NE(refusal(batch(1, "{}")).find("1 to 1000 items"), std::string::npos);
  EXPECT_NE(refusal(batch(0, items(1))).find("\"call\""), std::string::npos);
}

TEST(Batches, AreTheSameInALaterAttempt) {
  OneRun asked({batch(1, items(3)), batch(2, items(2))}, 3);
  ASSERT_EQ(asked.answers.size(), 6u);
  EXPECT_EQ(asked.children().size(), 5u);
  for (std::size_t i = 2; i < 6; ++i) EXPECT_EQ(asked.answers[i].reply.raw, asked.answers[i % 2].reply.raw);
}

TEST(Batches, OfOtherItemsThanRecordedAreAMismatch) {
  OneRun asked({batch(1, items(3)), batch(1, items(2)), trigger(1, "{}")});
  ASSERT_EQ(asked.answers.size(), 3u);
  ASSERT_EQ(asked.answers[1].reply.status, ReplyStatus::kMismatch) << asked.answers[1].reply.json;
  EXPECT_EQ(json::parse(asked.answers[1].reply.json).at("details"),
            json::parse(R"({"expected":{"call":1,"kind":"batch","name":"3 x child"},)"
                        R"("got":{"call":1,"kind":"batch","name":"2 x child"}})"));
  EXPECT_EQ(asked.answers[2].reply.status, ReplyStatus::kMismatch);
  EXPECT_EQ(asked.children().size(), 3u);
}

// ---- when = on_success ----

TEST(OnSuccess, ChildrenComeWithTheSuccessOfTheirAttempt) {
  OneRun asked({trigger(1, R"({"when":"on_success","delayMs":1000,"tags":["t"]})"),
                batch(2, items(2, R"({"when":"on_success"})"))});
  ASSERT_EQ(asked.answers.size(), 2u);
  EXPECT_EQ(asked.children_meanwhile, 0u) << "told of, but not there yet";
  const store::RunId told(asked.answers[0].reply.raw);
  const std::vector<store::RunId> runs = runs_in(asked.answers[1].reply);
  EXPECT_EQ(asked.children(), (std::vector<store::RunId>{told, runs.at(0), runs.at(1)}));
  const store::Run child = asked.store().run(told).value();
  const store::Run parent = asked.store().run(asked.run()).value();
  EXPECT_EQ(child.options.tags, std::vector<std::string>{"t"});
  EXPECT_GE(*child.started_at, *parent.finished_at + store::Duration(1000)) << "its delay begins with the success";
  EXPECT_EQ(child.status, store::RunStatus::kCompleted);
  EXPECT_EQ(asked.store().batch(asked.store().run(runs[0])->batch).value().runs, runs);
}

TEST(OnSuccess, AnAttemptThatFailsLeavesNothing) {
  OneRun asked({trigger(1, R"({"when":"on_success"})"), batch(2, items(2, R"({"when":"on_success"})"))}, 1, false);
  ASSERT_EQ(asked.answers.size(), 6u) << "three attempts";
  EXPECT_TRUE(asked.children().empty());
  OneRun at_last({trigger(1, R"({"when":"on_success"})")}, 3);
  ASSERT_EQ(at_last.answers.size(), 3u);
  EXPECT_EQ(at_last.children(), std::vector<store::RunId>{store::RunId(at_last.answers[2].reply.raw)})
      << "of the attempt that succeeded";
}

TEST(OnSuccess, WhatAnEarlierHostHasToldHolds) {
  const store::Time now{store::Duration(1'700'000'000'000)};
  const std::string run = store::new_run_id(now).text(), first = store::new_run_id(now).text(),
                    second = store::new_run_id(now).text(), id = store::new_batch_id(now).text();
  process::AttemptRequest alone = trigger(1, R"({"when":"on_success"})");
  alone.json.replace(0, 1, R"({"told":")" + run + R"(",)");
  process::AttemptRequest together = batch(2, items(2, R"({"when":"on_success"})"));
  together.json = R"({"call":2,"told":{"id":")" + id + R"(","runs":[")" + first + R"(",")" + second + R"("]}})";
  OneRun asked({alone, together});
  ASSERT_EQ(asked.answers.size(), 2u);
  EXPECT_EQ(asked.answers[0].reply.raw, run);
  EXPECT_EQ(asked.answers[1].reply.raw, R"({"id":")" + id + R"(","runs":[")" + first + R"(",")" + second + R"("]})");
  EXPECT_EQ(asked.children().size(), 3u);
  EXPECT_TRUE(asked.store().run(store::RunId(run)));
  EXPECT_EQ(asked.store().batch(store::BatchId(id))->runs.size(), 2u);
  together.json = R"({"call":2,"told":{"id":")" + id + R"(","runs":[]}})";
  EXPECT_NE(refusal(together).find("\"told\""), std::string::npos);
}

TEST(OnSuccess, WhatIsWrongIsSaidAtOnce) {
  EXPECT_NE(refusal(trigger(1, R"({"when":"later"})")).find("now or on_success"), std::string::npos);
  EXPECT_NE(refusal(trigger(1, R"({"when":"on_success","debounce":{"key":"k","delayMs":5000}})")).find("no debounce"),
            std::string::npos);
  process::AttemptRequest unknown = trigger(1, R"({"when":"on_success"})");
  unknown.json.replace(unknown.json.find("child"), 5, "nope!");
  EXPECT_NE(refusal(unknown).find("1 to 128 of"), std::string::npos);
}

// ---- Whenever the host dies ----

// Runs that trigger batches at once and for the case of their success, in hosts that are killed at any moment and on a
// store that refuses writes now and then. A batch that was told of is there whole and once; what was to come with a
// success came with exactly the attempt that succeeded.
std::string live(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::map<std::string, std::vector<std::string>> batches;   // by run: what it was told of its batch
  std::map<std::string, std::vector<std::string>> promised;  // by attempt: what it was told for its success
  HostSimulation host({.concurrency = 1 + random() % 6,
                       .seed = seed,
                       .script =
                           [&](const process::AttemptSpec& spec) {
                             Ending ending;
                             ending.takes = store::Duration(random() % 60);
                             ending.result.output = "1";
                             if (random() % 3 == 0) {
                               ending.result.failure = store::Failure{store::FailureKind::kTaskError, "E", "e", {}, {}};
                             }
                             if (spec.task.text() != "task") return ending;
                             const std::string attempt = spec.run.text() + "#" + std::to_string(spec.number);
                             ending.asks.push_back({batch(1, items(3)), [&, run = spec.run.text()](const auto& reply) {
                                                      if (reply.status == ReplyStatus::kOk)
                                                        batches[run].push_back(reply.raw);
                                                    }});
                             ending.asks.push_back(
                                 {trigger(2, R"({"when":"on_success"})"), [&, attempt](const auto& reply) {
                                    if (reply.status == ReplyStatus::kOk) promised[attempt].push_back(reply.raw);
                                  }});
                             return ending;
                           },
                       .fault = {}});
  host.catalog = catalog_of({"task", "child"});
  host.boot();
  for (int i = 0; i < 6; ++i) {
    host.core.after(store::Duration(random() % 1000), [&] { host.trigger("task"); });
  }
  for (std::uint64_t i = random() % 5; i > 0; --i) {
    host.core.after(store::Duration(random() % 1500), [&] {
      host.kill();
      host.boot();
    });
  }
  if (!host.core.run_out(200000)) return "never came to rest";
  host.kill();
  if (!host.wrong.empty()) return host.wrong;
  for (const auto& [run, told] : batches) {
    for (const std::string& each : told) {
      if (each != told[0]) return run + " was told of two batches";
    }
    const store::Result<store::Batch> made =
        host.store->batch(store::BatchId(std::string(json::parse(told[0]).at("id").as_string())));
    if (!made || made->runs.size() != 3) return run + " has lost its batch";
    for (const store::RunId& child : made->runs) {
      if (!host.store->run(child)) return child.text() + " of a batch is lost";
    }
  }
  for (const store::RunId& id : host.acknowledged) {
    const store::Run run = host.store->run(id).value();
    const std::size_t children = host.store->children(id, {}, 100)->size();
    const bool succeeded = run.status == store::RunStatus::kCompleted;
    if (children > (succeeded ? 4 : 3)) return id.text() + " has a child too many";
    const auto of_last = promised.find(id.text() + "#" + std::to_string(run.attempts));
    if (!succeeded || of_last == promised.end()) continue;
    if (!host.store->run(store::RunId(of_last->second.back()))) return id.text() + " lacks what came with its success";
  }
  return check_history(*host.store, host.acknowledged);
}

TEST(Batches, AreWholeAndOnceWheneverTheHostDies) {
  const char* only = std::getenv("PERDURE_SEED");
  const std::uint64_t first = only != nullptr ? std::strtoull(only, nullptr, 10) : 1;
  const std::uint64_t count = only != nullptr ? 1 : 500;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    ASSERT_EQ(live(seed), "") << "reproduce with PERDURE_SEED=" << seed;
  }
}

}  // namespace
}  // namespace perdure::engine::testing
