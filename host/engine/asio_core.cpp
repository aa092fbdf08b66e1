#include "host/engine/asio_core.h"

#include <algorithm>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>

namespace perdure::engine {

namespace {

// What a clock of nanoseconds can count from now.
constexpr store::Duration kLongestSleep = std::chrono::hours(24 * 365 * 100);

}  // namespace

class AsioTimer final : public Timer {
 public:
  AsioTimer(AsioCore& core, std::function<void()> fire) : core_(core), timer_(core.io_), fire_(std::move(fire)) {
    core_.timers_.insert(this);
  }
  ~AsioTimer() override { core_.timers_.erase(this); }
  AsioTimer(const AsioTimer&) = delete;
  AsioTimer& operator=(const AsioTimer&) = delete;

  void set(std::optional<store::Time> when) override {
    if (when && when == when_ && due_) return;
    when_ = when;
    due_.reset();
    timer_.cancel();
    if (when_) sleep_until_due();
  }

  void after(store::Duration duration) override {
    when_.reset();
    due_ = core_.clocks_.since_boot() + duration;
    sleep();
  }

  /// Time has passed while nobody counted, or the wall clock stands differently.
  void look_again() {
    if (when_) return sleep_until_due();
    if (due_) sleep();
  }

 private:
  void sleep_until_due() {
    due_ = when_->time_since_epoch() - store::Duration(core_.wall_.load());
    sleep();
  }

  void sleep() {
    const store::Duration left = std::max(*due_ - core_.clocks_.since_boot(), store::Duration{0});
    timer_.expires_after(std::min(left, kLongestSleep));
    timer_.async_wait([this, alive = std::weak_ptr<int>(alive_)](const boost::system::error_code& error) {
      // A wait may be called off when its handler is queued already: by set(), seen in due_, or by the destructor.
      if (error || alive.expired() || !due_) return;
      if (core_.clocks_.since_boot() < *due_) return sleep();
      due_.reset();
      when_.reset();
      fire_();
    });
  }

  AsioCore& core_;
  boost::asio::steady_timer timer_;
  std::function<void()> fire_;
  std::optional<store::Time> when_;     // a time of the wall clock
  std::optional<store::Duration> due_;  // since boot
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

AsioCore::AsioCore(boost::asio::io_context& io, Clocks clocks)
    : io_(io), clocks_(std::move(clocks)), boot_(os::boot_id()), wall_(clocks_.wall_less_boot().count()), watched_(io) {
  if (watch_.fd() >= 0 && watch_.arm()) {
    watched_.assign(watch_.fd());
    watch_clock();
  }
}

AsioCore::~AsioCore() {
  if (watched_.is_open()) watched_.release();  // it is the watch's
}

void AsioCore::watch_clock() {
  watched_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](const boost::system::error_code& error) {
    if (error) return;
    const bool more = watch_.arm();  // before the clocks are read, so that no setting is missed
    clock_was_set();
    if (more) watch_clock();
  });
}

void AsioCore::clock_was_set() { was_set_ ? was_set_() : adopt_clock(); }

void AsioCore::adopt_clock() {
  wall_ = clocks_.wall_less_boot().count();
  for (AsioTimer* const timer : timers_) timer->look_again();
}

store::Time AsioCore::now() const { return store::Time(clocks_.since_boot() + store::Duration(wall_.load())); }
store::ClockStand AsioCore::clock() const { return {boot_, store::Duration(wall_.load())}; }
void AsioCore::run(std::function<void()> work) { boost::asio::dispatch(io_, std::move(work)); }
void AsioCore::post(std::function<void()> work) { boost::asio::post(io_, std::move(work)); }
std::unique_ptr<Timer> AsioCore::timer(std::function<void()> fire) {
  return std::make_unique<AsioTimer>(*this, std::move(fire));
}

}  // namespace perdure::engine
