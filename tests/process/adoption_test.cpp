// A supervisor takes over attempts whose host was killed: another process of this test, so that nothing of it is left.
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "host/protocol/frame.h"
#include "tests/process/supervised.h"

namespace perdure::process::test {
namespace {

using namespace std::chrono_literals;
using store::FailureKind;

class AdoptionTest : public testing::Test {
 protected:
  AdoptionTest() {
    std::string name = (std::filesystem::temp_directory_path() / "perdure-adoption-XXXXXX").string();
    place_ = mkdtemp(name.data());
  }
  ~AdoptionTest() override {
    if (host_ > 0) kill_host();
    next_.reset();
    std::filesystem::remove_all(place_);
  }

  /// A host in a process of its own that starts these tasks, as attempts 1, 2, … of one run each, and has heard
  /// something of each.
  void start_host(const std::vector<std::string>& tasks) {
    int heard[2];
    ASSERT_EQ(pipe(heard), 0);
    host_ = fork();
    ASSERT_GE(host_, 0);
    if (host_ > 0) {
      close(heard[1]);
      char byte = 0;
      EXPECT_EQ(read(heard[0], &byte, 1), 1) << "the first host did not start its attempts";
      close(heard[0]);
      return;
    }
    Supervised first([this](SupervisorOptions& options) { options.handover = place_; });
    first.load_behaviours();
    first.confirms = false;
    std::vector<AttemptHandle> attempts;
    for (const std::string& task : tasks) {
      attempts.push_back(first.start(task, "3", [&](AttemptSpec& spec) {
        spec.number = static_cast<std::uint32_t>(attempts.size() + 1);
        spec.token = "fence of " + task;
      }));
    }
    for (const AttemptHandle each : attempts) {
      first.until(
          [&] {
            const Told& told = first.of(each);
            return !told.logs.empty() || !told.requests.empty() || told.results > 0;
          },
          "a word of the attempt");
    }
    (void)!write(heard[1], "x", 1);
    first.io.restart();
    first.io.run();
    _exit(1);
  }

  void kill_host() {
    kill(host_, SIGKILL);
    waitpid(std::exchange(host_, -1), nullptr, 0);
  }

  /// The next host, which has found what there is; nothing is adopted yet.
  Supervised& next_host() {
    kill_host();
    next_ = std::make_unique<Supervised>(
        [this](SupervisorOptions& options) { options.handover = place_; },
        [this] { return find_surviving_zygotes(place_, [this](const std::string& why) { warned_ = why; }); });
    return *next_;
  }
  /// Adopts attempt `number`.
  AttemptHandle adopt(std::uint32_t number, store::Duration executed = {},
                      const std::function<void(AttemptSpec&)>& adjust = {}) {
    for (const Survivor& each : next_->supervisor->survivors()) {
      if (each.number != number) continue;
      AttemptSpec spec;
      spec.handle = 100 + number;
      spec.run = each.run;
      spec.number = number;
      spec.token = each.token;
      if (adjust) adjust(spec);
      next_->supervisor->adopt(each.id, std::move(spec), executed, *next_);
      return 100 + number;
    }
    ADD_FAILURE() << "there is no attempt " << number;
    return 0;
  }
  void end_others() {
    bool gone = false;
    next_->supervisor->end_survivors([&gone] { gone = true; });
    next_->until([&] { return gone; }, "the end of the others");
  }

  std::string place_, warned_;
  pid_t host_ = -1;
  std::unique_ptr<Supervised> next_;
};

TEST_F(AdoptionTest, TellsWhomItHasFound) {
  start_host({"sleep_forever"});
  const std::vector<Survivor> found = next_host().supervisor->survivors();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].run.text(), "run_0000000000000000000000000");
  EXPECT_EQ(found[0].number, 1u);
  EXPECT_EQ(found[0].token, "fence of sleep_forever");
  EXPECT_FALSE(found[0].only_hooks);
  end_others();
}

TEST_F(AdoptionTest, AnAdoptedAttemptIsStoppedAsAnyOther) {
  start_host({"sleep_forever"});
  Supervised& next = next_host();
  const AttemptHandle attempt = adopt(1);
  end_others();
  next.until([&] { return next.of(attempt).started > 0; }, "the start");
  EXPECT_TRUE(is_alive(next.of(attempt).pid));
  next.supervisor->stop(attempt, StopReason::kShutdown);
  EXPECT_EQ(next.released(attempt).kind(), FailureKind::kHostLost);
  EXPECT_FALSE(is_alive(next.of(attempt).pid));
}

TEST_F(AdoptionTest, AnOutcomeThatTheFirstHostHadReadIsToldToTheNext) {
  start_host({"echo"});
  Supervised& next = next_host();
  const AttemptHandle attempt = adopt(1);
  end_others();
  const Told& told = next.released(attempt);
  EXPECT_EQ(told.results, 1);
  EXPECT_EQ(told.result.output, "3");
}

TEST_F(AdoptionTest, WhoIsNotAdoptedIsGoneBeforeAnythingStarts) {
  start_host({"sleep_forever", "sleep_forever"});
  Supervised& next = next_host();
  const AttemptHandle attempt = adopt(2);
  end_others();
  next.until([&] { return next.of(attempt).started > 0; }, "the start");
  EXPECT_TRUE(is_alive(next.of(attempt).pid));
  EXPECT_TRUE(next.supervisor->survivors().size() == 1) << "which is no more";
  next.supervisor->stop(attempt, StopReason::kShutdown);
  next.released(attempt);
}

TEST_F(AdoptionTest, AHostThatDecidesAboutNobodyLeavesThemToTheNextOne) {
  start_host({"sleep_forever"});
  (void)next_host();
  next_.reset();
  next_ = std::make_unique<Supervised>([this](SupervisorOptions& options) { options.handover = place_; },
                                       [this] { return find_surviving_zygotes(place_, [](const std::string&) {}); });
  EXPECT_EQ(next_->supervisor->survivors().size(), 1u);
  end_others();
}

TEST_F(AdoptionTest, AttemptsThatAreLeftGoOnUnderTheNextHost) {
  start_host({"sleep_forever"});
  Supervised& first = next_host();
  const AttemptHandle attempt = adopt(1);
  end_others();
  first.until([&] { return first.of(attempt).started > 0; }, "the start");
  const std::int32_t pid = first.of(attempt).pid;
  first.supervisor->leave_attempts();
  next_.reset();
  EXPECT_TRUE(is_alive(pid));
  next_ = std::make_unique<Supervised>([this](SupervisorOptions& options) { options.handover = place_; },
                                       [this] { return find_surviving_zygotes(place_, [](const std::string&) {}); });
  ASSERT_EQ(next_->supervisor->survivors().size(), 1u);
  const AttemptHandle again = adopt(1);
  end_others();
  next_->supervisor->stop(again, StopReason::kShutdown);
  next_->released(again);
}

TEST_F(AdoptionTest, ATimeLimitCountsFromTheRealStart) {
  start_host({"sleep_forever"});
  Supervised& next = next_host();
  const AttemptHandle attempt = adopt(1, 1h, [](AttemptSpec& spec) { spec.max_duration = std::chrono::minutes(30); });
  end_others();
  EXPECT_EQ(next.released(attempt).kind(), FailureKind::kMaxDurationExceeded);
}

TEST_F(AdoptionTest, AZygoteThatDoesNotAnswerIsEndedWithItsAttempts) {
  start_host({"sleep_forever"});
  const std::string name = std::filesystem::directory_iterator(place_)->path().filename().string();
  const pid_t zygote = std::stoi(name);
  ASSERT_EQ(kill(zygote, SIGSTOP), 0);
  Supervised& next = next_host();
  EXPECT_TRUE(next.supervisor->survivors().empty());
  EXPECT_FALSE(is_alive(zygote));
  EXPECT_NE(warned_.find("could not be taken over"), std::string::npos) << warned_;
  EXPECT_TRUE(std::filesystem::is_empty(place_));
}

TEST_F(AdoptionTest, TheDeathOfAnAdoptedZygoteIsTheLossOfItsAttempts) {
  start_host({"sleep_forever"});
  Supervised& next = next_host();
  const std::string name = std::filesystem::directory_iterator(place_)->path().filename().string();
  const AttemptHandle attempt = adopt(1);
  end_others();
  kill(std::stoi(name), SIGKILL);
  EXPECT_EQ(next.released(attempt).kind(), FailureKind::kHostLost);
  EXPECT_FALSE(is_alive(next.of(attempt).pid));
}

TEST_F(AdoptionTest, ASocketThatNobodyListensToIsRemoved) {
  start_host({"sleep_forever"});
  const auto socket = *std::filesystem::directory_iterator(place_);
  kill(std::stoi(socket.path().filename().string()), SIGKILL);
  kill_host();
  EXPECT_TRUE(find_surviving_zygotes(place_, [](const std::string&) {}).empty());
  EXPECT_TRUE(std::filesystem::is_empty(place_));
}

// A zygote of a build that this one cannot speak with, as far as a host sees it: it says its protocol, and leaves when
// it is told to. Its process id.
pid_t start_zygote_of_protocol(std::uint32_t protocol, const std::string& place) {
  int listens[2];
  if (pipe(listens) != 0) return -1;
  const pid_t zygote = fork();
  if (zygote == 0) {
    const int listener = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = place + "/" + std::to_string(getpid());
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    if (bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) _exit(1);
    if (listen(listener, 1) != 0 || write(listens[1], "x", 1) != 1) _exit(1);
    const int link = accept(listener, nullptr, nullptr);
    protocol::Outgoing hello;
    hello.kind = protocol::Kind::kOrphans;
    hello.arg = protocol;
    if (protocol::send(link, hello, true) != protocol::SendResult::kSent) _exit(1);
    protocol::Receiver receiver;
    protocol::Incoming told;
    const bool heard = receiver.receive(link, told, true) == protocol::ReceiveResult::kFrame;
    _exit(heard && told.kind == protocol::Kind::kQuit ? 0 : 1);
  }
  char byte = 0;
  EXPECT_EQ(read(listens[0], &byte, 1), 1);
  for (const int fd : listens) close(fd);
  return zygote;
}

TEST_F(AdoptionTest, AZygoteOfAnotherProtocolIsToldToEndItsAttempts) {
  for (const std::uint32_t protocol : {protocol::kOldestProtocol - 1, protocol::kProtocolVersion + 1}) {
    const pid_t zygote = start_zygote_of_protocol(protocol, place_);
    ASSERT_GT(zygote, 0);
    EXPECT_TRUE(find_surviving_zygotes(place_, [this](const std::string& why) { warned_ = why; }).empty());
    int status = -1;
    EXPECT_EQ(waitpid(zygote, &status, 0), zygote);
    EXPECT_EQ(status, 0) << "it was told so";
    EXPECT_NE(warned_.find("it speaks protocol " + std::to_string(protocol)), std::string::npos) << warned_;
    EXPECT_TRUE(std::filesystem::is_empty(place_));
  }
}

}  // namespace
}  // namespace perdure::process::test
