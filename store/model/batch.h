// A batch: triggers that are accepted together, all of them or none, and found together again. It may wait for its
// items; its runs come to be at once, when it is sealed. Values and pure functions; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/model/ids.h"
#include "store/model/status.h"

namespace perdure::store {

/// Most items that a batch may have.
inline constexpr std::size_t kMostBatchItems = 1000;
/// Most bytes of a batch's idempotency key.
inline constexpr std::size_t kLongestBatchKey = 2048;

/// An item that made no run.
struct BatchFault {
  std::uint32_t index = 0;  // of the item, from 0
  TaskId task;
  std::string message;  // why: a sentence
  bool operator==(const BatchFault&) const = default;
};

struct Batch {
  BatchId id;
  std::uint32_t run_count = 0;  // items
  std::string idempotency_key;  // empty: none
  RunId parent;                 // whose attempt triggered it; empty: none did
  Time created_at{};
  std::optional<Time> sealed_at;   // nothing: it waits for its items
  std::vector<RunId> runs;         // once it is sealed: of each item, in order; empty where the item made none
  std::vector<BatchFault> faults;  // … and those, by index
  bool operator==(const Batch&) const = default;
};

/// As clients are told it.
enum class BatchStatus : std::uint8_t {
  kPending,        // waits for its items
  kProcessing,     // some of its runs are not final
  kCompleted,      // all are, whatever their outcome
  kPartialFailed,  // some items made no run
  kAborted,        // none did
};
std::string_view batch_status_name(BatchStatus status);  // "PENDING", …

/// `all_final`: whether all its runs are; those that were removed are, too.
BatchStatus batch_status(const Batch& batch, bool all_final);

/// kInvalid unless a batch may have `items`, of which `faults` made no run.
Status check_items(std::size_t items, const std::vector<BatchFault>& faults);
/// Batch::runs, of the runs of those items that have one and the faults of the others.
std::vector<RunId> in_item_order(std::vector<RunId> runs, const std::vector<BatchFault>& faults);

/// What a batch of these tasks is called as a durable call: how many of which, as "2 x echo, 1 x hello".
std::string batch_name(const std::vector<TaskId>& tasks);

}  // namespace perdure::store
