// Which run is claimed next. Runs wait in sub-queues, one per queue and concurrency key, ordered by their order time
// and then their id; among the sub-queues that have a run and may begin one, the one served longest ago is next, so no
// tenant's backlog delays another's first run. Taking, adding and removing cost O(log n), also with 100,000 sub-queues.
// Counts what runs in each sub-queue and never hands out a run beyond its queue's limit or rate, nor one of a paused
// queue. Has no clock: it knows the time that it was last told. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "store/model/ids.h"
#include "store/model/queue.h"
#include "store/model/rate_window.h"
#include "store/rocks/keys.h"

namespace perdure::store::rocks {

/// What the order time of a run is set back by when it goes on after a wait: such runs stand before all new ones. A
/// rate counts beginnings, so that it does not hold them up.
inline constexpr Duration kResumedFirst = std::chrono::hours(24 * 365 * 1000);
inline bool is_resumed(Time order) { return order < Time(-kResumedFirst / 2); }

/// A queue and a concurrency key.
using SubQueueName = std::pair<QueueName, std::string>;

class ReadyIndex {
 public:
  ReadyIndex() = default;
  ReadyIndex(ReadyIndex&&) = default;
  ReadyIndex& operator=(ReadyIndex&&) = default;

  /// Lets `run` be taken from now on.
  void add(const QueueName& queue, const std::string& key, Time order, PackedId run);
  /// Takes `run` back; whether it was there.
  bool remove(const QueueName& queue, const std::string& key, Time order, PackedId run);

  /// The next run, counted as running in its sub-queue from now on; nothing when none may start.
  std::optional<PackedId> take();
  /// Runs that take() is likely to hand out next, at most `most`, the likeliest first: for who reads ahead. O(most).
  [[nodiscard]] std::vector<PackedId> likely_next(std::size_t most) const;
  /// The run that was just taken begins an attempt: that counts against its queue's rate. The window to be stored under
  /// `of`, when there is a rate. Nothing else must have been done since take(). Valid until the next call.
  const RateWindow* begun(SubQueueName& of);
  /// The run that was just taken does not run after all: it gives its slot back, and its sub-queue has had its turn.
  /// Nothing else must have been done since take().
  void untake();
  /// The run that was just taken, `order` and `run`, stays where it was, and its sub-queue is the next one. Nothing
  /// else must have been done since take().
  void give_back(Time order, PackedId run);
  /// Counts a run as running that was not taken here (when the index is rebuilt).
  void started(const QueueName& queue, const std::string& key);
  /// When attempts of the sub-queue began, as it was stored (when the index is rebuilt).
  void restore(const QueueName& queue, const std::string& key, RateWindow window);
  /// A run that was taken or started runs no more. Whether a waiting run of its sub-queue may start because of that.
  bool ended(const QueueName& queue, const std::string& key);

  /// What limits each sub-queue of `queue` from now on; ends nothing. Costs O(sub-queues of the queue). Whether a run
  /// may start now that could not before.
  bool limit(const QueueName& queue, const QueueSettings& settings);

  /// It is `now`. Whether a run may start because of that.
  bool advance(Time now);
  /// When advance() next lets a run start that waits for the rate of its queue.
  [[nodiscard]] std::optional<Time> next_open() const;
  /// The sub-queues of which begun()'s window matters no more, so that it need not be stored: since the last call.
  std::vector<SubQueueName> take_forgotten() { return std::exchange(forgotten_, {}); }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool can_take() const { return !eligible_.empty(); }
  /// How many run in the sub-queue.
  [[nodiscard]] std::size_t running(const QueueName& queue, const std::string& key) const;
  /// The sub-queues of `queue` in which runs wait or run, by key: those after `after` (nothing: from the first), at
  /// most `max`. O(sub-queues of the queue).
  [[nodiscard]] std::vector<SubQueueCounts> counts(const QueueName& queue, const std::optional<std::string>& after,
                                                   std::size_t max) const;

 private:
  struct Queue;
  struct SubQueue {
    std::set<std::pair<Time, PackedId>> runs;
    std::size_t running = 0;
    std::uint64_t turn = 0;  // place in eligible_ or idle_: see next_turn_
    Queue* queue = nullptr;
    const std::string* key = nullptr;
    RateWindow window;
    Time at{};  // place in closed_ or fading_
    enum class In : std::uint8_t { kNone, kEligible, kClosed, kFading, kIdle } in = In::kNone;
  };
  struct Queue {
    const QueueName* name = nullptr;
    std::optional<std::size_t> limit;
    std::optional<RateLimit> rate;
    bool paused = false;
    std::unordered_map<std::string, SubQueue> sub_queues;
  };
  using Turns = std::set<std::pair<std::uint64_t, SubQueue*>>;
  using Times = std::set<std::pair<Time, SubQueue*>>;

  Queue& queue_of(const QueueName& name);
  SubQueue& sub_queue(const QueueName& queue, const std::string& key);
  SubQueue* find(const QueueName& queue, const std::string& key);
  static bool has_slot(const SubQueue& sub);
  void place(SubQueue& sub);
  void leave(SubQueue& sub);
  void forget_oldest();

  std::unordered_map<QueueName, Queue> queues_;
  Turns eligible_;  // have a run and a free slot, and their rate lets one begin
  Times closed_;    // … and their rate does not, until then
  Times fading_;    // neither wait nor run, but their rate must remember them until then
  Turns idle_;      // neither wait nor run: remembered for their turn, the oldest forgotten beyond kIdleKept
  std::vector<SubQueueName> forgotten_;
  SubQueue* taken_from_ = nullptr;  // by take(), until untake()
  std::size_t size_ = 0;
  Time now_{};
  // Sub-queues never served come before all others, in the order in which they appeared; before them those whose run
  // was given back, the last one first. No two have the same turn.
  std::uint64_t next_back_ = (std::uint64_t{1} << 62) - 1;  // counts down
  std::uint64_t next_new_ = std::uint64_t{1} << 62;
  std::uint64_t next_turn_ = std::uint64_t{1} << 63;
};

}  // namespace perdure::store::rocks
