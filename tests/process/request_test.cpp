// What attempts ask of their host while they execute, and what the host does not let them ask.
#include <gtest/gtest.h>

#include "tests/process/supervised.h"

namespace perdure::process::test {
namespace {

using store::FailureKind;

class RequestTest : public testing::Test, public Supervised {
 protected:
  RequestTest() {
    load_behaviours();
    answers = false;
  }
  AttemptHandle asking(const std::string& task) {
    const AttemptHandle attempt = start(task);
    until([&] { return !of(attempt).requests.empty(); }, "a request of the attempt");
    return attempt;
  }
};

TEST_F(RequestTest, IsToldWithItsNumberAndKind) {
  const AttemptHandle attempt = asking("ask_once");
  const AttemptRequest& request = of(attempt).requests.front();
  EXPECT_EQ(request.id, 9u);
  EXPECT_EQ(request.kind, protocol::RequestKind::kStream);
  supervisor->reply(attempt, request.id, {});
  supervisor->stop(attempt, StopReason::kShutdown);
  released(attempt);
}

TEST_F(RequestTest, IsAnsweredOnceAndNotWhenTheAttemptIsOver) {
  const AttemptHandle attempt = asking("ask_once");
  supervisor->reply(attempt, 9, {});
  supervisor->reply(attempt, 9, {});    // answered already
  supervisor->reply(attempt, 123, {});  // never asked
  supervisor->stop(attempt, StopReason::kShutdown);
  EXPECT_EQ(released(attempt).kind(), FailureKind::kHostLost);
  supervisor->reply(attempt, 9, {});  // over
  EXPECT_EQ(run("echo", "1").result.output, "1");
}

TEST_F(RequestTest, AfterTheOutcomeChangesNothingOfItAndEndsTheProcess) {
  const auto recycling = [](AttemptSpec& spec) { spec.recycle_after = 100; };
  const Told& told = run("ask_after_outcome", "null", recycling);
  EXPECT_FALSE(told.result.failure);
  EXPECT_EQ(told.result.output, "\"a\" ");
  EXPECT_TRUE(told.requests.empty());
}

TEST_F(RequestTest, EndsTheAttemptWhenItsAnswersAreNotRead) {
  answers = true;
  const AttemptHandle attempt = start("ask_and_not_read");
  const std::string large(60'000, 'x');
  until([&] { return of(attempt).requests.size() == 60 || of(attempt).results > 0; }, "the requests");
  answers = false;
  const AttemptHandle other = start("ask_and_not_read");
  until([&] { return of(other).requests.size() == 60; }, "the requests");
  for (std::uint64_t id = 1; id <= 60; id++) supervisor->reply(other, id, {{}, {}, large});
  EXPECT_EQ(released(other).kind(), FailureKind::kProtocolError);
  supervisor->stop(attempt, StopReason::kShutdown);  // small ones have room
  EXPECT_EQ(released(attempt).kind(), FailureKind::kHostLost);
}

}  // namespace
}  // namespace perdure::process::test
