// What tasks declare, put into force. See schedules.h.
#include <algorithm>
#include <utility>

#include "host/engine/schedules.h"

namespace perdure::engine {

namespace {

bool same_times(const store::ScheduleRule& one, const store::ScheduleRule& other) {
  return one.pattern == other.pattern && one.timezone == other.timezone && one.window == other.window;
}

}  // namespace

void Schedules::declare() {
  const catalog::SnapshotPtr catalog = around_.catalog();
  const auto stored = store_.declared_schedules();
  if (!stored) return;  // until the store serves again
  std::map<store::TaskId, const store::Schedule*> before;
  for (const store::Schedule& each : *stored) before[each.task] = &each;
  for (const auto& [id, task] : catalog->tasks) {
    const auto found = before.find(id);
    if (task.options.cron) declare(task, found == before.end() ? nullptr : found->second);
  }
  for (const store::Schedule& each : *stored) {
    if (still_declared(each, *catalog)) continue;
    store_.delete_schedule(each.id, [](const store::Status&) {});  // if not now, with the next change or start
  }
}

// One whose task nobody offers is kept while its plugin is not loaded at all.
bool Schedules::still_declared(const store::Schedule& schedule, const catalog::Snapshot& catalog) const {
  const auto task = catalog.tasks.find(schedule.task);
  if (task != catalog.tasks.end()) return task->second.options.cron.has_value();
  return std::ranges::none_of(catalog.plugins, [&](const catalog::PluginVersion& plugin) {
    return plugin.name == schedule.declared_by && plugin.state == catalog::VersionState::kServing;
  });
}

void Schedules::declare(const catalog::Task& task, const store::Schedule* before) {
  const store::ScheduleRule& rule = *task.options.cron;
  if (before != nullptr && before->rule == rule && before->declared_by == task.plugin) return;
  const auto times = store::Timetable::parse(rule);
  if (!times) {
    return around_.warn("The schedule of the task '" + task.id.text() +
                        "' is not in force: " + times.status().message());
  }
  const store::Time now = core_.now();
  store::Schedule schedule;
  if (before != nullptr) {
    schedule = *before;
  } else {
    schedule.id = store::new_schedule_id(now);
    schedule.type = store::ScheduleType::kDeclarative;
    schedule.task = task.id;
    schedule.created_at = now;
  }
  const bool moved = before == nullptr || !same_times(before->rule, rule);
  schedule.rule = rule;
  schedule.declared_by = task.plugin;
  schedule.updated_at = now;
  if (moved) store::plan_next(schedule, *times, now);
  put(std::move(schedule), [this, core = &core_, alive = std::weak_ptr(alive_),
                            id = task.id](const store::Result<store::Schedule>& answer) {
    if (answer) return;
    core->run([this, alive, id, status = answer.status()] {
      if (!alive.expired()) {
        around_.warn("The schedule of the task '" + id.text() + "' is not in force: " + status.message());
      }
    });
  });
}

}  // namespace perdure::engine
