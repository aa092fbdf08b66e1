// One running attempt as the services see it: what the host sent, the budget of its log, what its functions keep for
// each other; and, for each call of one of these functions, what that one said. A call belongs to the thread it is made
// on; the rest is used by any.
#pragma once

#include <perdure/plugin.h>
#include <pthread.h>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <forward_list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "host/zygote/attempt_link.h"
#include "host/zygote/sandbox.h"

namespace perdure::zygote {

/// json of kStart, as views into the frame.
struct StartInfo {
  std::string_view run;
  std::string_view context;
  std::string_view config;
  std::string_view configs;      // of the plugins beside this one, by name; empty: of none
  std::string_view environment;  // variables for the attempt, an object of strings; empty: none
  std::string_view only;         // the array of the hooks to be called instead of the task; empty: the task
  std::string_view error;        // what these are told of
  std::string_view reason;       // JSON, for on_cancel among them
  std::uint64_t attempt = 1;
  std::uint64_t replay = 0;   // how often a process of this attempt has left during a wait
  std::uint64_t resumed = 0;  // the durable call in which the last one waited; 0: none did
  std::uint64_t ordinal = 0;  // of the attempt among those of this process; kOutcome repeats it
  std::uint64_t heartbeat_ms = 30'000;
  std::uint64_t output_limit = 0;  // bytes; 0: only the protocol's own
  std::uint64_t log_limit = 0;     // bytes; 0: none
  Sandbox sandbox;
  std::uint64_t memory_limit = 0;  // bytes; 0: none
};
StartInfo parse_start(std::string_view json);

#ifdef NDEBUG
inline constexpr bool kChecksThreads = false;
#else
inline constexpr bool kChecksThreads = true;
#endif

/// What one function of the plugin said by its services.
struct Said {
  std::string result;           // JSON, as set; empty: null
  std::uint64_t too_large = 0;  // bytes of a result that was not even copied
  std::string error;            // JSON as kOutcome carries it, but for retry_at; empty: none set
  std::int64_t retry_at = 0;    // ms since the epoch; 0: none asked for
  std::string mismatch;         // JSON of the error that it ends with, whatever it says; empty: none
};

/// An attempt's outcome from when it is sent until the host has confirmed it: the frame's texts are beside it.
struct SentOutcome {
  Said said;
  std::string json;
  protocol::Outgoing frame;
};

class AttemptState {
 public:
  explicit AttemptState(AttemptLink& attempt_link) : link(attempt_link) {}
  /// Forgets the last attempt.
  void begin(const StartInfo& start);

  /// Sends a log line, or counts it as dropped once the budget is spent. [any thread]
  void log(perdure_level level, std::string_view message, std::string_view fields);
  /// Says how many lines were dropped, when some were.
  void close_log();

  /// Whether the caller is the attempt's thread.
  bool on_attempt_thread() const { return pthread_equal(pthread_self(), thread_) != 0; }

  /// From now on await_result() may be asked. [attempt's thread]
  void expect_outcome();
  /// What run said, as await_result() gives it; the first one counts. [attempt's thread]
  void tell_outcome(std::string outcome);
  /// perdure_services.await_result. [any thread]
  perdure_status await_outcome(std::chrono::milliseconds timeout, perdure_str& outcome);

  /// Keeps `text` until the next attempt or until it is taken back. [any thread]
  perdure_str hand_out(std::string text);
  void take_back(const char* data);

  /// Since begin(). [any thread]
  std::uint64_t elapsed_ms() const;

  AttemptLink& link;
  StartInfo info;
  void* local = nullptr;  // the plugin's own
  SentOutcome sent;

  /// A step that nobody has recorded yet. [attempt's thread]
  struct OpenStep {
    std::string name;
    std::uint64_t call = 0;
    std::chrono::steady_clock::time_point began{};
  };
  std::optional<OpenStep> step;  // the last durable call, when it was memo_get's of a step to be done

  /// The number of the next durable call of `caller`; what step was open is so no more. [attempt's thread]
  std::uint64_t next_call(protocol::Caller caller);
  /// Whether an earlier attempt, or an earlier process of this one, may have made durable calls.
  bool may_repeat() const { return info.attempt > 1 || info.replay > 0 || !info.only.empty(); }

  /// What stands around the attempt's waits.
  class AroundWait {
   public:
    virtual ~AroundWait() = default;
    /// `event`: JSON. [attempt's thread]
    virtual void before(const std::string& event) = 0;
    virtual void after(const std::string& event) = 0;
  };
  AroundWait* around_wait = nullptr;  // nothing does
  bool suspended = false;             // this process was told to leave; its run waits on without it

 private:
  /// Of await_result(); only attempts that can be asked have one.
  struct Awaited {
    std::mutex mutex;
    std::condition_variable told;
    std::optional<std::string> outcome;
  };

  void send_log(perdure_level level, std::string_view message, std::string_view fields);

  std::atomic<std::uint64_t> logged_{0};
  std::atomic<std::uint64_t> dropped_{0};
  std::chrono::steady_clock::time_point started_{};
  pthread_t thread_{};
  std::mutex handing_out_;
  std::forward_list<std::string> handed_out_;  // guarded by handing_out_
  std::unique_ptr<Awaited> awaited_;
  std::array<std::uint64_t, protocol::kCallers> calls_{};  // durable ones so far, by their callers
};

/// A plugin beside the task's own, in one attempt: what its hooks find there that is theirs.
struct Guest {
  std::string_view config;
  void* local = nullptr;
};

/// One call of a function of the plugin; attempt->host points to it.
struct Call {
  explicit Call(AttemptState& of) : state(of), thread(pthread_self()) {}
  /// Whether the caller is the function's thread; always true unless this is a debug build, the only one that checks.
  bool on_its_thread() const { return !kChecksThreads || pthread_equal(pthread_self(), thread) != 0; }

  AttemptState& state;
  const pthread_t thread;
  Guest* guest = nullptr;  // whose function it is; null: the task's own plugin's
  protocol::Caller caller = protocol::Caller::kRun;
  Said said;
};

/// The JSON of an error. `details` is a JSON text or empty.
std::string error_json(std::string_view name, std::string_view message, std::string_view stack = {},
                       std::string_view details = {});

/// The table handed to the plugin's functions.
const perdure_services& services();

/// What last_error answers on this thread; empty when nothing failed.
std::string_view last_error_words();
/// Remembers `words` for last_error and gives back `status`.
perdure_status fail(perdure_status status, std::string_view words) noexcept;

/// Milliseconds since the epoch.
std::uint64_t unix_ms();

}  // namespace perdure::zygote
