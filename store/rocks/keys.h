// The key space: every column family and every prefix within one. Keys are order-preserving: integers big-endian, so
// that a range scan sees them ascending; run ids as the 16 bytes of their 125 bits, which sort by time as their texts
// do. Pure functions; any thread.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "store/model/ids.h"
#include "store/model/run.h"
#include "store/model/token.h"

namespace perdure::store::rocks {

/// A column family each. The number is the position in the table of open handles, the name is what is stored: add at
/// the end, never reuse a retired name (none so far).
enum class Family : std::uint8_t {
  kMeta,         // MetaKey -> small facts about the store
  kRuns,         // run -> RunRecord
  kPayloads,     // run, PayloadPart -> JSON text
  kAttempts,     // run, number -> Attempt, all but the newest
  kTimeline,     // run, first sequence -> some consecutive events, all but the newest
  kLogs,         // run, last sequence -> the entries of one append
  kByStatus,     // status, run -> Waiting while the run waits, nothing while it executes and when it is finished
  kByTask,       // task, run -> nothing
  kByTag,        // tag, run -> nothing
  kKeys,         // KeyKind, task (none for permits), key -> KeyRecord
  kOwed,         // run -> nothing: it is over and owes hooks
  kLive,         // run, LivePart, ... -> what is there of a run beside its record: see LivePart
  kCanceled,     // run -> nothing: it was canceled, and its children are to be as well
  kSchedules,    // SchedulePart, ... -> see SchedulePart
  kBySchedule,   // schedule, run -> nothing
  kQueues,       // QueuePart, queue, ... -> what is there of a queue: see QueuePart
  kBulkActions,  // BulkPart, id, ... -> see BulkPart
  kTokens,       // TokenPart, ..., id -> see TokenPart
  kBatches,      // BatchPart, batch, ... -> see BatchPart
};
inline constexpr std::size_t kFamilyCount = static_cast<std::size_t>(Family::kBatches) + 1;
std::string_view family_name(Family family);

/// Keys of Family::kMeta. Retired ones stay reserved here (none so far).
namespace meta_key {
inline constexpr std::string_view kSchema = "schema";      // decimal number of the layout
inline constexpr std::string_view kClock = "clock";        // ClockRecord
inline constexpr std::string_view kFinished = "finished";  // varints: finished runs by status, kCompleted first
}  // namespace meta_key

/// First byte of a key in Family::kKeys. Never reuse a retired one (none so far).
enum class KeyKind : char { kIdempotency = 'i', kRequest = 'r', kDebounce = 'd', kPermit = 'p', kBatch = 'b' };
/// First byte of a key in Family::kSchedules, and what follows. Never reuse a retired one (none so far).
enum class SchedulePart : char {
  kRecord = 'r',    // schedule -> Schedule
  kKey = 'k',       // deduplication key -> schedule
  kDeclared = 't',  // task -> schedule, of a declarative one
  kFired = 'f',     // schedule, due time -> run
};
/// Last byte of a key in Family::kPayloads. Never reuse a retired one (none so far).
enum class PayloadPart : char { kPayload = 'i', kOutput = 'o' };

/// First byte of a key in Family::kQueues. Never reuse a retired one (none so far).
enum class QueuePart : char {
  kSettings = 'q',  // name -> QueueSettings
  kStarts = 's',    // name, concurrency key -> RateWindow
};

/// What follows the run id in a key of Family::kLive. Never reuse a retired one (none so far).
enum class LivePart : char {
  kCall = 'p',      // number of a durable call -> RecordedCall
  kChild = 'c',     // run -> nothing: its parent is the run in front
  kMetadata = 'm',  // nothing -> JSON object; then numbers, ascending -> operations done to it since
  kStream = 's',    // name, last sequence -> StreamPiece
  kAsked = 'a',     // nothing -> AskedRequest: the last request of an attempt that was done
};

/// First byte of a key in Family::kBulkActions. Never reuse a retired one (none so far).
enum class BulkPart : char {
  kAction = 'a',   // id -> BulkAction
  kPending = 'p',  // id -> nothing: it is not over
  kRun = 'r',      // id, run -> nothing: it canceled or made the run
};

/// First byte of a key in Family::kBatches. Never reuse a retired one (none so far).
enum class BatchPart : char {
  kRecord = 'b',  // batch -> Batch
  kRun = 'r',     // batch, run -> nothing: it made the run
  kLoose = 'l',   // batch -> nothing: it is not sealed, or made no run
  kItem = 'i',    // batch, index -> text of an item of one that is not sealed
};

/// First byte of a key in Family::kTokens. Never reuse a retired one (none so far).
enum class TokenPart : char {
  kRecord = 'r',  // token -> Token
  kStatus = 's',  // status, token -> TokenTimeout while it waits, nothing when it is over
  kTag = 't',     // tag, token -> nothing
  kKey = 'k',     // idempotency key, token -> nothing; of several tokens the newest has it
  kEnded = 'e',   // when it was completed or timed out, token -> nothing
};

/// A run id in 16 bytes.
struct PackedId {
  std::uint64_t high = 0, low = 0;
  auto operator<=>(const PackedId&) const = default;
};
inline constexpr std::size_t kPackedIdSize = 16;

/// Nothing when `id` is not shaped like a run id, or a schedule's.
std::optional<PackedId> pack(const RunId& id);
std::optional<PackedId> pack(const ScheduleId& id);
RunId unpack(PackedId id);
ScheduleId unpack_schedule(PackedId id);

/// A key of an id and a few more bytes, or of two ids, without an allocation.
class ShortKey {
 public:
  static constexpr std::size_t kCapacity = 2 * kPackedIdSize;
  void append(std::uint64_t number, std::size_t bytes);
  void append(PackedId id);
  operator std::string_view() const { return {bytes_.data(), size_}; }  // NOLINT(google-explicit-constructor)
  [[nodiscard]] std::string text() const { return std::string(std::string_view(*this)); }

 private:
  std::array<char, kCapacity> bytes_;
  std::size_t size_ = 0;
};

ShortKey run_key(PackedId run);
ShortKey payload_key(PackedId run, PayloadPart part);
ShortKey attempt_key(PackedId run, std::uint32_t number);
ShortKey timeline_key(PackedId run, std::uint32_t first_sequence);
ShortKey log_key(PackedId run, std::uint64_t last_sequence);
ShortKey status_key(RunStatus status, PackedId run);
std::string task_key(const TaskId& task, PackedId run);
std::string tag_key(std::string_view tag, PackedId run);
std::string call_key(PackedId run, std::uint64_t call);
std::string child_key(PackedId parent, PackedId child);
/// `operation` 0: of the object itself.
std::string metadata_key(PackedId run, std::uint64_t operation);
std::string stream_key(PackedId run, std::string_view name, std::uint64_t last_sequence);
std::string queue_key(const QueueName& queue);
std::string starts_key(const QueueName& queue, std::string_view concurrency_key);
std::string key_key(KeyKind kind, const TaskId& task, std::string_view key);

ShortKey by_schedule_key(PackedId schedule, PackedId run);
std::string schedule_key(PackedId schedule);
/// `what`: a deduplication key, or a task.
std::string schedule_key(SchedulePart part, std::string_view what);
std::string fired_key(PackedId schedule, Time due);
std::string fired_prefix(PackedId schedule);

/// The first and the last id that a run created at that time may have.
PackedId first_id_of(Time time);
PackedId last_id_of(Time time);

std::optional<PackedId> pack(const BatchId& id);
BatchId unpack_batch(PackedId id);
ShortKey batch_key(BatchPart part, PackedId batch);
std::string batch_run_key(PackedId batch, PackedId run);
std::string batch_item_key(PackedId batch, std::uint32_t index);
/// What precedes the run id in the keys of the runs that the batch made. Of an id that none has: a prefix that no key
/// has.
std::string batch_runs_prefix(const BatchId& batch);

std::optional<PackedId> pack(const BulkActionId& id);
BulkActionId unpack_bulk_action(PackedId id);
ShortKey bulk_key(BulkPart part, PackedId action);
std::string bulk_run_key(PackedId action, PackedId run);
/// What precedes the run id in the keys of the runs that the action canceled or made.
std::string bulk_runs_prefix(const BulkActionId& action);

std::optional<PackedId> pack(const TokenId& id);
TokenId unpack_token(PackedId id);
/// What precedes the token id in its keys.
std::string token_prefix(TokenPart part);
std::string token_status_prefix(TokenStatus status);
/// `what`: a tag, or an idempotency key.
std::string token_prefix(TokenPart part, std::string_view what);
std::string token_ended_prefix(Time ended);
/// A key of a token: what precedes, and its id.
std::string token_key(std::string prefix, PackedId token);

/// What precedes the run id in the index keys.
std::string status_prefix(RunStatus status);
std::string task_prefix(const TaskId& task);
std::string tag_prefix(std::string_view tag);
/// Of an id that none has: a prefix that no key has.
std::string schedule_runs_prefix(const ScheduleId& schedule);
std::string live_prefix(PackedId run, LivePart part);
std::string stream_prefix(PackedId run, std::string_view name);
std::string queue_prefix(QueuePart part);
/// The queue and the concurrency key in a key of its starts; nothing when it is too short.
std::optional<std::pair<QueueName, std::string>> sub_queue_in_key(std::string_view key);
/// The name in a key of a stream; empty when the key is too short.
std::string_view stream_in_key(std::string_view key);

/// The run id at `offset` of a key; nothing when the key is too short.
std::optional<PackedId> run_in_key(std::string_view key, std::size_t offset);
/// The big-endian number that ends the key; 0 when the key is too short.
std::uint32_t u32_at_end(std::string_view key);
std::uint64_t u64_at_end(std::string_view key);

}  // namespace perdure::store::rocks

template <>
struct std::hash<perdure::store::rocks::PackedId> {
  std::size_t operator()(const perdure::store::rocks::PackedId& id) const noexcept {
    return static_cast<std::size_t>(id.high * 0x9e3779b97f4a7c15u ^ id.low);
  }
};
