#include "host/engine/asio_core.h"

#include <algorithm>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>

namespace perdure::engine {

namespace {

// Waits on the monotonic clock, but no longer than this at a stretch, so that a wall clock set forward is noticed.
constexpr std::chrono::minutes kLongestSleep{1};

store::Time wall_clock() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

class AsioTimer final : public Timer {
 public:
  AsioTimer(boost::asio::io_context& io, std::function<void()> fire) : timer_(io), fire_(std::move(fire)) {}

  void set(std::optional<store::Time> when) override {
    if (when == when_) return;
    when_ = when;
    timer_.cancel();
    if (when_) sleep();
  }

 private:
  void sleep() {
    const auto left = std::max(*when_ - wall_clock(), store::Duration{0});
    timer_.expires_after(std::min<store::Duration>(left, kLongestSleep));
    timer_.async_wait([this, alive = std::weak_ptr<int>(alive_)](const boost::system::error_code& error) {
      // A wait may be called off when its handler is queued already: by set(), seen in when_, or by the destructor.
      if (error || alive.expired() || !when_) return;
      if (wall_clock() < *when_) return sleep();
      when_.reset();
      fire_();
    });
  }

  boost::asio::steady_timer timer_;
  std::function<void()> fire_;
  std::optional<store::Time> when_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace

store::Time AsioCore::now() const { return wall_clock(); }
void AsioCore::run(std::function<void()> work) { boost::asio::dispatch(io_, std::move(work)); }
void AsioCore::post(std::function<void()> work) { boost::asio::post(io_, std::move(work)); }
std::unique_ptr<Timer> AsioCore::timer(std::function<void()> fire) {
  return std::make_unique<AsioTimer>(io_, std::move(fire));
}

}  // namespace perdure::engine
