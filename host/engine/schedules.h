// Fires schedules: one timer for the next due time of all, a commit for each that fires. The store keeps everything
// that matters, so that a host that is killed leaves the rest to the next one, and no due time ever has two runs.
//
// A schedule whose task no plugin offers does not fire: its due times pass as if the host were down, and catch_up says
// what becomes of them once the task is offered again. So a plugin that is gone leaves no heap of runs behind. What
// tasks declare is put into force whenever the catalog changes: made, changed, and removed once the plugin that
// declared it serves a version that does not. While that plugin is not loaded at all, it stays.
//
// Clocks: a jump forward is time that passed while nothing fired, so catch_up decides; after a jump backward nothing
// fires again, since a schedule's next due time never moves back over one that fired.
//
// Core thread only, but for ScheduleControl's functions and run_changed(). Files: schedules.cpp (firing),
// schedule_changes.cpp (what is asked for), declared_schedules.cpp.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "host/catalog/snapshot.h"
#include "host/engine/core.h"
#include "host/engine/schedule_control.h"
#include "store/model/schedule_firing.h"
#include "store/store.h"

namespace perdure::engine {

class Schedules final : public ScheduleControl {
 public:
  struct Surroundings {
    std::function<catalog::SnapshotPtr()> catalog;  // any thread
    std::function<void(const store::RunId& run, const std::string& reason)> cancel;
    std::function<void(const std::string& message)> warn;
  };
  Schedules(Core& core, store::Store& store, Surroundings around);

  /// Begins, once the store is recovered.
  void start();
  /// The catalog changed.
  void offered();
  /// The store serves again.
  void store_serves();
  /// Fires nothing any more.
  void stop() { stopped_ = true; }
  /// Any thread: the run is in a new status, durably.
  void run_changed(const store::RunId& run, store::RunStatus status) {
    if (watching_ > 0 && store::is_final(status)) run_over(run);
  }

  void create(ScheduleRequest request, store::Done<store::Schedule> done) override;
  void change(const store::ScheduleId& id, ScheduleRequest request, store::Done<store::Schedule> done) override;
  void set_active(const store::ScheduleId& id, bool active, store::Done<store::Schedule> done) override;
  void remove(const store::ScheduleId& id, store::DoneStatus done) override;
  void backfill(const store::ScheduleId& id, store::Time from, store::Time until,
                store::Done<BackfillBegun> done) override;

 private:
  // schedules.cpp
  void look();
  void look_at(const store::ScheduleId& id);
  void pump();
  void step(const store::ScheduleId& id);
  void fire(store::Firing firing, const store::Timetable& times, const catalog::Task& task);
  void fired(const store::ScheduleId& id, const store::Result<store::Schedule>& answer);
  [[nodiscard]] bool last_over(const store::Schedule& schedule) const;
  bool await_last(const store::Schedule& schedule);
  void run_over(const store::RunId& run);
  void set_timer();
  // schedule_changes.cpp
  template <class T>
  void on_core(store::Done<T> done, std::function<void(store::Done<T>)> work);
  [[nodiscard]] store::Status check_task(const store::TaskId& task) const;
  void write(store::Schedule schedule, const ScheduleRequest& request, store::Done<store::Schedule> done);
  void put(store::Schedule schedule, store::Done<store::Schedule> done);
  void changed(const store::Schedule& schedule);
  // declared_schedules.cpp
  void declare();
  void declare(const catalog::Task& task, const store::Schedule* before);
  [[nodiscard]] bool still_declared(const store::Schedule& schedule, const catalog::Snapshot& catalog) const;

  Core& core_;
  store::Store& store_;
  Surroundings around_;
  std::unique_ptr<Timer> timer_;  // for the next due time
  std::unique_ptr<Timer> again_;  // for what failed for want of space
  bool started_ = false, stopped_ = false, pumping_ = false;
  store::Time seen_ = store::Time::min();  // what was due until then was looked at
  std::deque<store::ScheduleId> to_look_at_;
  std::unordered_set<store::ScheduleId> in_line_;  // those in to_look_at_
  std::unordered_set<store::ScheduleId> firing_;   // the store has not answered yet
  std::set<store::ScheduleId> failed_;
  std::map<store::TaskId, std::set<store::ScheduleId>> not_offered_;  // due, but nobody offers the task

  std::atomic<std::size_t> watching_{0};
  std::mutex watched_mutex_;
  std::unordered_map<store::RunId, store::ScheduleId> watched_;  // whose end lets a schedule go on

  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace perdure::engine
