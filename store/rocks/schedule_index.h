// Which schedules are due when, and which have something else to go on with. In memory, derived from the records, so
// that asking reads nothing. Not thread-safe: the store's mutex guards it.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "store/model/schedule.h"
#include "store/model/status.h"
#include "store/rocks/database.h"
#include "store/rocks/keys.h"

namespace perdure::store::rocks {

class ScheduleIndex {
 public:
  static Result<ScheduleIndex> rebuild(const Database& db);

  void enter(PackedId id, const Schedule& schedule);
  /// `schedule` is as it was entered.
  void leave(PackedId id, const Schedule& schedule);

  [[nodiscard]] std::vector<ScheduleId> due(Time after, Time until) const;
  [[nodiscard]] std::optional<Time> next_due(Time after) const;
  [[nodiscard]] std::vector<ScheduleId> busy() const;
  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  std::set<std::pair<Time, PackedId>> due_;
  std::set<PackedId> busy_;
  std::uint64_t count_ = 0;
};

}  // namespace perdure::store::rocks
