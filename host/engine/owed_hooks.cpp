#include "host/engine/owed_hooks.h"

#include <boost/json/parse.hpp>
#include <utility>

namespace perdure::engine {

namespace {

using process::Hook;
using process::HookSet;
using store::RunStatus;

constexpr std::size_t kAtOnce = 4;
constexpr unsigned kTries = 3;  // to get a process for one run's hooks
constexpr std::chrono::seconds kRest{10};

// What was said when the run was canceled.
std::string cancel_reason(const store::Store& store, const store::RunId& run) {
  const auto timeline = store.timeline(run);
  if (!timeline) return {};
  for (auto event = timeline->rbegin(); event != timeline->rend(); ++event) {
    if (event->name != "canceled" || event->data.empty()) continue;
    boost::json::error_code error;
    const boost::json::value data = boost::json::parse(event->data, error);
    const boost::json::value* reason = error || !data.is_object() ? nullptr : data.get_object().if_contains("reason");
    return reason != nullptr && reason->is_string() ? std::string(reason->get_string()) : std::string();
  }
  return {};
}

// Why the run is over, as its hooks are told.
store::Failure failure_of(const store::Run& run, const std::string& reason) {
  if (run.status == RunStatus::kSystemFailure && run.failure) return *run.failure;
  store::Failure failure;
  failure.kind = store::FailureKind::kCanceled;
  failure.name = std::string(store::status_name(run.status));
  failure.message = run.status == RunStatus::kExpired ? "The run was not started within its time to live."
                    : reason.empty()                  ? "The run was canceled."
                                                      : "The run was canceled: " + reason;
  return failure;
}

store::Failure not_loaded(const store::Run& run) {
  store::Failure failure;
  failure.kind = store::FailureKind::kHostLost;
  failure.name = "PLUGIN_NOT_LOADED";
  failure.message = "No loaded plugin offers the task '" + run.task.text() + "' any more, so its hook was not called.";
  return failure;
}

}  // namespace

OwedHooks::OwedHooks(Core& core, store::Store& store, HookChildren& children, Surroundings around)
    : core_(core), store_(store), children_(children), around_(std::move(around)), rest_(core.timer([this] {
        resting_.clear();
        look();
      })) {
  store_.owe_hooks([this](const store::Run& run) {
    const catalog::SnapshotPtr catalog = around_.catalog();
    const catalog::Task* task = catalog->task_of(run);
    const bool owes = task != nullptr && !task->around.both(due(run.status)).empty();
    if (owes) noticed_ = true;
    return owes;
  });
}

OwedHooks::~OwedHooks() { store_.owe_hooks({}); }

HookSet OwedHooks::due(RunStatus status) {
  switch (status) {
    case RunStatus::kCanceled:
    case RunStatus::kExpired:
      return {Hook::kOnCancel, Hook::kOnComplete};
    case RunStatus::kSystemFailure:
      return {Hook::kOnFailure, Hook::kOnComplete};
    default:
      return {};
  }
}

void OwedHooks::start() {
  started_ = true;
  look();
}

void OwedHooks::look() {
  more_ = true;
  if (!started_ || stopped_ || looking_ || calls_.size() >= kAtOnce || !around_.catalog()->loaded) return;
  const std::size_t asked = kAtOnce + calls_.size() + resting_.size() + unreadable_.size();
  const auto owing = store_.owing_hooks(asked);
  if (!owing) return;  // until the store serves again
  looking_ = true;     // what begins here may end at once
  bool more = owing->size() == asked;
  for (const store::RunId& run : *owing) {
    if (calls_.contains(run) || resting_.contains(run) || unreadable_.contains(run)) continue;
    if (calls_.size() >= kAtOnce) {
      more = true;
      break;
    }
    if (!begin(run)) more = true;
  }
  looking_ = false;
  more_ = more;
  if (!more_ || !calls_.empty() || !store_.health()) return;
  core_.post([this, alive = std::weak_ptr(alive_)] {  // all of these had nothing to execute
    if (!alive.expired()) look_again();
  });
}

// False: not now.
bool OwedHooks::begin(const store::RunId& id) {
  const auto run = store_.run(id);
  if (!run) {
    if (run.status().code() == store::Code::kUnavailable) return false;
    around_.warn("The hooks of " + id.text() + " cannot be called: " + run.status().message());
    unreadable_.insert(id);
    return true;
  }
  Call& call = calls_[id];
  const catalog::SnapshotPtr catalog = around_.catalog();
  const catalog::Task* task = catalog->task_of(*run);
  process::HooksOnly only;
  if (task != nullptr) only.hooks = task->around.both(due(run->status));
  if (only.hooks.empty()) {
    if (task == nullptr) {
      const store::Failure why = not_loaded(*run);
      around_.warn("A hook of " + id.text() + " was not called. " + why.message);
      const Hook first = run->status == RunStatus::kSystemFailure ? Hook::kOnFailure : Hook::kOnCancel;
      call.events.push_back(hook_event(core_.now(), run->attempts, not_called(first, why, core_.now())));
    }
    call.gone = true;
    record(id);
    return true;
  }
  only.reason = run->status == RunStatus::kExpired ? "expired" : cancel_reason(store_, id);
  only.error = error_json(failure_of(*run, only.reason));
  store::Claim claim;
  claim.run = *run;
  claim.attempt.number = run->attempts;
  claim.attempt.started_at = core_.now();
  claim.attempt.version = task->version;
  process::AttemptSpec spec = around_.spec_of(claim, *task);
  spec.only = std::move(only);
  call.child = children_.start(std::move(spec), {.judge = {},
                                                 .ended = [this, id](HookEnd end) { ended(id, std::move(end)); },
                                                 .gone =
                                                     [this, id] {
                                                       calls_.at(id).gone = true;
                                                       leave(id);
                                                     }});
  return true;
}

void OwedHooks::ended(const store::RunId& id, HookEnd end) {
  Call& call = calls_.at(id);
  if (!end.started && ++tries_[id] < kTries) return rest(id);
  tries_.erase(id);
  call.events = std::move(end.events);
  record(id);
}

// No process could be had for it; that may be different later.
void OwedHooks::rest(const store::RunId& id) {
  if (resting_.empty()) rest_->after(kRest);
  resting_.insert(id);
  children_.confirm(*calls_.at(id).child);
  calls_.at(id).recorded = true;
}

void OwedHooks::record(const store::RunId& id) {
  calls_.at(id).waits = false;
  store_.hooks_ran(id, calls_.at(id).events,
                   [this, core = &core_, alive = std::weak_ptr(alive_), id](const store::Result<store::Run>& run) {
                     core->run([this, alive, id, status = run.status()] {
                       if (!alive.expired()) recorded(id, status);
                     });
                   });
}

void OwedHooks::recorded(const store::RunId& id, const store::Status& status) {
  Call& call = calls_.at(id);
  switch (status.code()) {
    case store::Code::kNoSpace:
    case store::Code::kIo:
    case store::Code::kUnavailable:
      call.waits = true;
      if (store_.health()) record(id);  // it serves again already
      return;
    case store::Code::kOk:
      break;
    default:
      around_.warn("That the hooks of " + id.text() + " were called was not recorded: " + status.message());
  }
  call.recorded = true;
  around_.changed(id);
  if (call.child) children_.confirm(*call.child);
  leave(id);
}

void OwedHooks::store_serves() {
  std::vector<store::RunId> waiting;
  for (const auto& [id, call] : calls_) {
    if (call.waits) waiting.push_back(id);
  }
  for (const store::RunId& id : waiting) record(id);
  look_again();
}

void OwedHooks::leave(const store::RunId& id) {
  const auto it = calls_.find(id);
  if (it == calls_.end() || !it->second.recorded || !it->second.gone) return;
  calls_.erase(it);
  if (calls_.empty()) around_.idle();
  look_again();
}

}  // namespace perdure::engine
