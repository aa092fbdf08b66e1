// Distinct types for the names that travel through Perdure, so that a run's id is never passed where a task's belongs.
// Values; comparable, hashable, any thread.
#pragma once

#include <chrono>
#include <compare>
#include <functional>
#include <optional>
#include <string>
#include <utility>

namespace perdure::store {

/// A wall-clock instant, milliseconds since the Unix epoch, UTC.
using Time = std::chrono::sys_time<std::chrono::milliseconds>;
using Duration = std::chrono::milliseconds;

template <class Tag>
class Name {
 public:
  Name() = default;
  explicit Name(std::string text) : text_(std::move(text)) {}
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] bool empty() const { return text_.empty(); }
  auto operator<=>(const Name&) const = default;  // NOLINT(modernize-use-nullptr): clang-tidy 14 sees a 0 in it

 private:
  std::string text_;
};

using RunId = Name<struct RunTag>;            // "run_" + 25 of [0-9a-v], time-ordered: see new_run_id()
using TaskId = Name<struct TaskTag>;          // 1-128 of [A-Za-z0-9_.:/-]
using QueueName = Name<struct QueueTag>;      // "task/<task id>" for a task's own queue, else the name as declared
using ScheduleId = Name<struct ScheduleTag>;  // "sched_" + 25 of [0-9a-v], time-ordered: see new_schedule_id()
using BulkActionId = Name<struct BulkTag>;    // "bulk_" + 25 of [0-9a-v], time-ordered: see new_bulk_action_id()
using BatchId = Name<struct BatchTag>;        // "batch_" + 25 of [0-9a-v], time-ordered: see new_batch_id()
using TokenId = Name<struct TokenTag>;        // "waitpoint_" + 25 of [0-9a-v], time-ordered: see new_token_id()
using VersionId = Name<struct VersionTag>;    // a plugin version: SHA-256 of the plugin file, 64 hex digits

/// The time that a run id begins with; nothing when it is not shaped like one.
std::optional<Time> time_in(const RunId& id);

/// A fresh run id: 48 bits of `now` and 75 random bits in base 32 (digits, then a-v), so that ids sort by time.
/// Any thread.
RunId new_run_id(Time now);
/// A fresh schedule id, made like a run's. Any thread.
ScheduleId new_schedule_id(Time now);
/// A fresh bulk action id, made like a run's. Any thread.
BulkActionId new_bulk_action_id(Time now);
/// A fresh batch id, made like a run's. Any thread.
BatchId new_batch_id(Time now);
/// Whether `text` is shaped like a batch id.
bool is_batch_id(const std::string& text);
/// A fresh token id, made like a run's. Any thread.
TokenId new_token_id(Time now);
/// Whether `text` is shaped like a bulk action id.
bool is_bulk_action_id(const std::string& text);
/// Whether `text` is shaped like a run id.
bool is_run_id(const std::string& text);
/// Whether `text` is shaped like a schedule id.
bool is_schedule_id(const std::string& text);
/// Whether `text` is shaped like a token id.
bool is_token_id(const std::string& text);
/// Whether `text` may be a task id.
bool is_task_id(const std::string& text);

}  // namespace perdure::store

template <class Tag>
struct std::hash<perdure::store::Name<Tag>> {
  std::size_t operator()(const perdure::store::Name<Tag>& n) const noexcept {
    return std::hash<std::string>{}(n.text());
  }
};
