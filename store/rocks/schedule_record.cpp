#include "store/rocks/schedule_record.h"

#include "store/rocks/codec.h"

namespace perdure::store::rocks {
namespace {

constexpr std::uint8_t kVersion = 1;

Status damaged(PackedId id) {
  return Status::corruption(
      "the stored schedule " + unpack_schedule(id).text() +
      " cannot be read: it is damaged or was written by a newer version; expected value version " +
      std::to_string(kVersion));
}

}  // namespace

std::string encode(const Schedule& schedule) {
  std::string bytes;
  bytes.reserve(128 + schedule.deduplication_key.size() + schedule.external_id.size());
  Encoder out(bytes);
  out.u8(kVersion);
  out.u64(schedule.revision);
  out.u8(static_cast<std::uint8_t>(schedule.type));
  out.name(schedule.task);
  out.text(schedule.rule.pattern);
  out.text(schedule.rule.timezone);
  out.text(schedule.rule.window);
  out.u8(static_cast<std::uint8_t>(schedule.rule.catch_up));
  out.u8(static_cast<std::uint8_t>(schedule.rule.overlap));
  out.flag(schedule.active);
  out.text(schedule.deduplication_key);
  out.text(schedule.external_id);
  out.text(schedule.declared_by);
  out.time(schedule.created_at);
  out.time(schedule.updated_at);
  out.time(schedule.next_due);
  out.time(schedule.next_at);
  out.time(schedule.last_due);
  out.name(schedule.last_run);
  out.time(schedule.waiting);
  out.flag(schedule.backfill.has_value());
  if (schedule.backfill) {
    out.time(schedule.backfill->next);
    out.time(schedule.backfill->until);
  }
  return bytes;
}

Result<Schedule> decode_schedule(PackedId id, std::string_view bytes) {
  Decoder in(bytes);
  if (in.u8() != kVersion || !in.ok()) return damaged(id);
  Schedule schedule;
  schedule.id = unpack_schedule(id);
  schedule.revision = in.u64();
  schedule.type = in.one_of(ScheduleType::kDeclarative, ScheduleType::kImperative);
  schedule.task = in.name<TaskId>();
  schedule.rule.pattern = in.string();
  schedule.rule.timezone = in.string();
  schedule.rule.window = in.string();
  schedule.rule.catch_up = in.one_of(CatchUp::kNone, CatchUp::kAll);
  schedule.rule.overlap = in.one_of(Overlap::kAllow, Overlap::kCancelPrevious);
  schedule.active = in.flag();
  schedule.deduplication_key = in.string();
  schedule.external_id = in.string();
  schedule.declared_by = in.string();
  schedule.created_at = in.time();
  schedule.updated_at = in.time();
  schedule.next_due = in.maybe_time();
  schedule.next_at = in.maybe_time();
  schedule.last_due = in.maybe_time();
  schedule.last_run = in.name<RunId>();
  schedule.waiting = in.maybe_time();
  if (in.flag()) {
    Backfill& backfill = schedule.backfill.emplace();
    backfill.next = in.time();
    backfill.until = in.time();
  }
  if (!in.ok()) return damaged(id);
  return schedule;
}

}  // namespace perdure::store::rocks
