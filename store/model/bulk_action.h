// A bulk action: many runs canceled or replayed, one batch after the other, and what is known of how far it is. All of
// it is stored, so that it goes on where it was when its host dies. Values and pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/model/ids.h"
#include "store/model/run_filter.h"

namespace perdure::store {

/// Numbers are stored: append only.
enum class BulkKind : std::uint8_t { kCancel = 1, kReplay = 2 };
enum class BulkStatus : std::uint8_t { kPending = 1, kCompleted = 2, kAborted = 3 };
std::string_view bulk_kind_name(BulkKind kind);        // "CANCEL", "REPLAY"
std::string_view bulk_status_name(BulkStatus status);  // "PENDING", "COMPLETED", "ABORTED"

/// Most runs that an action may name one by one.
inline constexpr std::size_t kMostBulkRuns = 1000;

struct BulkAction {
  /// A run that it is being done to.
  struct Step {
    RunId run;
    RunId made;  // of a replay: the id that the new run has, so that it is made once
    bool operator==(const Step&) const = default;
  };

  BulkActionId id;
  BulkKind kind = BulkKind::kCancel;
  BulkStatus status = BulkStatus::kPending;
  std::string name;         // for people; may be empty
  std::vector<RunId> runs;  // to which it is done; empty: to those that `filter` lets through
  RunFilter filter;         // … of those created until the action was
  Time created_at{};
  std::optional<Time> completed_at;  // or aborted
  std::uint64_t success = 0, failure = 0;
  std::size_t taken = 0;    // of `runs`: in the batches so far
  RunId cursor;             // … of the filter's: older ones are left
  std::vector<Step> batch;  // being done; not counted yet
  bool operator==(const BulkAction&) const = default;

  /// Runs found so far; all of them once it is over.
  [[nodiscard]] std::uint64_t total() const {
    return runs.empty() ? success + failure + batch.size() : static_cast<std::uint64_t>(runs.size());
  }
};

/// Newest first.
struct BulkActionPage {
  std::vector<BulkAction> actions;
  bool more_after = false, more_before = false;  // there are older ones; newer ones
};

}  // namespace perdure::store
