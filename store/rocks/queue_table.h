// The queues that are there: what is stored of each, how many runs it has and since when the oldest waits. A queue is
// there while it has settings or unfinished runs. Counts cost O(log n) at most. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "store/model/queue.h"
#include "store/model/run.h"
#include "store/rocks/earliest.h"

namespace perdure::store::rocks {

class QueueTable {
 public:
  QueueTable() = default;
  QueueTable(QueueTable&&) = default;
  QueueTable& operator=(QueueTable&&) = default;

  /// An unfinished run of `queue` has this status from now on; a QUEUED one waits since `since`.
  void enter(const QueueName& queue, RunStatus status, Time since);
  /// … and no longer: as it was entered.
  void leave(const QueueName& queue, RunStatus status, Time since);

  void set(const QueueName& queue, const QueueSettings& settings);
  /// Of a queue that is not there: none.
  [[nodiscard]] const QueueSettings& settings(const QueueName& queue) const;
  /// Those that plugins declare.
  [[nodiscard]] std::vector<QueueName> declared() const;

  /// Nothing for one that is not there.
  [[nodiscard]] std::optional<Queue> find(const QueueName& queue) const;
  /// `limit` queues by name without the first `skip`. O(skip + limit).
  [[nodiscard]] QueuePage page(std::size_t skip, std::size_t limit) const;

 private:
  struct Entry {
    QueueSettings settings;
    std::uint64_t unfinished = 0, queued = 0, running = 0;
    Earliest queued_since;
  };
  using Entries = std::unordered_map<QueueName, Entry>;

  Entry& entry_of(const QueueName& queue);
  void forget_if_gone(const QueueName& queue, const Entry& entry);
  static Queue queue_of(const Entries::value_type& entry);

  Entries entries_;
  std::map<std::string_view, const Entries::value_type*> by_name_;
};

}  // namespace perdure::store::rocks
