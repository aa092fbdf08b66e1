// The child's end of the attempt link, used by several threads at once; the test is the host.
#include "host/zygote/attempt_link.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <array>
#include <future>
#include <string>
#include <vector>

#include "tests/protocol/socket_pair.h"

namespace perdure::zygote::test {
namespace {

using protocol::Incoming;
using protocol::Kind;
using protocol::RequestKind;

class AttemptLinkTest : public testing::Test {
 protected:
  // A thread that asks `what` and gives back the answer's raw; "gone" when there is none.
  std::future<std::string> asked(const std::string& what) {
    return std::async(std::launch::async, [this, what] {
      Incoming reply;
      return link_.ask(RequestKind::kStream, what, {}, reply) ? std::string(reply.raw) : "gone";
    });
  }
  // The next frame of the child.
  Incoming heard() {
    Incoming frame;
    EXPECT_EQ(receiver_.receive(pair_.there(), frame, true), protocol::ReceiveResult::kFrame);
    return frame;
  }
  void say(Kind kind, std::uint32_t arg = 0, std::uint64_t id = 0, std::string_view raw = {}) const {
    protocol::Outgoing frame;
    frame.kind = kind;
    frame.arg = arg;
    frame.id = id;
    frame.raw = raw;
    ASSERT_EQ(protocol::send(pair_.there(), frame, true), protocol::SendResult::kSent);
  }
  // Answers a request with what came with it.
  void answer(const Incoming& request) const { say(Kind::kReply, 0, request.id, request.json); }

  protocol::test::SocketPair pair_;
  AttemptLink link_{pair_.here()};
  protocol::Receiver receiver_;
};

TEST_F(AttemptLinkTest, GivesEveryThreadTheAnswerToItsOwnRequestInWhateverOrderTheyCome) {
  std::vector<std::future<std::string>> threads;
  std::vector<Incoming> requests;
  for (int i = 0; i < 8; i++) threads.push_back(asked("request " + std::to_string(i)));
  for (int i = 0; i < 8; i++) requests.push_back(heard());
  for (auto each = requests.rbegin(); each != requests.rend(); ++each) answer(*each);
  for (int i = 0; i < 8; i++) EXPECT_EQ(threads[static_cast<std::size_t>(i)].get(), "request " + std::to_string(i));
}

TEST_F(AttemptLinkTest, SaysWhatIsAskedAndNumbersTheRequests) {
  auto thread = asked("first");
  const Incoming first = heard();
  EXPECT_EQ(first.kind, Kind::kRequest);
  EXPECT_EQ(first.arg, static_cast<std::uint32_t>(RequestKind::kStream));
  EXPECT_EQ(first.json, "first");
  answer(first);
  thread.get();
  thread = asked("second");
  const Incoming second = heard();
  EXPECT_GT(second.id, first.id);
  answer(second);
  EXPECT_EQ(thread.get(), "second");
}

TEST_F(AttemptLinkTest, SeesACancelWhileAThreadWaitsForItsAnswer) {
  auto thread = asked("slow");
  const Incoming request = heard();
  say(Kind::kCancel, 2);
  while (link_.cancelled() == 0) std::this_thread::yield();
  EXPECT_EQ(link_.cancelled(), 2u);
  answer(request);
  EXPECT_EQ(thread.get(), "slow");
}

TEST_F(AttemptLinkTest, HandsTheMainThreadWhatAnotherReadForIt) {
  auto thread = asked("slow");
  const Incoming request = heard();
  say(Kind::kConfirm, 1);
  Incoming confirm;
  ASSERT_TRUE(link_.receive(confirm));
  EXPECT_EQ(confirm.kind, Kind::kConfirm);
  answer(request);
  EXPECT_EQ(thread.get(), "slow");
}

TEST_F(AttemptLinkTest, AnswersBesideTheReadingThreadAlsoWhenThatStartsInBetween) {
  auto before = asked("before");
  const Incoming first = heard();
  const int fd = link_.cancel_descriptor();
  ASSERT_GE(fd, 0);
  auto after = asked("after");
  const Incoming second = heard();
  answer(second);
  EXPECT_EQ(after.get(), "after");
  say(Kind::kCancel, 1);
  pollfd cancelled{fd, POLLIN, 0};
  EXPECT_EQ(poll(&cancelled, 1, 20'000), 1);
  answer(first);
  EXPECT_EQ(before.get(), "before");
}

TEST_F(AttemptLinkTest, TellsEveryThreadWhenTheHostIsGone) {
  std::array threads{asked("a"), asked("b"), asked("c")};
  for (int i = 0; i < 3; i++) (void)heard();
  pair_.close_there();
  for (auto& thread : threads) EXPECT_EQ(thread.get(), "gone");
  Incoming reply;
  EXPECT_FALSE(link_.ask(RequestKind::kTags, {}, {}, reply));
}

TEST_F(AttemptLinkTest, LeavesNoThreadOfAnEarlierAttemptWaiting) {
  auto thread = asked("of the attempt before");
  const Incoming request = heard();
  say(Kind::kStart);
  EXPECT_EQ(thread.get(), "gone");
  answer(request);  // late, and nobody's
  Incoming start;
  ASSERT_TRUE(link_.receive(start));
  EXPECT_EQ(start.kind, Kind::kStart);
  thread = asked("of this attempt");
  answer(heard());
  EXPECT_EQ(thread.get(), "of this attempt");
}

TEST_F(AttemptLinkTest, AsksAnotherHostInOrderWhatTheOneBeforeDidNotAnswer) {
  auto first = asked("first");
  const Incoming one = heard();
  auto second = asked("second");
  const Incoming two = heard();
  auto third = asked("third");
  const Incoming three = heard();
  answer(two);
  EXPECT_EQ(second.get(), "second");
  say(Kind::kAdopted);
  EXPECT_EQ(heard().kind, Kind::kResend);
  const Incoming again = heard();
  EXPECT_EQ(again.id, one.id);
  EXPECT_EQ(again.json, "first");
  const Incoming last = heard();
  EXPECT_EQ(last.id, three.id);
  answer(last);
  answer(again);
  EXPECT_EQ(first.get(), "first");
  EXPECT_EQ(third.get(), "third");
}

TEST_F(AttemptLinkTest, TakesTheFirstOfTwoAnswersAndForgetsTheOther) {
  auto thread = asked("asked twice");
  const Incoming request = heard();
  say(Kind::kAdopted);
  (void)heard();
  const Incoming again = heard();
  say(Kind::kReply, 0, request.id, "of the host before");
  EXPECT_EQ(thread.get(), "of the host before");
  answer(again);
  auto next = asked("next");
  const Incoming other = heard();
  EXPECT_NE(other.id, again.id);
  answer(other);
  EXPECT_EQ(next.get(), "next");
}

TEST_F(AttemptLinkTest, SaysTheOutcomeToEveryHostUntilOneConfirms) {
  const std::string output = "42";
  protocol::Outgoing outcome;
  outcome.kind = Kind::kOutcome;
  outcome.id = 3;
  outcome.raw = output;
  auto main = std::async(std::launch::async, [&] {
    Incoming confirm;
    return link_.send_outcome(outcome) && link_.receive(confirm) && confirm.kind == Kind::kConfirm;
  });
  EXPECT_EQ(heard().raw, "42");
  for (int host = 0; host < 3; host++) {
    say(Kind::kAdopted, 0, 70 + static_cast<std::uint64_t>(host));
    EXPECT_EQ(heard().id, 70u + static_cast<std::uint64_t>(host));
    const Incoming again = heard();
    EXPECT_EQ(again.kind, Kind::kOutcome);
    EXPECT_EQ(again.id, 3u);
    EXPECT_EQ(again.raw, "42");
  }
  say(Kind::kConfirm);
  EXPECT_TRUE(main.get());
}

TEST_F(AttemptLinkTest, SaysWhatWasJudgedBeforeTheOutcome) {
  link_.remember_judgement(R"({"outcome":0})", "42");
  protocol::Outgoing outcome;
  outcome.kind = Kind::kOutcome;
  auto main = std::async(std::launch::async, [&] {
    Incoming confirm;
    return link_.send_outcome(outcome) && link_.receive(confirm);
  });
  (void)heard();
  say(Kind::kAdopted);
  EXPECT_EQ(heard().kind, Kind::kResend);
  const Incoming judged = heard();
  EXPECT_EQ(judged.kind, Kind::kRequest);
  EXPECT_EQ(judged.arg, static_cast<std::uint32_t>(RequestKind::kJudge));
  EXPECT_EQ(judged.raw, "42");
  EXPECT_EQ(heard().kind, Kind::kOutcome);
  say(Kind::kReply, 0, judged.id, "nobody waits for it");
  say(Kind::kConfirm);
  EXPECT_TRUE(main.get());
}

}  // namespace
}  // namespace perdure::zygote::test
