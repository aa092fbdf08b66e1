// A checker of limits: drives a store through random lives of a host and holds every claim against a model of its own,
// which knows of a queue no more than what was said about it, which of its runs wait and which execute. Says in words
// what the first claim did that it must not. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "store/store.h"
#include "tests/store/conformance/engine_factory.h"

namespace perdure::store::conformance {

/// What is made wrong on purpose, for the checker to find.
enum class Planted : std::uint8_t {
  kNothing,
  kLimitOneHigher,     // declared limits are
  kOverrideForgotten,  // the store is not told
  kPauseForgotten,     // …
  kRateOneHigher,      // declared rates are
  kSlotFreedTooEarly,  // the store is told at once that what it claims has ended
  kRestartFreesSlots,  // hosts begin to claim before the attempts of the one before are over
  kOneMoreThanAsked,   // claims ask for one more
  kKeysForgotten,      // runs are created without their concurrency key
  kPriorityForgotten,  // … without their head start
  kKeyStarves,         // one concurrency key is never served
  kTimerForgotten,     // nobody wakes what is due
};

class LimitsCheck {
 public:
  LimitsCheck(std::unique_ptr<EngineFactory> factory, std::uint64_t seed, Planted planted);
  ~LimitsCheck();

  /// One life of `operations` random operations, then everything is let go and must end. Empty: nothing was wrong.
  std::string live(int operations);

 private:
  using SubQueue = std::pair<QueueName, std::string>;
  enum class Is : std::uint8_t { kDelayed, kWaiting, kExecuting, kOver };
  struct ModelRun {
    SubQueue sub;
    Duration priority{};
    Is is = Is::kWaiting;
    Time since{};  // WAITING: when it was queued
    std::optional<Time> due, expires;
    int losses = 0;
  };
  struct ModelQueue {
    std::optional<std::size_t> declared, triggered, override_to;
    std::optional<RateLimit> rate;
    std::size_t rate_since = 0;  // number of the first start that it has seen
    bool paused = false;
  };

  void trigger();
  void declare();
  void override_some();
  void pause_some();
  void cancel();
  void finish();
  void restart();
  void wake();
  void claim();
  void check_claim(const Claim& claimed);
  void check_nothing_left();
  void check_counts();
  void let_all_go();

  /// Whether the sub-queue may begin a run; `late`: surely, also by the longest that a rate may take.
  [[nodiscard]] bool open(const SubQueue& sub, bool late) const;
  [[nodiscard]] std::size_t executing(const SubQueue& sub) const;
  [[nodiscard]] const ModelRun* first_of(const SubQueue& sub, RunId& id) const;
  void queue_again(ModelRun& run);
  void blame(const std::string& what);

  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  QueueName some_queue() { return QueueName("queue" + std::to_string(below(3))); }

  std::unique_ptr<EngineFactory> factory_;
  std::mt19937_64 random_;
  Planted planted_;
  std::unique_ptr<Store> store_;
  Time now_{Duration(1'700'000'000'000)};
  std::size_t slots_;  // of the host
  std::map<RunId, ModelRun> runs_;
  std::map<QueueName, ModelQueue> queues_;
  std::map<SubQueue, std::map<std::size_t, Time>> starts_;  // by their number
  std::size_t next_start_ = 0;
  std::map<SubQueue, std::size_t> passed_over_;  // since it could begin a run
  std::map<RunId, Claim> claims_;                // that execute
  std::string wrong_;
};

}  // namespace perdure::store::conformance
