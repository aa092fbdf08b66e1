// Which run is claimed next. Runs wait in sub-queues, one per queue and concurrency key, ordered by their order time
// and then their id; among the sub-queues that have a run and a free slot, the one served longest ago is next, so no
// tenant's backlog delays another's first run. Taking, adding and removing cost O(log n), also with 100,000 sub-queues.
// Counts what runs in each sub-queue and never hands out a run beyond its queue's limit. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "store/model/ids.h"
#include "store/rocks/keys.h"

namespace perdure::store::rocks {

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
  /// The run that was just taken does not run after all: it gives its slot back, and its sub-queue has had its turn.
  /// Nothing else must have been done since take().
  void untake();
  /// The run that was just taken, `order` and `run`, stays where it was, and its sub-queue is the next one. Nothing
  /// else must have been done since take().
  void give_back(Time order, PackedId run);
  /// Counts a run as running that was not taken here (when the index is rebuilt).
  void started(const QueueName& queue, const std::string& key);
  /// A run that was taken or started runs no more. Whether a waiting run of its sub-queue may start because of that.
  bool ended(const QueueName& queue, const std::string& key);

  /// How many runs of each sub-queue of `queue` may run at once; lowering it ends nothing. Whether a run may start now
  /// that could not before.
  bool limit(const QueueName& queue, std::optional<std::size_t> limit);
  /// Sets the limits that `other` has.
  void copy_limits(const ReadyIndex& other);

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool can_take() const { return !eligible_.empty(); }
  /// How many run in the sub-queue.
  [[nodiscard]] std::size_t running(const QueueName& queue, const std::string& key) const;

 private:
  struct Queue;
  struct SubQueue {
    std::set<std::pair<Time, PackedId>> runs;
    std::size_t running = 0;
    std::uint64_t turn = 0;  // place in eligible_ or idle_: see next_turn_
    Queue* queue = nullptr;
    const std::string* key = nullptr;
    enum class In : std::uint8_t { kNeither, kEligible, kIdle } in = In::kNeither;
  };
  struct Queue {
    std::optional<std::size_t> limit;
    std::unordered_map<std::string, SubQueue> sub_queues;
  };
  using Turns = std::set<std::pair<std::uint64_t, SubQueue*>>;

  SubQueue& sub_queue(const QueueName& queue, const std::string& key);
  SubQueue* find(const QueueName& queue, const std::string& key);
  void place(SubQueue& sub);
  void leave(SubQueue& sub);

  std::unordered_map<QueueName, Queue> queues_;
  Turns eligible_;  // have a run and a free slot
  Turns idle_;      // neither wait nor run: remembered for their turn, the oldest forgotten beyond kIdleKept
  SubQueue* taken_from_ = nullptr;  // by take(), until untake()
  std::size_t size_ = 0;
  // Sub-queues never served come before all others, in the order in which they appeared; before them, as number 0, one
  // whose run was given back.
  std::uint64_t next_new_ = 1;
  std::uint64_t next_turn_ = std::uint64_t{1} << 63;
};

}  // namespace perdure::store::rocks
