// Encoding of keys; see keys.h.
#include "store/rocks/keys.h"

#include <algorithm>
#include <array>

namespace perdure::store::rocks {
namespace {

constexpr std::string_view kRunPrefix = "run_";
constexpr std::string_view kSchedulePrefix = "sched_";
constexpr std::string_view kBulkActionPrefix = "bulk_";
constexpr std::string_view kBatchPrefix = "batch_";
constexpr std::string_view kTokenPrefix = "waitpoint_";
constexpr std::size_t kDigits = 25;
constexpr unsigned kRandomBitsInHigh = 11;  // of an id's 75, below its 50 bits of time; the others are in `low`
constexpr std::string_view kAlphabet = "0123456789abcdefghijklmnopqrstuv";

std::uint64_t number_at(std::string_view in, std::size_t offset, std::size_t size) {
  std::uint64_t v = 0;
  for (std::size_t i = 0; i < size; ++i) v = v << 8 | static_cast<unsigned char>(in[offset + i]);
  return v;
}

// Text before a run id: its length first, so that no text is another's prefix.
std::string with_length(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2 + kPackedIdSize);
  out.push_back(static_cast<char>(text.size() >> 8));
  out.push_back(static_cast<char>(text.size()));
  out.append(text);
  return out;
}

std::optional<PackedId> pack_after(std::string_view prefix, std::string_view text) {
  if (text.size() != prefix.size() + kDigits || !text.starts_with(prefix)) return std::nullopt;
  text.remove_prefix(prefix.size());
  PackedId packed;
  for (char c : text) {
    std::uint64_t digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<std::uint64_t>(c - '0');
    } else if (c >= 'a' && c <= 'v') {
      digit = static_cast<std::uint64_t>(c - 'a') + 10;
    } else {
      return std::nullopt;
    }
    packed.high = packed.high << 5 | packed.low >> 59;
    packed.low = packed.low << 5 | digit;
  }
  return packed;
}

std::string unpack_after(std::string_view prefix, PackedId id) {
  std::string text(prefix.size() + kDigits, '0');
  text.replace(0, prefix.size(), prefix);
  for (std::size_t i = text.size(); i-- > prefix.size();) {
    text[i] = kAlphabet[id.low & 31];
    id.low = id.low >> 5 | id.high << 59;
    id.high >>= 5;
  }
  return text;
}

std::string big_endian(std::uint64_t number) {
  std::string out;
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(number >> shift));
  return out;
}

// Times before 1970 sort before the others.
std::string big_endian(Time time) {
  return big_endian(static_cast<std::uint64_t>(time.time_since_epoch().count()) ^ std::uint64_t{1} << 63);
}

}  // namespace

std::string_view family_name(Family family) {
  static constexpr std::array<std::string_view, kFamilyCount> kNames = {
      "default", "runs", "payloads", "attempts", "timeline",  "logs",        "by_status", "by_task",      "by_tag",
      "keys",    "owed", "live",     "canceled", "schedules", "by_schedule", "queues",    "bulk_actions", "tokens",
      "batches"};
  return kNames[static_cast<std::size_t>(family)];
}

std::optional<PackedId> pack(const RunId& id) { return pack_after(kRunPrefix, id.text()); }
std::optional<PackedId> pack(const ScheduleId& id) { return pack_after(kSchedulePrefix, id.text()); }
RunId unpack(PackedId id) { return RunId(unpack_after(kRunPrefix, id)); }
ScheduleId unpack_schedule(PackedId id) { return ScheduleId(unpack_after(kSchedulePrefix, id)); }

std::optional<PackedId> pack(const BatchId& id) { return pack_after(kBatchPrefix, id.text()); }

BatchId unpack_batch(PackedId id) { return BatchId(unpack_after(kBatchPrefix, id)); }

ShortKey batch_key(BatchPart part, PackedId batch) {
  ShortKey key;
  key.append(static_cast<unsigned char>(part), 1);
  key.append(batch);
  return key;
}

std::string batch_run_key(PackedId batch, PackedId run) {
  return batch_key(BatchPart::kRun, batch).text() + run_key(run).text();
}

std::string batch_item_key(PackedId batch, std::uint32_t index) {
  ShortKey key = batch_key(BatchPart::kItem, batch);
  key.append(index, 4);
  return key.text();
}

std::string batch_runs_prefix(const BatchId& batch) {
  const std::optional<PackedId> id = pack(batch);
  return id ? batch_key(BatchPart::kRun, *id).text() : std::string(kPackedIdSize + 1, '\xff');
}

std::optional<PackedId> pack(const BulkActionId& id) { return pack_after(kBulkActionPrefix, id.text()); }

BulkActionId unpack_bulk_action(PackedId id) { return BulkActionId(unpack_after(kBulkActionPrefix, id)); }

ShortKey bulk_key(BulkPart part, PackedId action) {
  ShortKey key;
  key.append(static_cast<unsigned char>(part), 1);
  key.append(action);
  return key;
}

std::string bulk_run_key(PackedId action, PackedId run) {
  return bulk_key(BulkPart::kRun, action).text() + run_key(run).text();
}

std::string bulk_runs_prefix(const BulkActionId& action) {
  // One that is no id is nobody's.
  return bulk_key(BulkPart::kRun, pack(action).value_or(PackedId{})).text();
}

PackedId first_id_of(Time time) {
  const std::int64_t milliseconds = std::max<std::int64_t>(time.time_since_epoch().count(), 0);
  return {static_cast<std::uint64_t>(milliseconds) << kRandomBitsInHigh, 0};
}

PackedId last_id_of(Time time) {
  PackedId id = first_id_of(time);
  id.high |= (1u << kRandomBitsInHigh) - 1;
  id.low = UINT64_MAX;
  return id;
}

void ShortKey::append(std::uint64_t number, std::size_t bytes) {
  while (bytes-- > 0) bytes_[size_++] = static_cast<char>(number >> (8 * bytes));
}

void ShortKey::append(PackedId id) {
  append(id.high, 8);
  append(id.low, 8);
}

ShortKey run_key(PackedId run) {
  ShortKey key;
  key.append(run);
  return key;
}

ShortKey payload_key(PackedId run, PayloadPart part) {
  ShortKey key = run_key(run);
  key.append(static_cast<unsigned char>(part), 1);
  return key;
}

ShortKey attempt_key(PackedId run, std::uint32_t number) {
  ShortKey key = run_key(run);
  key.append(number, 4);
  return key;
}

ShortKey timeline_key(PackedId run, std::uint32_t first_sequence) { return attempt_key(run, first_sequence); }

ShortKey log_key(PackedId run, std::uint64_t last_sequence) {
  ShortKey key = run_key(run);
  key.append(last_sequence, 8);
  return key;
}

ShortKey status_key(RunStatus status, PackedId run) {
  ShortKey key;
  key.append(static_cast<std::uint8_t>(status), 1);
  key.append(run);
  return key;
}

std::string queue_key(const QueueName& queue) { return queue_prefix(QueuePart::kSettings) + queue.text(); }

std::string starts_key(const QueueName& queue, std::string_view concurrency_key) {
  std::string key = queue_prefix(QueuePart::kStarts) + with_length(queue.text());
  key.append(concurrency_key);
  return key;
}

std::string queue_prefix(QueuePart part) { return std::string(1, static_cast<char>(part)); }

std::optional<std::pair<QueueName, std::string>> sub_queue_in_key(std::string_view key) {
  constexpr std::size_t kHead = 3;  // the part, the length of the name
  if (key.size() < kHead) return std::nullopt;
  const auto length = static_cast<std::size_t>(number_at(key, 1, 2));
  if (key.size() < kHead + length) return std::nullopt;
  return std::pair(QueueName(std::string(key.substr(kHead, length))), std::string(key.substr(kHead + length)));
}

std::string status_prefix(RunStatus status) { return std::string(1, static_cast<char>(status)); }
std::string task_prefix(const TaskId& task) { return with_length(task.text()); }
std::string tag_prefix(std::string_view tag) { return with_length(tag); }

std::string schedule_runs_prefix(const ScheduleId& schedule) {
  const std::optional<PackedId> id = pack(schedule);
  return id ? run_key(*id).text() : std::string(kPackedIdSize, '\xff');
}

std::string task_key(const TaskId& task, PackedId run) {
  std::string key = task_prefix(task);
  key += std::string_view(run_key(run));
  return key;
}

std::string tag_key(std::string_view tag, PackedId run) {
  std::string key = tag_prefix(tag);
  key += std::string_view(run_key(run));
  return key;
}

std::string live_prefix(PackedId run, LivePart part) {
  ShortKey key = run_key(run);
  key.append(static_cast<unsigned char>(part), 1);
  return key.text();
}

std::string call_key(PackedId run, std::uint64_t call) { return live_prefix(run, LivePart::kCall) + big_endian(call); }

std::string child_key(PackedId parent, PackedId child) {
  return live_prefix(parent, LivePart::kChild) + run_key(child).text();
}

std::string metadata_key(PackedId run, std::uint64_t operation) {
  std::string key = live_prefix(run, LivePart::kMetadata);
  return operation == 0 ? key : key + big_endian(operation);
}

std::string stream_prefix(PackedId run, std::string_view name) {
  return live_prefix(run, LivePart::kStream) + with_length(name);
}

std::string stream_key(PackedId run, std::string_view name, std::uint64_t last_sequence) {
  return stream_prefix(run, name) + big_endian(last_sequence);
}

std::string_view stream_in_key(std::string_view key) {
  constexpr std::size_t kBefore = kPackedIdSize + 1 + 2;
  constexpr std::size_t kAfter = 8;
  return key.size() < kBefore + kAfter ? std::string_view() : key.substr(kBefore, key.size() - kBefore - kAfter);
}

ShortKey by_schedule_key(PackedId schedule, PackedId run) {
  ShortKey key;
  key.append(schedule);
  key.append(run);
  return key;
}

std::string schedule_key(SchedulePart part, std::string_view what) {
  std::string key(1, static_cast<char>(part));
  key += what;
  return key;
}

std::string schedule_key(PackedId schedule) { return schedule_key(SchedulePart::kRecord, run_key(schedule)); }
std::string fired_prefix(PackedId schedule) { return schedule_key(SchedulePart::kFired, run_key(schedule)); }

std::string fired_key(PackedId schedule, Time due) { return fired_prefix(schedule) + big_endian(due); }

std::optional<PackedId> pack(const TokenId& id) { return pack_after(kTokenPrefix, id.text()); }
TokenId unpack_token(PackedId id) { return TokenId(unpack_after(kTokenPrefix, id)); }

std::string token_prefix(TokenPart part) { return std::string(1, static_cast<char>(part)); }

std::string token_status_prefix(TokenStatus status) {
  return token_prefix(TokenPart::kStatus) + static_cast<char>(status);
}

std::string token_prefix(TokenPart part, std::string_view what) { return token_prefix(part) + with_length(what); }

std::string token_ended_prefix(Time ended) { return token_prefix(TokenPart::kEnded) + big_endian(ended); }

std::string token_key(std::string prefix, PackedId token) {
  prefix += std::string_view(run_key(token));
  return prefix;
}

std::string key_key(KeyKind kind, const TaskId& task, std::string_view key) {
  std::string out(1, static_cast<char>(kind));
  out += with_length(task.text());
  out.append(key);
  return out;
}

std::optional<PackedId> run_in_key(std::string_view key, std::size_t offset) {
  if (key.size() < offset + kPackedIdSize) return std::nullopt;
  return PackedId{number_at(key, offset, 8), number_at(key, offset + 8, 8)};
}

std::uint32_t u32_at_end(std::string_view key) {
  return key.size() < 4 ? 0 : static_cast<std::uint32_t>(number_at(key, key.size() - 4, 4));
}

std::uint64_t u64_at_end(std::string_view key) { return key.size() < 8 ? 0 : number_at(key, key.size() - 8, 8); }

}  // namespace perdure::store::rocks
