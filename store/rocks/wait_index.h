// The WAITING runs: what each waits for, and whose wait is over. Whatever completes a waitpoint says so here, in the
// same mutation; nothing of that is stored, since opening the store finds it out again from what is waited for. Costs
// O(log n) a waitpoint. Not thread-safe.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "store/model/waitpoint.h"
#include "store/rocks/keys.h"

namespace perdure::store::rocks {

class WaitIndex {
 public:
  struct Entry {
    QueueName queue;
    std::string key;
    Time order{};  // of its place in the queue, once it is over
    Wait wait;
    std::size_t open = 0;    // members that have not come
    bool over = false;       // its run is to go on
    bool published = false;  // … and may be claimed
  };

  /// Enters a run; `came` says of each member whether it has come already. `entry.open` is counted here.
  void add(PackedId run, Entry entry, const std::vector<bool>& came);
  [[nodiscard]] const Entry* find(PackedId run) const;
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  void remove(PackedId run);

  /// A run is over, or a token.
  void run_over(PackedId run) { member_over(WaitpointKind::kRun, run); }
  void token_over(PackedId token) { member_over(WaitpointKind::kToken, token); }
  /// The time of a run's wait has come.
  void time_over(PackedId run);
  /// The process of the run's attempt has left, and holds no slot.
  void evict(PackedId run);

  /// The runs whose wait is over, each once: since the last call.
  std::vector<PackedId> take_over() { return std::exchange(over_, {}); }
  /// The run may go on from now on; one that kept its slot is there for take_resumable(). Nothing when it waits on, or
  /// waits no more.
  const Entry* publish(PackedId run);
  /// The next run that goes on in the slot it kept; it stays entered.
  std::optional<PackedId> take_resumable();
  [[nodiscard]] bool can_take() const { return !resumable_.empty(); }

 private:
  void member_over(WaitpointKind kind, PackedId of);
  void came(PackedId run, Entry& entry, std::size_t member);
  void forget_waiters(PackedId run, const Entry& entry);

  std::unordered_map<PackedId, Entry> entries_;
  // By the run or the token that is waited for; an id of the one kind may be as good as one of the other.
  std::multimap<std::pair<WaitpointKind, PackedId>, PackedId> waiters_;
  std::vector<PackedId> over_;
  std::set<std::pair<Time, PackedId>> resumable_;
};

}  // namespace perdure::store::rocks
