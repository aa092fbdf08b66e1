#include "host/engine/bulk_actions.h"

#include <algorithm>
#include <utility>

namespace perdure::engine {

namespace {

constexpr std::size_t kActionsAtOnce = 16;
constexpr std::size_t kRunsAtOnce = 100;  // before others have their turn

}  // namespace

BulkActions::BulkActions(Core& core, store::Store& store, Deeds deeds)
    : core_(core), store_(store), deeds_(std::move(deeds)) {}

void BulkActions::start() {
  started_ = true;
  look();
}

void BulkActions::begin(store::BulkAction action, store::Done<store::BulkActionId> done) {
  action.created_at = core_.now();
  action.id = store::new_bulk_action_id(action.created_at);
  // What comes later, replays of its own among it, is none of its business.
  action.filter.to = std::min(action.filter.to.value_or(action.created_at), action.created_at);
  const store::BulkActionId id = action.id;
  store_.put_bulk_action(std::move(action), {},
                         [this, core = &core_, alive = std::weak_ptr(alive_), id, done](const store::Status& put) {
                           done(put ? store::Result<store::BulkActionId>(id) : put);
                           if (!put) return;
                           core->run([this, alive] {
                             if (!alive.expired()) look();
                           });
                         });
}

void BulkActions::look() {
  if (!started_ || stopped_ || works_.size() >= kActionsAtOnce) return;
  const auto pending = store_.pending_bulk_actions(kActionsAtOnce + works_.size());
  if (!pending) return;  // until the store serves again
  for (const store::BulkActionId& id : *pending) {
    if (works_.size() >= kActionsAtOnce || works_.contains(id)) continue;
    store::Result<store::BulkAction> action = store_.bulk_action(id);
    if (!action) continue;
    Work& work = works_[id];
    work.action = std::move(*action);
    if (work.action.batch.empty()) {
      next(id);
    } else {
      do_batch(id);
    }
  }
}

void BulkActions::try_again() {
  look();
  std::vector<store::BulkActionId> waiting;
  for (const auto& [id, work] : works_) {
    if (work.waits != Waits::kForNothing) waiting.push_back(id);
  }
  for (const store::BulkActionId& id : waiting) {
    const auto found = works_.find(id);
    if (found == works_.end()) continue;
    switch (std::exchange(found->second.waits, Waits::kForNothing)) {
      case Waits::kForNothing:
        break;
      case Waits::kToBeSaved:
        save(id);
        break;
      case Waits::kToBeDone:
        do_batch(id);
        break;
      case Waits::kForItsNext:
        next(id);
        break;
    }
  }
}

void BulkActions::abort(const store::BulkActionId& id, store::Done<store::BulkActionId> done) {
  look();
  const auto found = works_.find(id);
  if (found != works_.end()) {
    found->second.aborting = true;
    found->second.aborts.push_back(std::move(done));
    return try_again();
  }
  store::Result<store::BulkAction> action = store_.bulk_action(id);
  if (!action) return done(action.status());
  if (action->status != store::BulkStatus::kPending) return done(id);
  action->status = store::BulkStatus::kAborted;  // it waits for its turn
  action->completed_at = core_.now();
  store_.put_bulk_action(std::move(*action), {}, [id, done](const store::Status& put) {
    done(put ? store::Result<store::BulkActionId>(id) : put);
  });
}

bool BulkActions::choose(store::BulkAction& action, bool& more) {
  more = false;
  const auto add = [&](const store::RunId& run) {
    const bool replay = action.kind == store::BulkKind::kReplay;
    action.batch.push_back({run, replay ? store::new_run_id(core_.now()) : store::RunId()});
  };
  if (!action.runs.empty()) {
    while (action.taken < action.runs.size() && action.batch.size() < kRunsAtOnce) add(action.runs[action.taken++]);
    return true;
  }
  store::RunFilter filter = action.filter;
  filter.after = action.cursor;
  filter.limit = kRunsAtOnce;
  const store::Result<store::RunPage> page = store_.list(filter);
  if (!page) return false;
  for (const store::Run& run : page->runs) add(run.id);
  more = page->more_after && action.batch.empty();
  if (page->more_after) {
    action.cursor = page->after;
  } else if (!page->runs.empty()) {
    action.cursor = page->runs.back().id;
  }
  return true;
}

void BulkActions::end(Work& work, store::BulkStatus status) {
  work.action.status = status;
  work.action.completed_at = core_.now();
}

void BulkActions::next(const store::BulkActionId& id) {
  Work& work = works_.at(id);
  if (work.aborting) {
    end(work, store::BulkStatus::kAborted);
    return save(id);
  }
  if (stopped_) {
    work.waits = Waits::kForItsNext;
    return;
  }
  bool more = false;
  if (!choose(work.action, more)) {
    work.waits = Waits::kForItsNext;
    return;
  }
  if (more) {  // much was looked at and nothing found yet
    return core_.post([this, alive = std::weak_ptr(alive_), id] {
      if (!alive.expired()) next(id);
    });
  }
  if (work.action.batch.empty()) end(work, store::BulkStatus::kCompleted);
  save(id);
}

void BulkActions::save(const store::BulkActionId& id) {
  const Work& work = works_.at(id);
  store_.put_bulk_action(work.action, work.affected,
                         [this, core = &core_, alive = std::weak_ptr(alive_), id](const store::Status& status) {
                           core->run([this, alive, id, status] {
                             if (!alive.expired()) saved(id, status);
                           });
                         });
}

void BulkActions::saved(const store::BulkActionId& id, const store::Status& status) {
  Work& work = works_.at(id);
  if (!status) {
    work.waits = Waits::kToBeSaved;
    if (store_.health()) try_again();  // it serves again already
    return;
  }
  work.affected.clear();
  if (work.action.status == store::BulkStatus::kPending) return do_batch(id);
  const auto aborts = std::move(work.aborts);
  works_.erase(id);
  for (const auto& done : aborts) done(id);
  look();
}

void BulkActions::do_batch(const store::BulkActionId& id) {
  Work& work = works_.at(id);
  if (stopped_) {
    work.waits = Waits::kToBeDone;
    return;
  }
  const std::vector<store::BulkAction::Step> batch = work.action.batch;
  work.open = batch.size();
  work.success = work.failure = 0;
  work.not_now = false;
  work.affected.clear();
  const bool cancels = work.action.kind == store::BulkKind::kCancel;
  for (const store::BulkAction::Step& step : batch) {
    const store::DoneStatus done = [this, core = &core_, alive = std::weak_ptr(alive_), id,
                                    step](const store::Status& status) {
      core->run([this, alive, id, step, status] {
        if (!alive.expired()) done_one(id, step, status);
      });
    };
    if (cancels) {
      deeds_.cancel(step.run, "canceled by the bulk action " + id.text(), done);
    } else {
      deeds_.replay(step.run, step.made, done);
    }
  }
}

void BulkActions::done_one(const store::BulkActionId& id, const store::BulkAction::Step& step,
                           const store::Status& status) {
  Work& work = works_.at(id);
  if (status) {
    ++work.success;
    work.affected.push_back(step.made.empty() ? step.run : step.made);
  } else if (status.code() == store::Code::kUnavailable || !store_.health()) {
    work.not_now = true;
  } else {
    ++work.failure;
  }
  if (--work.open > 0) return;
  if (work.not_now) {
    work.waits = Waits::kToBeDone;
    return;
  }
  work.action.success += work.success;
  work.action.failure += work.failure;
  work.action.batch.clear();
  // Not from within: a batch that is done at once would begin the next one below itself, again and again.
  core_.post([this, alive = std::weak_ptr(alive_), id] {
    if (!alive.expired()) next(id);
  });
}

}  // namespace perdure::engine
