// A queue as people see it: what limits it, and what waits and executes in it. A queue limits each of its sub-queues,
// of which it has one for each concurrency key, alike: every key has the whole limit and the whole rate for itself.
// Values and pure rules; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "store/model/ids.h"

namespace perdure::store {

/// The largest limit that may be asked for.
inline constexpr std::size_t kLargestQueueLimit = 100'000;

/// At most `limit` attempts begin in any time of length `period`, retries included.
struct RateLimit {
  std::uint64_t limit = 1;  // at least 1
  Duration period{1000};    // at least a millisecond
  bool operator==(const RateLimit&) const = default;
};
/// The stricter of the two: the one that lets fewer begin in the long run, then in a burst.
RateLimit stricter(const RateLimit& a, const RateLimit& b);

/// What a task declares of its queue.
struct QueueLimits {
  std::optional<std::size_t> concurrency;  // runs of a sub-queue that execute at once; nothing: no limit
  std::optional<RateLimit> rate;
  bool operator==(const QueueLimits&) const = default;
};
/// What holds when several tasks declare one queue: the smaller limit and the stricter rate. Who declares none has no
/// say in it.
QueueLimits stricter(const QueueLimits& a, const QueueLimits& b);

/// All that is stored of a queue.
struct QueueSettings {
  std::optional<QueueLimits> declared;     // by plugins, as long as one names the queue
  std::optional<std::size_t> triggered;    // the limit that the newest trigger which named one asked for
  std::optional<std::size_t> override_to;  // until it is reset
  std::optional<Time> overridden_at;       // set with it
  bool paused = false;                     // nothing begins, what executes goes on
  bool operator==(const QueueSettings&) const = default;

  /// The limit without the override: as declared or, where no plugin declares one, as triggered.
  [[nodiscard]] std::optional<std::size_t> base() const;
  /// The limit that holds.
  [[nodiscard]] std::optional<std::size_t> limit() const { return override_to ? override_to : base(); }
  [[nodiscard]] std::optional<RateLimit> rate() const { return declared ? declared->rate : std::nullopt; }
};

/// A queue that is there: it has settings, or unfinished runs.
struct Queue {
  QueueName name;
  QueueSettings settings;
  std::uint64_t queued = 0;              // runs that are QUEUED
  std::uint64_t running = 0;             // … DEQUEUED or EXECUTING
  std::optional<Time> oldest_queued_at;  // since when the QUEUED run waits that waits longest
  bool operator==(const Queue&) const = default;
};
struct QueuePage {
  std::vector<Queue> queues;  // by name
  std::size_t count = 0;      // of all queues
  bool operator==(const QueuePage&) const = default;
};

/// One sub-queue of a queue.
struct SubQueueCounts {
  std::string key;            // the concurrency key; may be empty
  std::uint64_t waiting = 0;  // runs that can be claimed once there is a slot: without those set aside
  std::uint64_t running = 0;
  bool operator==(const SubQueueCounts&) const = default;
};

/// The name of the queue that a task has of its own.
QueueName own_queue(const TaskId& task);
/// Whose own queue that is; nothing for a queue that has a name.
std::optional<TaskId> owner_of(const QueueName& queue);

}  // namespace perdure::store
