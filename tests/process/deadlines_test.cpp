// Many timers behind one.
#include "host/process/deadlines.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>

namespace perdure::process::test {
namespace {

using std::chrono::milliseconds;

class Recorder final : public Timed {
 public:
  explicit Recorder(std::function<void()> then) : then_(std::move(then)) {}
  void on_deadline(Instant) override { then_(); }

 private:
  std::function<void()> then_;
};

class DeadlinesTest : public testing::Test {
 protected:
  boost::asio::io_context io_;
  Deadlines deadlines_{io_};
  const Instant now_ = std::chrono::steady_clock::now();
  std::string order_;
};

TEST_F(DeadlinesTest, FireInTheirOrder) {
  Recorder a([this] { order_ += 'a'; }), b([this] { order_ += 'b'; }), c([this] { order_ += 'c'; });
  deadlines_.set(c, now_ + milliseconds(30));
  deadlines_.set(a, now_ + milliseconds(10));
  deadlines_.set(b, now_ + milliseconds(20));
  io_.run();
  EXPECT_EQ(order_, "abc");
}

TEST_F(DeadlinesTest, OneThatIsSetAgainFiresOnce) {
  Recorder a([this] { order_ += 'a'; }), b([this] { order_ += 'b'; });
  deadlines_.set(a, now_ + milliseconds(1));
  deadlines_.set(b, now_ + milliseconds(10));
  deadlines_.set(a, now_ + milliseconds(20));
  io_.run();
  EXPECT_EQ(order_, "ba");
}

TEST_F(DeadlinesTest, OneThatIsClearedOrDestroyedDoesNotFire) {
  Recorder cleared([this] { order_ += 'x'; });
  auto destroyed = std::make_unique<Recorder>([this] { order_ += 'y'; });
  deadlines_.set(cleared, now_ + milliseconds(1));
  deadlines_.set(*destroyed, now_ + milliseconds(1));
  deadlines_.clear(cleared);
  destroyed.reset();
  io_.run();
  EXPECT_EQ(order_, "");
}

TEST_F(DeadlinesTest, OneMaySetItselfAnewWhileItFires) {
  std::unique_ptr<Recorder> a;
  a = std::make_unique<Recorder>([&] {
    order_ += 'a';
    if (order_.size() < 3) deadlines_.set(*a, now_);
  });
  deadlines_.set(*a, now_);
  io_.run();
  EXPECT_EQ(order_, "aaa");
}

}  // namespace
}  // namespace perdure::process::test
