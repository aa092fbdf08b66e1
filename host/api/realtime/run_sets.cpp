#include "host/api/realtime/run_sets.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "host/api/auth/random_text.h"

namespace perdure::api {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kMostSets = 20'000;
constexpr std::size_t kMostChanges = 5'000;  // of one set that its client has not asked for
constexpr std::chrono::minutes kForgottenAfter{2};
constexpr std::size_t kHandleLength = 21;

// What a set is found by: its runs have all of its tags, so one is enough.
std::string name_of(const RunSetRule& rule) {
  return rule.batch.empty() ? "tag " + rule.tags.front() : "batch " + rule.batch.text();
}

}  // namespace

bool RunSet::has(const store::Run& run) const {
  if (run.batch != rule_.batch && !rule_.batch.empty()) return false;
  if (run.created_at < rule_.since) return false;
  return std::ranges::all_of(rule_.tags, [&](const std::string& tag) {
    return std::ranges::find(run.options.tags, tag) != run.options.tags.end();
  });
}

void RunSet::wake(std::weak_ptr<Signal> signal) {
  const std::lock_guard lock(mutex_);
  signal_ = std::move(signal);
}

std::optional<std::vector<store::RunId>> RunSet::take(std::uint64_t answer) {
  const std::lock_guard lock(mutex_);
  asked_at_ = steady_clock::now();
  if (too_much_) return std::nullopt;
  if (answer + 1 == answer_) {
    for (const store::RunId& run : answered_) {
      changed_.insert(run);
      sent_[run] = 0;
    }
    answer_ = answer;
  } else if (answer != answer_) {
    return std::nullopt;
  }
  answered_.clear();
  std::vector<store::RunId> runs(changed_.begin(), changed_.end());
  changed_.clear();
  return runs;
}

void RunSet::answered(std::uint64_t answer, std::vector<store::RunId> runs) {
  const std::lock_guard lock(mutex_);
  answer_ = answer;
  answered_ = std::move(runs);
}

RunSet::Sending RunSet::send(const store::RunId& run, std::uint64_t mark) {
  const std::lock_guard lock(mutex_);
  const auto [at, first] = sent_.try_emplace(run, 0);
  const bool news = first || at->second != mark;
  at->second = mark;
  return {news, first};
}

void RunSet::changed(const store::RunId& run) {
  std::shared_ptr<Signal> signal;
  {
    const std::lock_guard lock(mutex_);
    if (changed_.size() >= kMostChanges) {
      too_much_ = true;
      changed_.clear();
    } else if (!too_much_) {
      changed_.insert(run);
    }
    signal = signal_.lock();
  }
  if (signal) signal->notify();
}

steady_clock::time_point RunSet::asked_at() const {
  const std::lock_guard lock(mutex_);
  return asked_at_;
}

RunSets::~RunSets() {
  std::unique_ptr<engine::Subscription> watching;
  {
    const std::lock_guard lock(inbox_->mutex);
    ending_ = true;
    watching = std::move(watching_);
  }
  inbox_->woken.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::shared_ptr<RunSet> RunSets::add(RunSetRule rule) {
  const std::lock_guard lock(inbox_->mutex);
  if (sets_.size() >= kMostSets) forget_old();
  if (sets_.size() >= kMostSets || ending_) return nullptr;
  if (!thread_.joinable()) thread_ = std::thread([this] { work(); });
  if (!watching_) watching_ = engine_.watch_all([inbox = inbox_](const store::RunId& run) { inbox->note(run); });
  const std::string name = name_of(rule);
  auto set = std::make_shared<RunSet>(std::move(rule), auth::random_text(kHandleLength));
  sets_.emplace(set->handle(), set);
  by_name_[name].push_back(set);
  inbox_->woken.notify_all();  // the thread has something to forget some day
  return set;
}

std::shared_ptr<RunSet> RunSets::find(const std::string& handle) {
  const std::lock_guard lock(inbox_->mutex);
  const auto found = sets_.find(handle);
  return found == sets_.end() ? nullptr : found->second;
}

// By inbox_->mutex.
void RunSets::forget_old() {
  const auto oldest = steady_clock::now() - kForgottenAfter;
  for (auto at = sets_.begin(); at != sets_.end();) {
    const std::shared_ptr<RunSet> set = at->second;
    if (set->asked_at() >= oldest) {
      ++at;
      continue;
    }
    at = sets_.erase(at);
    const auto named = by_name_.find(name_of(set->rule()));
    std::erase(named->second, set);
    if (named->second.empty()) by_name_.erase(named);
  }
}

void RunSets::Inbox::note(const store::RunId& run) {
  const std::lock_guard lock(mutex);
  if (!queued.insert(run).second) return;
  queue.push_back(run);
  woken.notify_one();
}

void RunSets::work() {
  std::unique_lock lock(inbox_->mutex);
  auto forget_at = steady_clock::now() + kForgottenAfter / 2;
  while (!ending_) {
    if (steady_clock::now() >= forget_at) {
      forget_old();
      forget_at = steady_clock::now() + kForgottenAfter / 2;
    }
    if (sets_.empty()) {
      watching_.reset();
      inbox_->queue.clear();
      inbox_->queued.clear();
      inbox_->woken.wait(lock, [this] { return ending_ || !sets_.empty(); });
    } else if (inbox_->queue.empty()) {
      inbox_->woken.wait_until(lock, forget_at);
    } else {
      const std::vector<store::RunId> runs = std::exchange(inbox_->queue, {});
      inbox_->queued.clear();
      lock.unlock();
      for (const store::RunId& run : runs) tell(run);
      lock.lock();
    }
  }
}

void RunSets::tell(const store::RunId& id) {
  const store::Result<store::Run> run = engine_.store().run(id);
  if (!run) return;  // it was removed
  std::vector<std::string> names;
  for (const std::string& tag : run->options.tags) names.push_back("tag " + tag);
  if (!run->batch.empty()) names.push_back("batch " + run->batch.text());
  std::vector<std::shared_ptr<RunSet>> sets;
  {
    const std::lock_guard lock(inbox_->mutex);
    for (const std::string& name : names) {
      const auto found = by_name_.find(name);
      if (found != by_name_.end()) sets.insert(sets.end(), found->second.begin(), found->second.end());
    }
  }
  for (const std::shared_ptr<RunSet>& set : sets) {
    if (set->has(*run)) set->changed(id);
  }
}

}  // namespace perdure::api
