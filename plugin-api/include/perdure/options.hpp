// The options of a task, named as in the task model; written as designated initializers with chrono literals. What is
// left out means the host's default. Values, checked while compiling; they become the options document (schema:
// plugin-api/options.schema.json) in options_json.hpp.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>

namespace perdure {

using std::chrono::milliseconds;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

namespace detail {
// Called where a constant is wrong, so that the compiler's message carries the reason.
void machine_must_be_auto_micro_small_1x_small_2x_medium_1x_medium_2x_large_1x_or_large_2x();
void machine_needs_a_positive_cpu_and_at_least_16_MiB_of_memory();
}  // namespace detail

/// What an attempt may use: a preset by name, or vCPUs and bytes of memory.
struct Machine {
  constexpr Machine() = default;
  consteval Machine(const char* name) : preset(name) {  // NOLINT(google-explicit-constructor): .machine = "small-2x"
    for (const std::string_view known :
         {"auto", "micro", "small-1x", "small-2x", "medium-1x", "medium-2x", "large-1x", "large-2x"}) {
      if (preset == known) return;
    }
    detail::machine_must_be_auto_micro_small_1x_small_2x_medium_1x_medium_2x_large_1x_or_large_2x();
  }
  /// perdure::Machine(0.5, 768 * perdure::kMiB)
  consteval Machine(double vcpus, std::uint64_t bytes) : cpu(vcpus), memory(bytes) {
    if (vcpus <= 0 || bytes < 16 * kMiB) detail::machine_needs_a_positive_cpu_and_at_least_16_MiB_of_memory();
  }
  constexpr bool given() const { return !preset.empty() || memory != 0; }

  std::string_view preset{};
  double cpu = 0;
  std::uint64_t memory = 0;
};

/// Whether a class of failures is retried: true, false, or perdure::attempts(n) for a number of attempts of its own.
struct Retried {
  template <std::same_as<bool> Bool>
  constexpr Retried(Bool yes) : retried(yes) {}  // NOLINT(google-explicit-constructor): .crash = false
  bool retried;
  int max_attempts = 0;
};
constexpr Retried attempts(int most) {
  Retried retried(true);
  retried.max_attempts = most;
  return retried;
}

/// Which classes of failures are retried; by default all but timeout.
struct RetryOn {
  std::optional<Retried> error{};
  std::optional<Retried> crash{};
  std::optional<Retried> out_of_memory{};
  std::optional<Retried> stalled{};
  std::optional<Retried> timeout{};
};

/// What changes for the attempt after one that ran out of memory. "auto": the next preset above the measured peak.
struct AfterOutOfMemory {
  Machine machine{};
};

/// The delay before attempt n+1 is min(max_timeout, min_timeout * factor^(n-1) * r), r uniform in [1,2) if randomized.
struct Retry {
  std::optional<int> max_attempts{};          // in total; 3
  std::optional<double> factor{};             // 2
  std::optional<milliseconds> min_timeout{};  // 1 s
  std::optional<milliseconds> max_timeout{};  // 60 s
  std::optional<bool> randomize{};            // true
  RetryOn on{};
  AfterOutOfMemory out_of_memory{};
};

/// At most `limit` runs of the queue start within `period`.
struct RateLimit {
  int limit = 0;
  milliseconds period{};
};

/// Where runs of the task wait: by default in a queue of its own, without limits.
struct Queue {
  std::string_view name{};
  int concurrency_limit = 0;
  RateLimit rate_limit{};
};

enum class CatchUp : std::uint8_t { kDefault, kNone, kLatest, kAll };
enum class Overlap : std::uint8_t { kDefault, kAllow, kSkip, kQueueOne, kCancelPrevious };

/// A schedule that exists as long as the task has it.
struct Cron {
  std::string_view pattern{};   // five fields, or "@hourly" to "@yearly"
  std::string_view timezone{};  // IANA name; "UTC"
  std::string_view window{};    // a stable offset of this schedule: below "30m", or below "50%" of its interval
  CatchUp catch_up = CatchUp::kDefault;  // which times missed while no host was up fire afterwards: the latest
  Overlap overlap = Overlap::kDefault;   // what to do while the previous run is unfinished: start beside it
};

/// What a task gives up, from before it runs, for its process and all it starts; the kernel sees to it. What is denied
/// fails with EPERM.
struct Sandbox {
  bool network = true;  // false: no sockets but AF_UNIX ones
  bool exec = true;     // false: no program can be executed
};

/// What the last permitted attempt leaves when it crashes, after one that crashed: what every attempt does, or its core
/// file besides.
enum class LastAttempt : std::uint8_t { kAsUsual, kCore };

/// What is kept of attempts that fail.
struct Diagnostics {
  LastAttempt last_attempt = LastAttempt::kAsUsual;
};

/// The plugin version that retries run on: the one the run started on, or the newest loaded.
enum class Version : std::uint8_t { kLocked, kLatest };

}  // namespace perdure
