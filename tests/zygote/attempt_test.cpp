// What an attempt in a forked child does, told by its frames and its exit.
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "tests/zygote/behaviour_tasks.h"
#include "tests/zygote/zygote_process.h"

namespace perdure::zygote::test {
namespace {

using protocol::Kind;
using protocol::Outcome;

class AttemptTest : public testing::Test {
 protected:
  AttemptTest() : zygote_(fixture("behaviours")) { EXPECT_NE(zygote_.manifest(), ""); }

  // An attempt of this task, started.
  Attempt started(std::uint32_t task, std::string_view payload = "null", std::string_view info = {}) {
    Attempt attempt = zygote_.fork();
    EXPECT_TRUE(attempt.start(task, payload, info));
    return attempt;
  }
  // Starts the task and returns its outcome frame; confirms it, and expects the child to leave with code 0.
  protocol::Incoming outcome_of(std::uint32_t task, std::string_view payload = "null", std::string_view info = {}) {
    const Attempt attempt = started(task, payload, info);
    auto outcome = attempt.next(Kind::kOutcome);
    EXPECT_TRUE(outcome) << "no outcome";
    attempt.confirm();
    const auto exit = zygote_.exit_of(attempt.id);
    EXPECT_TRUE(exit && exit->report.wait_status == 0);
    return outcome ? std::move(*outcome) : protocol::Incoming();
  }
  static Outcome kind_of(const protocol::Incoming& frame) { return static_cast<Outcome>(frame.arg); }

  ZygoteProcess zygote_;
};

TEST_F(AttemptTest, ReturnsTheResultOfItsTask) {
  const auto outcome = outcome_of(task::echo, R"({"text":"hello"})");
  EXPECT_EQ(kind_of(outcome), Outcome::kSuccess);
  EXPECT_EQ(outcome.raw, R"({"text":"hello"})");
  EXPECT_EQ(outcome.json, "");
}

TEST_F(AttemptTest, ReturnsNullWhenTheTaskSetsNoResult) { EXPECT_EQ(outcome_of(task::status, "0").raw, "null"); }

TEST_F(AttemptTest, SeesWhatTheHostSentOfIt) {
  const auto outcome = outcome_of(task::describe, "null", R"({"run":"run_1","attempt":3,"context":{"a":{"b":[1]}}})");
  EXPECT_EQ(outcome.raw,
            R"({"task":"describe","run":"run_1","number":3,"context":{"a":{"b":[1]}},"user":"user data"})");
}

TEST_F(AttemptTest, CarriesTheErrorOfItsTask) {
  const auto outcome = outcome_of(task::fail);
  EXPECT_EQ(kind_of(outcome), Outcome::kFailed);
  EXPECT_EQ(outcome.json,
            R"({"name":"FixtureError","message":"boom \"quoted\"","details":{"code":7},"retry_at":1234567890123})");
  EXPECT_EQ(outcome.raw, "");
}

TEST_F(AttemptTest, TellsEveryStatusByItsOutcome) {
  EXPECT_EQ(kind_of(outcome_of(task::status, "1")), Outcome::kFailed);
  EXPECT_EQ(kind_of(outcome_of(task::status, "2")), Outcome::kAborted);
  EXPECT_EQ(kind_of(outcome_of(task::status, "3")), Outcome::kOutOfMemory);
  EXPECT_EQ(kind_of(outcome_of(task::status, "4")), Outcome::kCanceled);
  EXPECT_EQ(kind_of(outcome_of(task::status, "777")), Outcome::kFailed);
  const auto suspended = outcome_of(task::status, "5");
  EXPECT_EQ(kind_of(suspended), Outcome::kFailed);
  EXPECT_NE(member(suspended.json, "message").find("PERDURE_SUSPENDED"), std::string::npos);
}

TEST_F(AttemptTest, CatchesWhatIsThrownAcrossTheBoundary) {
  const auto error = outcome_of(task::throw_error);
  EXPECT_EQ(kind_of(error), Outcome::kFailed);
  EXPECT_EQ(member(error.json, "message"),
            "an exception crossed the C boundary: std::runtime_error (thrown by the fixture)");
  EXPECT_EQ(member(outcome_of(task::throw_int).json, "message"), "an exception crossed the C boundary: int");
  EXPECT_EQ(kind_of(outcome_of(task::throw_bad_alloc)), Outcome::kOutOfMemory);
}

TEST_F(AttemptTest, FailsWhenItsThreadIsEnded) {
  const auto outcome = outcome_of(task::thread_exit);
  EXPECT_EQ(kind_of(outcome), Outcome::kFailed);
  EXPECT_EQ(member(outcome.json, "name"), "ThreadExited");
}

TEST_F(AttemptTest, FailsForATaskThatIsNotThere) {
  const auto outcome = outcome_of(9999);
  EXPECT_EQ(kind_of(outcome), Outcome::kFailed);
  EXPECT_EQ(member(outcome.json, "name"), "UnknownTask");
}

TEST_F(AttemptTest, SendsALargeResultWhole) {
  const auto outcome = outcome_of(task::large_result, "5000000");
  EXPECT_EQ(outcome.raw.size(), 5'000'000u);
}

TEST_F(AttemptTest, OnlyTellsTheSizeOfAResultOverTheLimit) {
  const auto outcome = outcome_of(task::large_result, "5000", R"({"output_limit":4999})");
  EXPECT_EQ(kind_of(outcome), Outcome::kSuccess);
  EXPECT_EQ(outcome.json, R"({"too_large":5000})");
  EXPECT_EQ(outcome.raw, "");
  EXPECT_EQ(outcome_of(task::large_result, "100000000").json, R"({"too_large":100000000})");
}

TEST_F(AttemptTest, LeavesByItsOwnCodeWhenTheTaskExits) {
  for (const std::uint32_t task : {task::leave, task::leave_at_once}) {
    const Attempt attempt = started(task, "7");
    const auto exit = zygote_.exit_of(attempt.id);
    ASSERT_TRUE(exit);
    EXPECT_EQ(WEXITSTATUS(exit->report.wait_status), 7);
    EXPECT_FALSE(attempt.next(Kind::kOutcome));
  }
}

TEST_F(AttemptTest, WaitsForTheConfirmationOfItsOutcome) {
  const Attempt attempt = started(task::echo, "1");
  ASSERT_TRUE(attempt.next(Kind::kOutcome));
  EXPECT_FALSE(zygote_.exit_of(attempt.id, std::chrono::milliseconds(100)));
  attempt.confirm();
  EXPECT_TRUE(zygote_.exit_of(attempt.id));
}

TEST_F(AttemptTest, LeavesWhenTheHostEndsTheLink) {
  Attempt attempt = zygote_.fork();
  attempt.link.reset();
  const auto exit = zygote_.exit_of(attempt.id);
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->report.wait_status, 0);
}

TEST_F(AttemptTest, FlushesItsStreamsBeforeTheOutcome) {
  const Attempt attempt = started(task::print);
  ASSERT_TRUE(attempt.next(Kind::kOutcome));
  char text[64];
  EXPECT_EQ(std::string(text, static_cast<std::size_t>(read(attempt.out.get(), text, sizeof text))), "to stdout");
  EXPECT_EQ(std::string(text, static_cast<std::size_t>(read(attempt.err.get(), text, sizeof text))), "to stderr");
}

TEST_F(AttemptTest, SendsItsLogLines) {
  const Attempt attempt = started(task::log_lines, "2");
  for (const char* line : {"line 0", "line 1"}) {
    const auto log = attempt.next(Kind::kLog);
    ASSERT_TRUE(log);
    EXPECT_EQ(log->raw, line);
    EXPECT_EQ(log->json, "{\"n\":1}");
    EXPECT_EQ(log->arg, 2u);
    EXPECT_GT(log->id, 1'600'000'000'000u);
  }
}

TEST_F(AttemptTest, CutsItsLogAtTheLimitAndSaysSo) {
  const Attempt attempt = started(task::log_lines, "1000", R"({"log_limit":100})");
  std::vector<std::string> lines;
  for (;;) {
    const auto frame = attempt.next_frame();
    ASSERT_TRUE(frame);
    if (frame->kind == Kind::kOutcome) break;
    ASSERT_EQ(frame->kind, Kind::kLog);
    lines.emplace_back(frame->raw);
  }
  ASSERT_EQ(lines.size(), 9u);  // 13 bytes each, fields included
  EXPECT_EQ(lines[6], "line 6");
  EXPECT_EQ(lines[7], "log limit of 100 bytes reached, more lines are dropped");
  EXPECT_EQ(lines[8], "log limit reached, 993 more lines dropped");
}

TEST_F(AttemptTest, RefusesLogFieldsThatAreNoObject) {
  const auto outcome = outcome_of(task::log_bad_fields);
  EXPECT_EQ(outcome.raw, R"({"status":9,"words":"log fields must be one JSON object"})");
}

// Answers the attempt's next request, and gives it back.
protocol::Incoming answered(const Attempt& attempt, protocol::ReplyStatus status, std::string_view json,
                            std::string_view raw = {}) {
  auto request = attempt.next(Kind::kRequest);
  EXPECT_TRUE(request) << "no request";
  if (!request) return {};
  protocol::Outgoing reply;
  reply.kind = Kind::kReply;
  reply.id = request->id;
  reply.arg = static_cast<std::uint32_t>(status);
  reply.json = json;
  reply.raw = raw;
  EXPECT_EQ(protocol::send(attempt.link.get(), reply, true), protocol::SendResult::kSent);
  return std::move(*request);
}

TEST_F(AttemptTest, AsksItsHostAndGivesTheAnswersToItsTask) {
  using protocol::ReplyStatus;
  using protocol::RequestKind;
  const auto kind = [](const protocol::Incoming& request) { return static_cast<RequestKind>(request.arg); };
  const Attempt attempt = started(task::ask_host, "null", R"({"run":"run_1","attempt":1})");
  const auto metadata = answered(attempt, ReplyStatus::kOk, "");
  EXPECT_EQ(kind(metadata), RequestKind::kMetadata);
  EXPECT_EQ(metadata.json, R"({"type":"append","target":"root","key":"k\""})");
  EXPECT_EQ(metadata.raw, "[2]");
  const auto tags = answered(attempt, ReplyStatus::kInvalid, "too many tags");
  EXPECT_EQ(kind(tags), RequestKind::kTags);
  EXPECT_EQ(tags.json, R"({"tags":["x","y"]})");
  const auto stream = answered(attempt, ReplyStatus::kFailed, "the disk is full");
  EXPECT_EQ(kind(stream), RequestKind::kStream);
  EXPECT_EQ(stream.json, R"({"stream":"lines"})");
  EXPECT_EQ(stream.raw, "a\n");
  const auto trigger = answered(attempt, ReplyStatus::kOk, "", "run_2");
  EXPECT_EQ(kind(trigger), RequestKind::kTrigger);
  EXPECT_EQ(trigger.json, R"({"call":1,"task":"child","options":{"ttlMs":5}})");
  EXPECT_EQ(trigger.raw, "[1]");
  const auto outcome = attempt.next(Kind::kOutcome);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->raw, R"({"statuses":[0,9,1,0],"run":"run_2","words":"the disk is full"})");
  attempt.confirm();
}

TEST_F(AttemptTest, KnowsItsConfigurationAndUsage) {
  const auto outcome = outcome_of(task::config_and_usage, "null", R"({"config":{"key":"value"}})");
  const std::string config = member(outcome.raw, "config");
  EXPECT_EQ(config, R"({"key":"value"})");
  const std::string usage = member(outcome.raw, "usage");
  EXPECT_GT(std::stoll(member(usage, "memoryBytes")), 100'000);
  EXPECT_GT(std::stoll(member(usage, "peakMemoryBytes")), 100'000);
  EXPECT_EQ(member(usage, "memoryLimitBytes"), "null");
}

TEST_F(AttemptTest, SeesACancelWhileItRuns) {
  const Attempt attempt = started(task::until_cancelled);
  ASSERT_TRUE(attempt.next(Kind::kLog));
  attempt.cancel();
  const auto outcome = attempt.next(Kind::kOutcome);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(kind_of(*outcome), Outcome::kCanceled);
}

TEST_F(AttemptTest, WakesAPollOnTheCancelDescriptor) {
  const Attempt attempt = started(task::poll_cancel);
  ASSERT_TRUE(attempt.next(Kind::kLog));
  attempt.cancel(2);
  const auto outcome = attempt.next(Kind::kOutcome);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(kind_of(*outcome), Outcome::kCanceled);
  attempt.confirm();
  EXPECT_TRUE(zygote_.exit_of(attempt.id));
}

TEST_F(AttemptTest, IsStillConfirmedAndRecycledWithAReadingThread) {
  const Attempt attempt = started(task::poll_cancel);
  for (int i = 0; i < 3; i++) {
    ASSERT_TRUE(attempt.next(Kind::kLog));
    attempt.cancel();
    const auto outcome = attempt.next(Kind::kOutcome);
    ASSERT_TRUE(outcome);
    EXPECT_EQ(kind_of(*outcome), Outcome::kCanceled) << "round " << i;
    attempt.confirm(true);
    ASSERT_TRUE(attempt.start(task::poll_cancel, "null"));
  }
}

TEST_F(AttemptTest, BeatsByItselfWhenAskedForItOften) {
  const Attempt attempt = started(task::sleep_forever, "null", R"({"heartbeat_ms":5})");
  for (int i = 0; i < 3; i++) EXPECT_TRUE(attempt.next(Kind::kHeartbeat));
  zygote_.send(Kind::kSignal, attempt.id, SIGKILL);
}

TEST_F(AttemptTest, FallsSilentWhenItIsStopped) {
  const Attempt attempt = started(task::stop_itself, "null", R"({"heartbeat_ms":5})");
  ASSERT_TRUE(attempt.next(Kind::kLog));
  int status = 0;
  ASSERT_TRUE(eventually([&] {
    status = 0;
    const auto frame = attempt.next(Kind::kHeartbeat, std::chrono::milliseconds(100));
    return !frame.has_value();
  }));
  zygote_.send(Kind::kSignal, attempt.id, SIGTERM);  // which a stopped process would not see alone
  const auto exit = zygote_.exit_of(attempt.id);
  ASSERT_TRUE(exit);
  EXPECT_EQ(WTERMSIG(exit->report.wait_status), SIGTERM);
}

TEST_F(AttemptTest, ServesTheNextStartInTheSameProcessWhenRecycled) {
  const Attempt attempt = zygote_.fork();
  for (int i = 1; i <= 3; i++) {
    ASSERT_TRUE(attempt.start(task::count, "null"));
    const auto outcome = attempt.next(Kind::kOutcome);
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->raw, std::to_string(i));
    attempt.confirm(i < 3);
  }
  EXPECT_TRUE(zygote_.exit_of(attempt.id));
}

TEST_F(AttemptTest, ForgetsAResultAnErrorAndACancelBeforeTheNext) {
  const Attempt attempt = started(task::echo, "\"first\"");
  ASSERT_TRUE(attempt.next(Kind::kOutcome));
  attempt.cancel();  // too late for the first
  attempt.confirm(true);
  ASSERT_TRUE(attempt.start(task::status, "0"));
  EXPECT_EQ(attempt.next(Kind::kOutcome)->raw, "null");
  attempt.confirm(true);
  ASSERT_TRUE(attempt.start(task::until_cancelled, "null"));
  EXPECT_TRUE(attempt.next(Kind::kLog));
  EXPECT_FALSE(attempt.next(Kind::kOutcome, std::chrono::milliseconds(100)));
  attempt.cancel();
  EXPECT_TRUE(attempt.next(Kind::kOutcome));
}

TEST_F(AttemptTest, LeavesNoDescendantToTheNextInItsProcess) {
  const Attempt attempt = started(task::daemonize);
  const auto outcome = attempt.next(Kind::kOutcome);
  ASSERT_TRUE(outcome);
  const auto daemon = static_cast<pid_t>(std::stol(std::string(outcome->raw)));
  EXPECT_EQ(kill(daemon, 0), 0);
  attempt.confirm(true);
  ASSERT_TRUE(attempt.start(task::echo, "1"));
  ASSERT_TRUE(attempt.next(Kind::kOutcome));
  EXPECT_LT(kill(daemon, 0), 0);
}

TEST_F(AttemptTest, DoesNotPassTheLibraryPathOn) {
  ZygoteProcess zygote(fixture("behaviours"), {"LD_LIBRARY_PATH=/tmp"});
  ASSERT_NE(zygote.manifest(), "");
  const Attempt attempt = zygote.fork();
  ASSERT_TRUE(attempt.start(task::library_path, "null"));
  const auto outcome = attempt.next(Kind::kOutcome);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->raw, "null");
}

#ifndef NDEBUG
TEST_F(AttemptTest, RefusesAResultFromAnotherThreadInADebugBuild) {
  EXPECT_EQ(outcome_of(task::result_from_thread).raw, "9");
}
#endif

TEST_F(AttemptTest, StartsInCleanSurroundings) {
  const auto outcome = outcome_of(task::surroundings);
  // stdin, stdout, stderr and the link; stdin is at its end at once
  EXPECT_EQ(outcome.raw, R"({"blocked":0,"descriptors":4,"subreaper":1,"core":0,"leader":1,"stdin":0})");
}

TEST_F(AttemptTest, EndsWithALostLinkWhenTheTaskClosesEverything) {
  const Attempt attempt = started(task::close_everything);
  EXPECT_FALSE(attempt.next(Kind::kOutcome));
  EXPECT_TRUE(zygote_.exit_of(attempt.id));
}

}  // namespace
}  // namespace perdure::zygote::test
