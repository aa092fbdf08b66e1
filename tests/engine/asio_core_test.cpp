// The real core's timers, on clocks that a test sets.
#include "host/engine/asio_core.h"

#include <gtest/gtest.h>

#include <atomic>

namespace perdure::engine {
namespace {

using namespace std::chrono_literals;
using store::Duration;

class AsioCoreTest : public ::testing::Test {
 protected:
  // Runs until `done`, at most a minute.
  bool run_until(const std::function<bool()>& done) {
    const auto end = std::chrono::steady_clock::now() + 1min;
    while (!done() && std::chrono::steady_clock::now() < end) io_.run_one_for(1s);
    return done();
  }
  // What is ready now, and nothing else.
  void run_ready() {
    io_.restart();
    while (io_.poll_one() > 0) {
    }
  }

  Duration boot_{5'000'000}, wall_{1'700'000'000'000};
  boost::asio::io_context io_;
  AsioCore core_{io_, {.since_boot = [this] { return boot_; }, .wall_less_boot = [this] { return wall_; }}};
  int fired_ = 0;
  std::unique_ptr<Timer> timer_ = core_.timer([this] { ++fired_; });
};

TEST_F(AsioCoreTest, NowIsTheWallClockAsItWasAdopted) {
  EXPECT_EQ(core_.now(), store::Time(boot_ + wall_));
  wall_ += 1h;
  EXPECT_EQ(core_.now(), store::Time(boot_ + wall_ - 1h));
  boot_ += 5s;
  EXPECT_EQ(core_.now(), store::Time(boot_ + wall_ - 1h));
  EXPECT_EQ(core_.clock().wall, wall_ - 1h);
  core_.clock_was_set();  // nobody asked to hear of it
  EXPECT_EQ(core_.now(), store::Time(boot_ + wall_));
  EXPECT_EQ(core_.clock().wall, wall_);
}

TEST_F(AsioCoreTest, WhoeverAskedHearsOfTheClockBeforeItIsAdopted) {
  store::Time before{}, after{};
  core_.on_clock_set([&] {
    before = core_.now();
    core_.adopt_clock();
    after = core_.now();
  });
  wall_ -= 1h;
  core_.clock_was_set();
  EXPECT_EQ(after, before - 1h);
}

TEST_F(AsioCoreTest, ATimerForAPastTimeFiresAtOnce) {
  timer_->set(core_.now() - 1s);
  EXPECT_TRUE(run_until([&] { return fired_ == 1; }));
}

TEST_F(AsioCoreTest, ATimerForATimeFollowsTheClockThatIsSet) {
  timer_->set(core_.now() + 1h);
  run_ready();
  EXPECT_EQ(fired_, 0);
  wall_ += 1h;
  core_.clock_was_set();
  EXPECT_TRUE(run_until([&] { return fired_ == 1; }));
  timer_->set(core_.now() + 10ms);
  wall_ -= 1h;
  core_.clock_was_set();
  boot_ += 1s;
  core_.clock_was_set();
  run_ready();
  EXPECT_EQ(fired_, 1);
  boot_ += 1h;
  core_.clock_was_set();
  EXPECT_TRUE(run_until([&] { return fired_ == 2; }));
}

TEST_F(AsioCoreTest, ATimerForADurationDoesNot) {
  timer_->after(1h);
  wall_ += 24h;
  core_.clock_was_set();
  run_ready();
  EXPECT_EQ(fired_, 0);
  boot_ += 1h;  // the machine has slept
  core_.clock_was_set();
  EXPECT_TRUE(run_until([&] { return fired_ == 1; }));
}

TEST_F(AsioCoreTest, ATimerThatIsSetAnewOrCalledOffDoesNotFireForWhatWas) {
  timer_->set(core_.now());
  timer_->set(core_.now() + 1h);
  run_ready();
  EXPECT_EQ(fired_, 0);
  timer_->after(0ms);
  timer_->set(std::nullopt);
  run_ready();
  EXPECT_EQ(fired_, 0);
  timer_->set(core_.now());
  timer_.reset();
  run_ready();
  EXPECT_EQ(fired_, 0);
}

TEST_F(AsioCoreTest, TheLongestDelayThatIsAcceptedFits) {
  timer_->set(core_.now() + std::chrono::hours(24 * 365 * 1000));
  timer_->after(std::chrono::hours(24 * 365 * 1000));
  run_ready();
  EXPECT_EQ(fired_, 0);
}

TEST(SystemClocks, AreReadAlikeAgainAndAgain) {
  const Duration first = os::wall_less_boot();
  for (int i = 0; i < 1000; ++i) {
    const Duration again = os::wall_less_boot();
    ASSERT_LT(again - first, store::kClockNoise);
    ASSERT_GT(again - first, -store::kClockNoise);
  }
  EXPECT_FALSE(os::boot_id().empty());
}

}  // namespace
}  // namespace perdure::engine
