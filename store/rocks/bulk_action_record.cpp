// See bulk_action_record.h.
#include "store/rocks/bulk_action_record.h"

#include <utility>
#include <vector>

#include "store/rocks/codec.h"

namespace perdure::store::rocks {
namespace {

constexpr std::uint8_t kVersion = 1;

template <class T, class Put>
void put_list(Encoder& out, const std::vector<T>& list, Put put) {
  out.u64(list.size());
  for (const T& each : list) put(each);
}

template <class Take>
void take_list(Decoder& in, Take take) {
  const std::size_t count = in.count();
  for (std::size_t i = 0; i < count && in.ok(); ++i) take();
}

void put(Encoder& out, const RunFilter& filter) {
  put_list(out, filter.statuses, [&](RunStatus each) { out.u8(static_cast<std::uint8_t>(each)); });
  out.flag(filter.told);
  put_list(out, filter.tasks, [&](const TaskId& each) { out.name(each); });
  put_list(out, filter.tags, [&](const std::string& each) { out.text(each); });
  put_list(out, filter.schedules, [&](const ScheduleId& each) { out.name(each); });
  put_list(out, filter.versions, [&](const VersionId& each) { out.name(each); });
  put_list(out, filter.queues, [&](const QueueName& each) { out.name(each); });
  put_list(out, filter.machines, [&](const std::string& each) { out.text(each); });
  out.u8(filter.is_test ? (*filter.is_test ? 2 : 1) : 0);
  out.name(filter.bulk_action);
  out.time(filter.from);
  out.time(filter.to);
}

RunFilter take_filter(Decoder& in) {
  RunFilter filter;
  take_list(in, [&] { filter.statuses.push_back(in.one_of(RunStatus::kPendingVersion, RunStatus::kExpired)); });
  filter.told = in.flag();
  take_list(in, [&] { filter.tasks.push_back(in.name<TaskId>()); });
  take_list(in, [&] { filter.tags.push_back(in.string()); });
  take_list(in, [&] { filter.schedules.push_back(in.name<ScheduleId>()); });
  take_list(in, [&] { filter.versions.push_back(in.name<VersionId>()); });
  take_list(in, [&] { filter.queues.push_back(in.name<QueueName>()); });
  take_list(in, [&] { filter.machines.push_back(in.string()); });
  if (const std::uint8_t test = in.u8(); test > 0) filter.is_test = test == 2;
  filter.bulk_action = in.name<BulkActionId>();
  filter.from = in.maybe_time();
  filter.to = in.maybe_time();
  return filter;
}

}  // namespace

std::string encode(const BulkAction& action) {
  std::string bytes;
  Encoder out(bytes);
  out.u8(kVersion);
  out.u8(static_cast<std::uint8_t>(action.kind));
  out.u8(static_cast<std::uint8_t>(action.status));
  out.text(action.name);
  put_list(out, action.runs, [&](const RunId& each) { out.name(each); });
  put(out, action.filter);
  out.time(action.created_at);
  out.time(action.completed_at);
  out.u64(action.success);
  out.u64(action.failure);
  out.u64(action.taken);
  out.name(action.cursor);
  put_list(out, action.batch, [&](const BulkAction::Step& each) {
    out.name(each.run);
    out.name(each.made);
  });
  out.name(action.filter.batch);
  return bytes;
}

Result<BulkAction> decode_bulk_action(PackedId id, std::string_view bytes) {
  Decoder in(bytes);
  BulkAction action;
  action.id = unpack_bulk_action(id);
  const bool known = in.u8() == kVersion;
  action.kind = in.one_of(BulkKind::kCancel, BulkKind::kReplay);
  action.status = in.one_of(BulkStatus::kPending, BulkStatus::kAborted);
  action.name = in.string();
  take_list(in, [&] { action.runs.push_back(in.name<RunId>()); });
  action.filter = take_filter(in);
  action.created_at = in.time();
  action.completed_at = in.maybe_time();
  action.success = in.u64();
  action.failure = in.u64();
  action.taken = in.u64();
  action.cursor = in.name<RunId>();
  take_list(in, [&] {
    const auto run = in.name<RunId>();
    action.batch.push_back({run, in.name<RunId>()});
  });
  if (in.more()) action.filter.batch = in.name<BatchId>();  // not in older ones
  if (known && in.ok()) return action;
  return Status::corruption("the stored bulk action " + action.id.text() +
                            " cannot be read: it is damaged or was written by a newer version");
}

}  // namespace perdure::store::rocks
