// Payloads that are not what a task takes: refused when triggered, and again before a run executes on a version whose
// schema it was not triggered against.
#include <gtest/gtest.h>

#include "tests/engine/host_simulation.h"

namespace perdure::engine::testing {
namespace {

// The task "task" of a version, with this schema.
catalog::SnapshotPtr offering(const std::string& schema, char version = 'a') {
  auto snapshot = std::make_shared<catalog::Snapshot>();
  catalog::Task task;
  task.id = store::TaskId("task");
  task.version = store::VersionId(std::string(64, version));
  task.plugin = "simulated";
  task.options.payload_schema = schema;
  if (!schema.empty()) task.payload_schema = schema::Schema::compile(schema).value();
  snapshot->tasks.emplace(task.id, std::move(task));
  offer_version(*snapshot, snapshot->tasks);
  snapshot->loaded = true;
  return snapshot;
}

constexpr const char* kNumber = R"({"type":"number"})";
constexpr const char* kText = R"({"type":"string"})";

class PayloadTest : public ::testing::Test {
 protected:
  PayloadTest()
      : host({.script =
                  [this](const process::AttemptSpec& spec) {
                    executed.push_back(spec.payload);
                    Ending ending;
                    ending.result.output = "1";
                    return ending;
                  },
              .fault = {}}) {}
  void trigger(const std::string& payload, TriggerRequest request = {}) {
    request.payload = payload;
    host.trigger("task", std::move(request));
  }
  // … and not until a delay is over.
  void until_acknowledged() {
    while (host.acknowledged.empty()) ASSERT_FALSE(host.core.run_out(1));
  }
  store::Run run() { return host.store->run(host.acknowledged.at(0)).value(); }

  std::vector<std::string> executed;
  HostSimulation host;
};

TEST_F(PayloadTest, ThatDoesNotFitIsRefusedAndNoRunIsCreated) {
  host.catalog = offering(kNumber);
  host.boot();
  ASSERT_TRUE(host.core.run_out(1000));
  schema::Fault fault;
  TriggerRequest request;
  request.fault = &fault;
  trigger(R"("text")", std::move(request));
  ASSERT_TRUE(host.core.run_out(1000));
  ASSERT_EQ(host.refused.size(), 1u);
  EXPECT_EQ(host.refused[0].code(), store::Code::kInvalid);
  EXPECT_EQ(host.refused[0].message(),
            "The payload is not what the task 'task' takes: payload must be a number, not \"text\".");
  EXPECT_EQ(fault.what, "must be a number, not \"text\"");
  EXPECT_TRUE(host.store->list({})->runs.empty());
}

TEST_F(PayloadTest, ThatFitsIsExecuted) {
  host.catalog = offering(kNumber);
  host.boot();
  trigger("1");
  ASSERT_TRUE(host.core.run_out(1000));
  EXPECT_EQ(run().status, store::RunStatus::kCompleted);
}

TEST_F(PayloadTest, IsCheckedBeforeItRunsOnAVersionWithAnotherSchema) {
  host.catalog = offering(kNumber);
  host.boot();
  TriggerRequest later;
  later.delayed_until = host.core.now() + store::Duration(60'000);
  trigger("1", std::move(later));
  until_acknowledged();
  host.catalog = offering(kText, 'b');
  host.engine->offer(host.catalog);
  ASSERT_TRUE(host.core.run_out(1000));
  EXPECT_EQ(run().status, store::RunStatus::kFailed);
  EXPECT_EQ(run().attempts, 1u) << "retried, though no retry could help";
  ASSERT_TRUE(run().failure);
  EXPECT_EQ(run().failure->kind, store::FailureKind::kPayloadInvalid);
  EXPECT_EQ(run().failure->name, "TASK_PAYLOAD_INVALID");
  EXPECT_NE(run().failure->message.find("payload must be a string, not 1"), std::string::npos);
  EXPECT_TRUE(executed.empty());
  EXPECT_EQ(check_history(*host.store, host.acknowledged), "");
}

TEST_F(PayloadTest, OfARunThatWaitedForItsTaskIsCheckedOnceThereIsOne) {
  host.catalog = catalog_of({});
  host.boot();
  TriggerRequest pending;
  pending.allow_pending = true;
  trigger(R"({"a":1})", std::move(pending));
  ASSERT_TRUE(host.core.run_out(1000));
  EXPECT_EQ(run().status, store::RunStatus::kPendingVersion);
  host.catalog = offering(kNumber);
  host.engine->offer(host.catalog);
  ASSERT_TRUE(host.core.run_out(1000));
  EXPECT_EQ(run().status, store::RunStatus::kFailed);
  EXPECT_EQ(run().failure->kind, store::FailureKind::kPayloadInvalid);
}

TEST_F(PayloadTest, OfARunFromBeforeTheHostStartedIsCheckedAgain) {
  host.catalog = offering("");
  host.boot();
  TriggerRequest later;
  later.delayed_until = host.core.now() + store::Duration(60'000);
  trigger(R"("text")", std::move(later));
  until_acknowledged();
  host.kill();
  host.catalog = offering(kNumber, 'b');
  host.boot();
  ASSERT_TRUE(host.core.run_out(1000));
  EXPECT_EQ(run().failure->kind, store::FailureKind::kPayloadInvalid);
}

}  // namespace
}  // namespace perdure::engine::testing
