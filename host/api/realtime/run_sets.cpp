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

}  // namespace

bool RunSet::has(const store::Run& run) const {
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
    const std::lock_guard lock(mutex_);
    ending_ = true;
    watching = std::move(watching_);
  }
  woken_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::shared_ptr<RunSet> RunSets::add(RunSetRule rule) {
  const std::lock_guard lock(mutex_);
  if (sets_.size() >= kMostSets) forget_old();
  if (sets_.size() >= kMostSets || ending_) return nullptr;
  if (!thread_.joinable()) thread_ = std::thread([this] { work(); });
  if (!watching_) watching_ = engine_.watch_all([this](const store::RunId& run) { note(run); });
  const std::string tag = rule.tags.front();  // its runs have all of them, so one is enough to find it by
  auto set = std::make_shared<RunSet>(std::move(rule), auth::random_text(kHandleLength));
  sets_.emplace(set->handle(), set);
  by_tag_[tag].push_back(set);
  woken_.notify_all();  // the thread has something to forget some day
  return set;
}

std::shared_ptr<RunSet> RunSets::find(const std::string& handle) {
  const std::lock_guard lock(mutex_);
  const auto found = sets_.find(handle);
  return found == sets_.end() ? nullptr : found->second;
}

// By mutex_.
void RunSets::forget_old() {
  const auto oldest = steady_clock::now() - kForgottenAfter;
  for (auto at = sets_.begin(); at != sets_.end();) {
    const std::shared_ptr<RunSet> set = at->second;
    if (set->asked_at() >= oldest) {
      ++at;
      continue;
    }
    at = sets_.erase(at);
    const auto tagged = by_tag_.find(set->rule().tags.front());
    std::erase(tagged->second, set);
    if (tagged->second.empty()) by_tag_.erase(tagged);
  }
}

// [the engine's] A run has changed.
void RunSets::note(const store::RunId& run) {
  const std::lock_guard lock(mutex_);
  if (!queued_.insert(run).second) return;
  queue_.push_back(run);
  woken_.notify_one();
}

void RunSets::work() {
  std::unique_lock lock(mutex_);
  auto forget_at = steady_clock::now() + kForgottenAfter / 2;
  while (!ending_) {
    if (steady_clock::now() >= forget_at) {
      forget_old();
      forget_at = steady_clock::now() + kForgottenAfter / 2;
    }
    if (sets_.empty()) {
      watching_.reset();
      queue_.clear();
      queued_.clear();
      woken_.wait(lock, [this] { return ending_ || !sets_.empty(); });
    } else if (queue_.empty()) {
      woken_.wait_until(lock, forget_at);
    } else {
      const std::vector<store::RunId> runs = std::exchange(queue_, {});
      queued_.clear();
      lock.unlock();
      for (const store::RunId& run : runs) tell(run);
      lock.lock();
    }
  }
}

void RunSets::tell(const store::RunId& id) {
  const store::Result<store::Run> run = engine_.store().run(id);
  if (!run) return;  // it was removed
  std::vector<std::shared_ptr<RunSet>> sets;
  {
    const std::lock_guard lock(mutex_);
    for (const std::string& tag : run->options.tags) {
      const auto found = by_tag_.find(tag);
      if (found != by_tag_.end()) sets.insert(sets.end(), found->second.begin(), found->second.end());
    }
  }
  for (const std::shared_ptr<RunSet>& set : sets) {
    if (set->has(*run)) set->changed(id);
  }
}

}  // namespace perdure::api
