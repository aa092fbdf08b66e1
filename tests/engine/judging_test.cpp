// What the engine makes of attempts with hooks: outcomes that are judged before they are recorded, and the hooks on the
// timeline.
#include <gtest/gtest.h>

#include "tests/engine/host_simulation.h"

namespace perdure::engine::testing {
namespace {

using namespace std::chrono_literals;
using store::FailureKind;

store::Failure failure(FailureKind kind, const std::string& name = "Boom") { return {kind, name, "boom", {}, {}}; }

process::Provisional failed(FailureKind kind = FailureKind::kTaskError) {
  process::Provisional end;
  end.result.failure = failure(kind);
  return end;
}

// An attempt that is judged so, and whose process then ends well or by a crash.
Ending judged(std::vector<process::Provisional> ends, bool crashes = false) {
  Ending ending;
  ending.judged = std::move(ends);
  ending.dies = crashes;
  if (crashes) ending.result.failure = failure(FailureKind::kCrashed, "SIGSEGV");
  return ending;
}

class Judging : public ::testing::Test {
 protected:
  // Executes one run whose attempts end so; the run afterwards.
  store::Run run(const std::function<Ending(std::uint32_t attempt)>& script) {
    store::RetryPolicy steady;
    steady.randomize = false;
    host_ = std::make_unique<HostSimulation>(HostSimulation::Options{
        .script = [script](const process::AttemptSpec& spec) { return script(spec.number); }, .fault = {}});
    host_->catalog = catalog_of({"task"}, steady);
    host_->boot();
    host_->trigger("task");
    EXPECT_TRUE(host_->core.run_out(1000));
    EXPECT_EQ(host_->launcher->wrong(), "");
    EXPECT_EQ(check_history(*host_->store, host_->acknowledged), "");
    return host_->store->run(host_->acknowledged.at(0)).value();
  }
  const std::vector<process::Judgement>& judgements() { return host_->launcher->judgements(); }

  std::unique_ptr<HostSimulation> host_;
};

TEST_F(Judging, ASuccessStandsThoughTheProcessCrashesInItsLastHooks) {
  process::Provisional success;
  success.result.output = "42";
  const store::Run after = run([&](std::uint32_t) { return judged({success}, true); });
  EXPECT_EQ(after.status, store::RunStatus::kCompleted);
  EXPECT_EQ(after.attempts, 1u);
  EXPECT_EQ(host_->store->output(after.id).value(), "42");
  EXPECT_TRUE(judgements().at(0).is_final);
  EXPECT_FALSE(judgements().at(0).failure);
  const auto logs = host_->store->logs(after.id, 0, 100).value();
  ASSERT_FALSE(logs.empty());
  EXPECT_EQ(logs.back().source, store::LogSource::kHost);
  EXPECT_NE(logs.back().message.find("SIGSEGV"), std::string::npos);
}

TEST_F(Judging, AFailureThatIsRetriedIsToldItsTimeAndIsRetriedThen) {
  const store::Run after = run([](std::uint32_t) { return judged({failed()}); });
  EXPECT_EQ(after.status, store::RunStatus::kFailed);
  EXPECT_EQ(after.attempts, 3u);
  ASSERT_EQ(judgements().size(), 3u);
  EXPECT_FALSE(judgements()[0].is_final);
  EXPECT_FALSE(judgements()[1].is_final);
  EXPECT_TRUE(judgements()[2].is_final);
  EXPECT_FALSE(judgements()[2].retry_at);
  const auto attempts = host_->store->attempts(after.id).value();
  EXPECT_GE(attempts[1].started_at, judgements()[0].retry_at);
  EXPECT_LT(attempts[1].started_at, *judgements()[0].retry_at + 50ms);
}

TEST_F(Judging, ACrashInCatchErrorLeavesTheFirstJudgement) {
  const store::Run after = run([](std::uint32_t) { return judged({failed()}, true); });
  EXPECT_EQ(after.status, store::RunStatus::kFailed);
  EXPECT_EQ(after.attempts, 3u);
  EXPECT_EQ(after.failure->kind, FailureKind::kTaskError);
}

TEST_F(Judging, TheDecisionOfCatchErrorCountsInTheSecondJudgement) {
  process::Provisional decided = failed();
  decided.decision = R"({"retry":false})";
  const store::Run after = run([&](std::uint32_t) { return judged({failed(), decided}); });
  EXPECT_EQ(after.attempts, 1u);
  EXPECT_FALSE(judgements().at(0).is_final);
  EXPECT_TRUE(judgements().at(1).is_final);
}

TEST_F(Judging, AReplacedErrorIsRecordedAndTheRetryIsThatOfTheFirst) {
  process::Provisional replaced = failed(FailureKind::kAborted);
  replaced.replaced = failure(FailureKind::kTaskError, "Clearer");
  const store::Run after = run([&](std::uint32_t) { return judged({failed(FailureKind::kAborted), replaced}); });
  EXPECT_EQ(after.attempts, 1u);
  EXPECT_EQ(after.failure->name, "Clearer");
  EXPECT_EQ(after.failure->kind, FailureKind::kAborted);
}

TEST_F(Judging, AFailureOfCatchErrorOrItsDecisionIsRecordedAsSuch) {
  process::Provisional broken = failed();
  broken.failed = failure(FailureKind::kTaskError, "Inner");
  store::Run after = run([&](std::uint32_t) { return judged({failed(), broken}); });
  EXPECT_EQ(after.failure->kind, FailureKind::kHandleErrorError);
  EXPECT_EQ(after.failure->message, "While \"Boom: boom\" was handled: Inner: boom");
  EXPECT_EQ(after.attempts, 3u);
  process::Provisional nonsense = failed();
  nonsense.decision = "7";
  after = run([&](std::uint32_t) { return judged({failed(), nonsense}); });
  EXPECT_EQ(after.failure->kind, FailureKind::kHandleErrorError);
  EXPECT_NE(after.failure->message.find("must be a JSON object"), std::string::npos);
}

TEST_F(Judging, ACancelAfterAFailureThatWouldBeRetriedLeavesNoOtherAttempt) {
  for (const FailureKind kind : {FailureKind::kTaskError, FailureKind::kAborted}) {
    host_ = std::make_unique<HostSimulation>(HostSimulation::Options{.script =
                                                                         [kind](const process::AttemptSpec&) {
                                                                           Ending ending = judged({failed(kind)});
                                                                           ending.takes = 1s;
                                                                           ending.lingers = 10s;
                                                                           return ending;
                                                                         },
                                                                     .fault = {}});
    host_->boot();
    host_->trigger("task");
    host_->core.after(5s, [this] {
      host_->engine->cancel(host_->acknowledged.at(0), "by the test", [](const store::Result<store::Run>&) {});
    });
    ASSERT_TRUE(host_->core.run_out(1000));
    const store::Run after = host_->store->run(host_->acknowledged.at(0)).value();
    EXPECT_EQ(after.attempts, 1u);
    // What was final before the cancel stays what it was.
    const bool was_final = kind == FailureKind::kAborted;
    EXPECT_EQ(after.status, was_final ? store::RunStatus::kFailed : store::RunStatus::kCanceled);
    EXPECT_EQ(after.failure->kind, was_final ? kind : FailureKind::kCanceled);
    EXPECT_EQ(check_history(*host_->store, host_->acknowledged), "");
  }
}

TEST_F(Judging, HooksStandOnTheTimelineBeforeTheEndOfTheirAttempt) {
  process::Provisional success;
  success.result.output = "1";
  const store::Run after = run([&](std::uint32_t) {
    Ending ending = judged({success});
    process::HookSpan span;
    span.hook = process::Hook::kOnSuccess;
    span.duration = 1500us;
    span.error = process::HookError{"Inner", "no \"mail\""};
    span.ignored = true;
    ending.hooks = {span, span};
    return ending;
  });
  const auto timeline = host_->store->timeline(after.id).value();
  ASSERT_EQ(timeline.size(), 6u);
  EXPECT_EQ(timeline[3].name, "hook");
  EXPECT_EQ(timeline[3].attempt, 1u);
  EXPECT_EQ(timeline[3].data, R"({"hook":"on_success","scope":"task","startedAt":0,"durationUs":1500,)"
                              R"("error":{"name":"Inner","message":"no \"mail\""},"ignored":true})");
  EXPECT_EQ(timeline[5].name, "succeeded");
}

TEST_F(Judging, HooksOfALongAttemptAreShownWhileItExecutes) {
  host_ = std::make_unique<HostSimulation>(HostSimulation::Options{.script =
                                                                       [](const process::AttemptSpec&) {
                                                                         Ending ending;
                                                                         ending.takes = 10s;
                                                                         return ending;
                                                                       },
                                                                   .fault = {}});
  host_->boot();
  host_->trigger("task");
  host_->core.after(500ms, [this] { host_->launcher->tell_hook(process::HookSpan{}); });
  bool shown = false;
  host_->core.after(1s, [&] {
    const auto timeline = host_->store->timeline(host_->acknowledged.at(0)).value();
    shown = timeline.back().name == "hook" && timeline.back().status == store::RunStatus::kExecuting;
  });
  ASSERT_TRUE(host_->core.run_out(1000));
  EXPECT_TRUE(shown);
}

}  // namespace
}  // namespace perdure::engine::testing
