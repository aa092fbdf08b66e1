// Quarantine: a circuit breaker for each task of a plugin version. Attempts that crash one after the other, across
// runs, open it: the task's runs are held back instead of burning their retries. After a pause one attempt may probe;
// if it crashes too the pause doubles, if it ends otherwise everything flows again. A new version has circuits of its
// own.
//
// Decides only; the engine asks it and does what it says. Not thread-safe: core thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "store/model/failure.h"
#include "store/model/ids.h"

namespace perdure::catalog {

struct QuarantineOptions {
  std::uint32_t crashes = 20;              // in a row open the circuit; 0: nothing is ever held
  store::Duration window{60'000};          // … when they happened within this
  store::Duration pause{10'000};           // before the first probe
  store::Duration longest_pause{600'000};  // it doubles up to this
};

/// A task of a version that is held, for people.
struct Held {
  store::VersionId version;
  store::TaskId task;
  std::string reason;  // "20 attempts in a row crashed within 60s, the last by SIGSEGV"
  std::string backtrace;
  store::Time since{};
  std::optional<store::Time> probe_at;  // absent: a probe is under way, or waits for a run
};

class Quarantine {
 public:
  explicit Quarantine(QuarantineOptions options) : options_(options) {}

  /// Whether an attempt may begin. One that may while the circuit is not closed is its probe: its end must be told, by
  /// ended() or abandoned().
  bool admit(const store::VersionId& version, const store::TaskId& task);
  /// Whether admit() would refuse, or has let a probe through: the task is held.
  [[nodiscard]] bool holds(const store::VersionId& version, const store::TaskId& task) const;

  /// What an attempt's end asks for.
  enum class Change : std::uint8_t {
    kNone,
    kOpened,  // hold the task's runs from now on; a probe is due at next_probe()
    kClosed,  // let all of them go
    kProbe,   // the probe ended without telling anything: let one go
  };
  /// An attempt ended. `failure`: absent on success. `probe`: of this attempt, admit() made it one.
  Change ended(const store::VersionId& version, const store::TaskId& task, const store::Failure* failure, bool probe,
               store::Time now);
  /// The probe never began.
  Change abandoned(const store::VersionId& version, const store::TaskId& task);

  /// When probe_due() next has something to do.
  [[nodiscard]] std::optional<store::Time> next_probe() const;
  /// The circuits whose pause is over: each lets one run go.
  std::vector<std::pair<store::VersionId, store::TaskId>> probe_due(store::Time now);

  /// The wall clock was set by this much, and pauses go on as if it had not been.
  void clock_set(store::Duration by);

  /// Closes the version's circuits by hand. Answers with the tasks that were held.
  std::vector<store::TaskId> release(const store::VersionId& version);
  /// Forgets a version that is no longer loaded.
  void forget(const store::VersionId& version);

  [[nodiscard]] std::vector<Held> held() const;

 private:
  struct Circuit {
    std::deque<store::Time> crashes;  // in a row, the newest last; at most options_.crashes
    bool open = false;
    bool probing = false;  // an attempt was let through
    store::Duration pause{};
    std::optional<store::Time> probe_at;
    store::Time since{};
    std::string reason, backtrace;
  };
  using Key = std::pair<store::VersionId, store::TaskId>;

  void open(Circuit& circuit, const store::Failure& failure, store::Time now);

  QuarantineOptions options_;
  std::map<Key, Circuit> circuits_;  // of tasks that crashed
};

}  // namespace perdure::catalog
