#include "tests/store/conformance/limits_check.h"

#include <algorithm>
#include <tuple>

#include "tests/store/conformance/suite.h"

namespace perdure::store::conformance {
namespace {

constexpr std::size_t kSubQueues = 9;  // three queues of three keys
constexpr int kMostLosses = 10;
constexpr Duration kLatest{5};  // by which a rate may let a run begin later than it had to: a 64th of the longest

std::string text(const QueueName& queue, const std::string& key) { return queue.text() + "/" + key; }

}  // namespace

LimitsCheck::LimitsCheck(std::unique_ptr<EngineFactory> factory, std::uint64_t seed, Planted planted)
    : factory_(std::move(factory)),
      random_(seed),
      planted_(planted),
      store_(factory_->create()),
      slots_(1 + random_() % 8) {}

LimitsCheck::~LimitsCheck() = default;

void LimitsCheck::blame(const std::string& what) {
  if (wrong_.empty()) wrong_ = what;
}

std::string LimitsCheck::live(int operations) {
  using Operation = void (LimitsCheck::*)();
  static constexpr Operation kOperations[] = {
      &LimitsCheck::trigger, &LimitsCheck::trigger,    &LimitsCheck::trigger,       &LimitsCheck::trigger,
      &LimitsCheck::finish,  &LimitsCheck::finish,     &LimitsCheck::finish,        &LimitsCheck::declare,
      &LimitsCheck::cancel,  &LimitsCheck::pause_some, &LimitsCheck::override_some, &LimitsCheck::restart};
  for (int i = 0; i < operations && wrong_.empty(); ++i) {
    now_ += Duration(below(40));
    const Operation next = kOperations[below(std::size(kOperations))];
    if (next != &LimitsCheck::restart || one_in(8)) (this->*next)();
    wake();
    claim();
    if (one_in(8)) check_counts();
  }
  if (wrong_.empty()) let_all_go();
  return wrong_;
}

// ---- What is done ---------------------------------------------------------------------------------------------------

void LimitsCheck::trigger() {
  NewRun run;
  run.id = new_run_id(now_);
  run.task = TaskId("task");
  run.queue = some_queue();
  run.concurrency_key = "key" + std::to_string(below(3));
  run.now = now_;
  run.payload = "null";
  if (one_in(4)) run.priority = Duration(below(300));
  if (one_in(5)) run.delayed_until = now_ + Duration(1 + below(200));
  if (one_in(6)) run.options.ttl = Duration(1 + below(300));
  if (one_in(15)) run.queue_limit = 1 + below(3);

  ModelRun& model = runs_[run.id];
  model.sub = {run.queue, run.concurrency_key};
  model.priority = run.priority;
  model.since = now_;
  model.is = run.delayed_until ? Is::kDelayed : Is::kWaiting;
  model.due = run.delayed_until;
  if (run.options.ttl) model.expires = run.delayed_until.value_or(now_) + *run.options.ttl;
  if (run.queue_limit) queues_[run.queue].triggered = run.queue_limit;

  if (planted_ == Planted::kKeysForgotten) run.concurrency_key.clear();
  if (planted_ == Planted::kPriorityForgotten) run.priority = {};
  if (!conformance::enqueue(*store_, std::move(run))) blame("a run was not created");
}

void LimitsCheck::declare() {
  std::map<QueueName, QueueLimits> declared;
  const bool all = one_in(3);
  for (std::uint64_t i = below(3); i > 0; --i) {
    QueueLimits& limits = declared[some_queue()];
    if (!one_in(4)) limits.concurrency = 1 + below(3);
    if (one_in(2)) limits.rate = RateLimit{1 + below(3), Duration(1 + static_cast<std::int64_t>(below(200)))};
  }
  for (auto& [name, queue] : queues_) {
    if (all && !declared.contains(name)) queue.declared.reset(), queue.rate.reset();
  }
  for (auto& [name, limits] : declared) {
    ModelQueue& queue = queues_[name];
    queue.declared = limits.concurrency;
    if (queue.rate != limits.rate) queue.rate_since = next_start_;
    queue.rate = limits.rate;
    if (planted_ == Planted::kLimitOneHigher && limits.concurrency) ++*limits.concurrency;
    if (planted_ == Planted::kRateOneHigher && limits.rate) ++limits.rate->limit;
  }
  store_->declare_queues(declared, all);
}

void LimitsCheck::override_some() {
  const QueueName name = some_queue();
  const std::optional<std::size_t> limit = one_in(3) ? std::nullopt : std::optional<std::size_t>(below(4));
  if (planted_ != Planted::kOverrideForgotten && !conformance::override_limit(*store_, name, limit, now_)) return;
  queues_[name].override_to = limit;
}

void LimitsCheck::pause_some() {
  const QueueName name = some_queue();
  const bool paused = one_in(3);
  if (planted_ != Planted::kPauseForgotten && !conformance::pause(*store_, name, paused)) return;
  queues_[name].paused = paused;
}

void LimitsCheck::cancel() {
  if (runs_.empty()) return;
  auto at = runs_.begin();
  std::advance(at, below(runs_.size()));
  if (at->second.is == Is::kExecuting) return;
  if (!conformance::cancel(*store_, at->first, now_)) blame("a run that does not execute was not canceled");
  at->second.is = Is::kOver;
}

void LimitsCheck::queue_again(ModelRun& run) {
  run.is = Is::kWaiting;
  run.since = now_;
  run.due.reset();
}

void LimitsCheck::finish() {
  if (claims_.empty()) return;
  auto at = claims_.begin();
  std::advance(at, below(claims_.size()));
  const Claim claimed = at->second;
  claims_.erase(at);
  ModelRun& run = runs_.at(claimed.run.id);
  AttemptEnd end = success_of(claimed, now_);
  run.is = Is::kOver;
  if (!one_in(3)) {
    const FailureKind kind = one_in(2) ? FailureKind::kCrashed : FailureKind::kTaskError;
    if (one_in(3)) {
      end = failure_of(claimed, now_, GiveUp{RunStatus::kCrashed}, kind);
    } else {
      const Time at_time = now_ + Duration(one_in(2) ? 0 : 1 + below(100));
      end = failure_of(claimed, now_, RetryAt{at_time}, kind);
      queue_again(run);
      if (at_time > now_) {
        run.is = Is::kDelayed;
        run.due = at_time;
      }
    }
  }
  if (!conformance::finish(*store_, std::move(end)) && planted_ != Planted::kSlotFreedTooEarly) {
    blame("an attempt's end was refused");
  }
}

// The host dies, and its attempts with it; another opens the store.
void LimitsCheck::restart() {
  if (factory_->can_reopen()) store_ = factory_->reopen(std::move(store_));
  if (planted_ == Planted::kRestartFreesSlots) {  // its attempts go on, but nobody counts them
    if (!recover(*store_, now_)) blame("the store did not recover");
    for (auto& [id, claimed] : claims_) runs_.at(id).losses = 0;
    return;
  }
  if (!recover(*store_, now_)) blame("the store did not recover");
  for (const auto& [id, claimed] : claims_) {
    ModelRun& run = runs_.at(id);
    queue_again(run);
    if (++run.losses == kMostLosses) run.is = Is::kOver;
  }
  claims_.clear();
  passed_over_.clear();  // whose turn it is, is not kept
}

void LimitsCheck::wake() {
  if (planted_ == Planted::kTimerForgotten) return;
  const std::optional<Time> due = store_->next_due();
  if (!due || *due > now_) return;
  if (!wake_due(*store_, now_)) blame("what is due was not woken");
  for (auto& [id, run] : runs_) {
    if ((run.is == Is::kWaiting || run.is == Is::kDelayed) && run.expires && *run.expires <= now_) {
      run.is = Is::kOver;
    } else if (run.is == Is::kDelayed && run.due && *run.due <= now_) {
      queue_again(run);
    }
  }
}

void LimitsCheck::claim() {
  const std::size_t free = slots_ - std::min(slots_, claims_.size());
  const std::size_t asked = planted_ == Planted::kOneMoreThanAsked ? free + 1 : free;
  const DecideClaim decide = [this](const Run& run) -> ClaimDecision {
    if (planted_ == Planted::kKeyStarves && run.concurrency_key == "key1") return SetAside{VersionId("none")};
    return StartOn{VersionId("v")};
  };
  const Result<std::vector<Claim>> claimed = conformance::claim(*store_, asked, now_, decide);
  if (!claimed) return blame("the store refused a claim");
  for (const Claim& each : *claimed) {
    if (planted_ == Planted::kSlotFreedTooEarly) (void)conformance::finish(*store_, success_of(each, now_));
    check_claim(each);
  }
  if (claims_.size() > slots_) blame("more attempts execute than the host has slots");
  if (claimed->size() < free) check_nothing_left();
}

// ---- What must hold -------------------------------------------------------------------------------------------------

std::size_t LimitsCheck::executing(const SubQueue& sub) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(claims_, [&](const auto& each) { return runs_.at(each.first).sub == sub; }));
}

bool LimitsCheck::open(const SubQueue& sub, bool late) const {
  const auto of = queues_.find(sub.first);
  if (of == queues_.end()) return true;
  const ModelQueue& queue = of->second;
  if (queue.paused) return false;
  std::optional<std::size_t> limit = queue.declared ? queue.declared : queue.triggered;
  if (queue.override_to) limit = queue.override_to;
  if (limit && executing(sub) >= *limit) return false;
  const auto starts = starts_.find(sub);
  if (!queue.rate || starts == starts_.end()) return true;
  // A new rate need not know what began before it, and may.
  const Time since = now_ - queue.rate->period - (late ? kLatest : Duration(0));
  const auto within = std::ranges::count_if(starts->second, [&](const auto& start) {
    return start.second > since && (late || start.first >= queue.rate_since);
  });
  return static_cast<std::uint64_t>(within) < queue.rate->limit;
}

const LimitsCheck::ModelRun* LimitsCheck::first_of(const SubQueue& sub, RunId& id) const {
  const ModelRun* first = nullptr;
  for (const auto& [each, run] : runs_) {
    if (run.sub != sub || run.is != Is::kWaiting) continue;
    if (first != nullptr && run.since - run.priority >= first->since - first->priority) continue;
    first = &run;
    id = each;
  }
  return first;
}

void LimitsCheck::check_claim(const Claim& claimed) {
  const RunId& id = claimed.run.id;
  ModelRun& run = runs_.at(id);
  const std::string what = id.text() + " of " + text(run.sub.first, run.sub.second);
  if (run.is != Is::kWaiting) return blame(what + " was handed out, but does not wait");
  if (!open(run.sub, false)) return blame(what + " was handed out beyond a limit, a rate or a pause");
  RunId first;
  (void)first_of(run.sub, first);
  if (first != id) return blame(what + " was handed out before " + first.text());
  std::map<SubQueue, bool> others;
  for (const auto& [other, each] : runs_) {
    if (each.is == Is::kWaiting) others.emplace(each.sub, true);
  }
  std::map<SubQueue, std::size_t> passed;
  for (const auto& [sub, waits] : others) {
    if (sub == run.sub || !open(sub, true)) continue;
    passed[sub] = passed_over_[sub] + 1;
    if (passed[sub] > kSubQueues) blame(text(sub.first, sub.second) + " starves");
  }
  passed_over_ = std::move(passed);
  run.is = Is::kExecuting;
  run.expires.reset();
  claims_.emplace(id, claimed);
  starts_[run.sub][next_start_++] = now_;
}

void LimitsCheck::check_nothing_left() {
  for (const auto& [id, run] : runs_) {
    if (run.is != Is::kWaiting || !open(run.sub, true)) continue;
    return blame(id.text() + " of " + text(run.sub.first, run.sub.second) + " could begin and was not handed out");
  }
}

void LimitsCheck::check_counts() {
  for (const char* name : {"queue0", "queue1", "queue2"}) {
    const QueueName queue{name};
    std::uint64_t waiting = 0, executing = 0;
    std::optional<Time> oldest;
    for (const auto& [id, run] : runs_) {
      if (run.sub.first != queue) continue;
      if (run.is == Is::kExecuting) ++executing;
      if (run.is != Is::kWaiting) continue;
      ++waiting;
      oldest = std::min(oldest.value_or(run.since), run.since);
    }
    const Result<Queue> found = store_->queue(queue);
    const Queue is = found ? *found : Queue();
    if (is.queued != waiting || is.running != executing || is.oldest_queued_at != oldest) {
      blame(queue.text() + " is said to have " + std::to_string(is.queued) + " waiting and " +
            std::to_string(is.running) + " executing, and has " + std::to_string(waiting) + " and " +
            std::to_string(executing));
    }
  }
}

// Whatever is said of queues is taken back; then everything comes to its end.
void LimitsCheck::let_all_go() {
  store_->declare_queues({}, true);
  for (auto& [name, queue] : queues_) {
    (void)conformance::pause(*store_, name, false);
    (void)conformance::override_limit(*store_, name, std::nullopt, now_);
    queue = {.declared = {}, .triggered = queue.triggered, .override_to = {}, .rate = {}, .paused = false};
  }
  const auto unfinished = [this] {
    return std::ranges::any_of(runs_, [](const auto& each) { return each.second.is != Is::kOver; });
  };
  for (int i = 0; unfinished() && wrong_.empty(); ++i) {
    if (i > 2000) blame("some runs never end");
    now_ += Duration(20);
    wake();
    claim();
    finish();
  }
}

}  // namespace perdure::store::conformance
