#include "host/engine/retention.h"

#include <utility>

namespace perdure::engine {

namespace {

using store::RunStatus;

constexpr std::size_t kAtOnce = 100;             // runs that one call looks at: some milliseconds at most
constexpr std::chrono::milliseconds kPause{20};  // … and then others have their turn
constexpr std::chrono::minutes kRoundEvery{10};
constexpr std::chrono::hours kEmptyBatchKept{24};  // one that waits for its items, or made no run
constexpr std::size_t kBatchesAtOnce = 1000;

}  // namespace

Retention::Retention(Core& core, store::Store& store, const RetentionOptions& options)
    : core_(core),
      store_(store),
      options_(options),
      round_(core.timer([this] { round(); })),
      next_(core.timer([this] { next(); })) {}

void Retention::start() {
  if (options_.keeps_all()) return;
  started_ = true;
  round_->set(core_.now() + kLeastKept);
}

void Retention::store_serves() {
  if (started_ && under_way_) next_->set(core_.now() + kPause);
}

void Retention::round() {
  round_->set(core_.now() + kRoundEvery);
  if (stopped_) return;
  store_.remove_batches(core_.now() - kEmptyBatchKept, kBatchesAtOnce, [](const store::Result<std::size_t>&) {});
  if (std::exchange(under_way_, true)) return;
  status_ = RunStatus::kCompleted;
  by_ = By::kAge;
  after_ = {};
  next();
}

// What is asked for in this step of the round; nothing: such runs are all kept.
std::optional<store::Removal> Retention::removal() const {
  const Keep& keep = options_.of(status_);
  store::Removal removal;
  removal.status = status_;
  removal.after = after_;
  removal.most = kAtOnce;
  if (by_ == By::kAge) {
    if (keep.age == store::Duration::zero()) return std::nullopt;
    removal.ended_before = core_.now() - std::max(keep.age, kLeastKept);
  } else {
    if (keep.runs == 0) return std::nullopt;
    removal.ended_before = core_.now() - kLeastKept;
    removal.keep = keep.runs;
  }
  return removal;
}

// To the next step; false: the round is over.
bool Retention::advance() {
  after_ = {};
  if (by_ == By::kAge) {
    by_ = By::kCount;
    return true;
  }
  by_ = By::kAge;
  if (status_ == RunStatus::kExpired) return false;
  status_ = static_cast<RunStatus>(static_cast<int>(status_) + 1);
  return true;
}

void Retention::next() {
  if (stopped_) return;
  std::optional<store::Removal> asked = removal();
  while (!asked && advance()) asked = removal();
  if (!asked) {
    under_way_ = false;
    return;
  }
  store_.remove_finished(
      *asked, [this, core = &core_, alive = std::weak_ptr(alive_)](const store::Result<store::Removed>& answer) {
        core->run([this, alive, answer] {
          if (!alive.expired()) removed(answer);
        });
      });
}

void Retention::removed(const store::Result<store::Removed>& answer) {
  if (!answer) {
    // Goes on when the store serves again; what cannot be read is left alone until the next round.
    under_way_ = answer.status().code() != store::Code::kCorruption;
    return;
  }
  after_ = answer->last;
  if (!answer->more && !advance()) {
    under_way_ = false;
    return;
  }
  next_->set(core_.now() + kPause);
}

}  // namespace perdure::engine
