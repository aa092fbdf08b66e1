// The wall clock is set while runs wait: for the end of a duration, for a time of the calendar, for their ttl, for
// their next attempt. None of these is lost, and none comes twice or at another moment than it should, at whatever
// point of a host's life the clock is set, forward or back, heard of soon or late, by this host or only by the next.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/engine/host_simulation.h"

namespace perdure::engine::testing {
namespace {

using namespace std::chrono_literals;
using store::Duration;

constexpr Duration kSoon = 1500ms;  // what claims, commits and starts take here at the most, and a death
constexpr Duration kDead = 1s;

catalog::SnapshotPtr tasks() {
  store::RetryPolicy steady;
  steady.randomize = false;
  steady.min_timeout = 30s;
  const catalog::SnapshotPtr plain = catalog_of({"task", "failing", "stuck"}, steady);
  auto snapshot = std::make_shared<catalog::Snapshot>(*plain);
  snapshot->tasks.at(store::TaskId("stuck")).options.concurrency_limit = 0;  // nothing of it ever starts
  offer_version(*snapshot, snapshot->tasks);
  return snapshot;
}

// The life of a host with a run of each kind, and when each of their attempts began.
class Life {
 public:
  Life() {
    host_.catalog = tasks();
    host_.boot();
    start_ = elapsed();
    duration_ = trigger("task", [](TriggerRequest& asked) { asked.delay = 60s; });
    calendar_ = trigger("task", [this](TriggerRequest& asked) { asked.delayed_until = host_.core.now() + 90s; });
    failing_ = trigger("failing", [](TriggerRequest& asked) { asked.options.max_attempts = 2; });
    expiring_ = trigger("stuck", [](TriggerRequest& asked) { asked.options.ttl = 45s; });
    debounced_ = trigger("task", debounce);
    for (const Duration later : {15s, 30s, 40s}) {
      host_.core.after(later, [this] { push(); });
    }
  }

  /// Goes on by one step; false: it is over.
  bool step() {
    if (!host_.core.step()) return false;
    if (!expired_ && host_.store->run(expiring_)->status == store::RunStatus::kExpired) expired_ = elapsed() - start_;
    return true;
  }
  void set_clock(Duration by, Duration late) {
    set_by_ = by;
    heard_at_ = elapsed() - start_ + late;
    host_.core.set_clock(by, late);
  }
  /// The host is dead while the clock is set, and another comes after it.
  void set_clock_over_its_dead_body(Duration by) {
    host_.kill();
    set_clock(by, 0ms);
    heard_at_ = elapsed() - start_ + kDead;
    host_.core.after(kDead, [this] { host_.boot(); });
  }

  /// Lives to the end. What came at a wrong time, in words; empty: nothing.
  std::string wrong() {
    for (int steps = 0; step(); ++steps) {
      if (steps > 100000) return "never came to rest";
    }
    if (!comes_at(duration_, 60s)) return "the duration: " + times_of(duration_);
    if (!comes_at(calendar_, calendar_time())) return "the calendar time: " + times_of(calendar_);
    if (!comes_at(debounced_, 50s)) return "the debounced run: " + times_of(debounced_);
    if (!expired_ || !about(*expired_, 45s)) return "the ttl";
    const std::vector<Duration>& tries = begun_[failing_];
    int pauses = 0;
    for (std::size_t i = 1; i < tries.size(); ++i) {
      if (about(tries[i] - tries[i - 1], 30s)) {
        ++pauses;
      } else if (!about(tries[i] - tries[i - 1], 0s)) {
        return "the backoff: " + times_of(failing_);
      }
    }
    return pauses == 1 ? "" : "the backoff: " + times_of(failing_);
  }

 private:
  // A client tries again while the host is dead.
  void push() {
    if (!host_.engine) return host_.core.after(100ms, [this] { push(); });
    host_.trigger("task", debounced_request());
  }
  [[nodiscard]] Duration elapsed() const { return host_.core.elapsed(); }
  static void debounce(TriggerRequest& asked) { asked.debounce = store::Debounce{"k", 20s, false, 50s}; }
  static TriggerRequest debounced_request() {
    TriggerRequest request;
    debounce(request);
    return request;
  }
  store::RunId trigger(const std::string& task, const std::function<void(TriggerRequest&)>& change) {
    TriggerRequest request;
    change(request);
    const std::size_t before = host_.acknowledged.size();
    host_.trigger(task, request);
    while (host_.acknowledged.size() == before && host_.core.step()) {
    }
    return host_.acknowledged.back();
  }
  static bool about(Duration found, Duration expected) { return found >= expected && found <= expected + kSoon; }
  // Once, or twice in a row when the host died over its attempt.
  bool comes_at(const store::RunId& run, Duration expected) {
    const std::vector<Duration>& times = begun_[run];
    return !times.empty() && about(times.front(), expected) && about(times.back(), times.front());
  }
  std::string times_of(const store::RunId& run) {
    std::string text;
    for (const Duration time : begun_[run]) text += std::to_string(time.count()) + "ms ";
    return text.empty() ? "never" : text;
  }
  // When the clock that the host knows shows it.
  [[nodiscard]] Duration calendar_time() const {
    if (heard_at_ >= 90s) return 90s;
    return std::max<Duration>(90s - set_by_, heard_at_);
  }

  Ending ending_of(const process::AttemptSpec& spec) {
    begun_[spec.run].push_back(elapsed() - start_);
    Ending ending;
    ending.takes = 1ms;
    ending.result.output = "1";
    const std::uint32_t lost = host_.store->run(spec.run)->host_losses;
    if (spec.task == store::TaskId("failing") && spec.number - lost == 1) {
      ending.result.failure = store::Failure{store::FailureKind::kTaskError, "Boom", "boom", {}, {}};
    }
    return ending;
  }

  std::map<store::RunId, std::vector<Duration>> begun_;
  HostSimulation host_{
      {.concurrency = 20, .script = [this](const process::AttemptSpec& spec) { return ending_of(spec); }, .fault = {}}};
  Duration start_{}, set_by_{}, heard_at_{};
  std::optional<Duration> expired_;
  store::RunId duration_, calendar_, failing_, expiring_, debounced_;
};

const std::vector<Duration> kSettings{1h, 70s, 12s, -12s, -70s, -1h};

TEST(Clock, ThatNobodySetsLetsEverythingComeAtItsTime) {
  Life life;
  EXPECT_EQ(life.wrong(), "");
}

TEST(Clock, ThatIsSetAtWhateverPointNeitherLosesNorMovesNorDoublesATimer) {
  bool over = false;
  std::size_t points = 0;
  for (; !over; ++points) {
    for (const Duration by : kSettings) {
      for (const Duration late : {0ms, 700ms}) {
        Life life;
        for (std::size_t i = 0; i < points && !over; ++i) over = !life.step();
        life.set_clock(by, late);
        ASSERT_EQ(life.wrong(), "") << "set by " << by.count() << "ms after step " << points << ", heard of "
                                    << late.count() << "ms late";
      }
    }
  }
  EXPECT_GT(points, 50u);
}

TEST(Clock, ThatIsSetWhileTheHostIsDeadNeitherLosesNorMovesNorDoublesATimer) {
  bool over = false;
  std::size_t points = 0;
  for (; !over; ++points) {
    for (const Duration by : kSettings) {
      Life life;
      for (std::size_t i = 0; i < points && !over; ++i) over = !life.step();
      life.set_clock_over_its_dead_body(by);
      ASSERT_EQ(life.wrong(), "") << "set by " << by.count() << "ms after step " << points;
    }
  }
  EXPECT_GT(points, 50u);
}

}  // namespace
}  // namespace perdure::engine::testing
