// Queues: who is next, within which limits, and what is known of each. See memory_store.h.
#include <algorithm>
#include <set>
#include <tuple>

#include "store/memory/mutation.h"

namespace perdure::store {
namespace {
bool holds_slot(RunStatus status) { return status == RunStatus::kDequeued || status == RunStatus::kExecuting; }
}  // namespace

const QueueSettings& MemoryStore::settings_of(const QueueName& queue) const {
  static const QueueSettings kNone;
  const auto at = settings_.find(queue);
  return at == settings_.end() ? kNone : at->second;
}

void MemoryStore::set(const QueueName& queue, const QueueSettings& settings) {
  settings_[queue] = settings;
  if (settings == QueueSettings()) settings_.erase(queue);
}

std::map<MemoryStore::SubQueue, std::size_t> MemoryStore::running() const {
  std::map<SubQueue, std::size_t> running;
  for (const auto& [id, entry] : unfinished_) {
    const bool kept = entry->run.status == RunStatus::kWaiting && entry->wait->keeps_slot;
    if (kept || holds_slot(entry->run.status)) ++running[{entry->run.queue, entry->run.concurrency_key}];
  }
  return running;
}

bool MemoryStore::has_slot(const SubQueue& sub, std::size_t running) const {
  const QueueSettings& settings = settings_of(sub.first);
  return !settings.paused && (!settings.limit() || running < *settings.limit());
}

std::optional<Time> MemoryStore::closed_until(const SubQueue& sub) const {
  const std::optional<RateLimit> rate = settings_of(sub.first).rate();
  const auto window = windows_.find(sub);
  return rate && window != windows_.end() ? window->second.closed_until(now_, *rate) : std::nullopt;
}

// Of the sub-queues with a claimable run, a free slot and a rate that lets it begin, the one whose turn it is; of its
// runs, the first in order.
std::optional<RunId> MemoryStore::next_ready() const {
  const std::map<SubQueue, std::size_t> executing = running();
  std::optional<std::tuple<std::uint64_t, Time, RunId>> best;
  for (const auto& [id, entry] : unfinished_) {
    if (!entry->claimable) continue;
    const Run& run = entry->run;
    const bool goes_on = run.status == RunStatus::kWaiting;
    if (goes_on && entry->wait->keeps_slot) continue;
    const SubQueue sub(run.queue, run.concurrency_key);
    const auto count = executing.find(sub);
    if (!has_slot(sub, count == executing.end() ? 0 : count->second)) continue;
    if (!goes_on && closed_until(sub)) continue;
    std::tuple candidate(turns_.at(sub), order_of(run), id);
    if (!best || candidate < *best) best = std::move(candidate);
  }
  return best ? std::optional(std::get<RunId>(*best)) : std::nullopt;
}

std::optional<Time> MemoryStore::next_open() const {
  std::optional<Time> next;
  if (windows_.empty()) return next;
  const std::map<SubQueue, std::size_t> executing = running();
  for (const auto& [id, entry] : unfinished_) {
    const SubQueue sub(entry->run.queue, entry->run.concurrency_key);
    const auto count = executing.find(sub);
    if (!entry->claimable || entry->wait || !has_slot(sub, count == executing.end() ? 0 : count->second)) continue;
    const std::optional<Time> until = closed_until(sub);
    if (until && (!next || *until < *next)) next = until;
  }
  if (next) *next -= ahead_;
  return next;
}

void MemoryStore::declare_queues(const std::map<QueueName, QueueLimits>& declared, bool all) {
  Mutation mutation(*this);
  const auto declare = [&](const QueueName& queue, const std::optional<QueueLimits>& limits) {
    QueueSettings settings = settings_of(queue);
    if (settings.declared == limits) return;
    settings.declared = limits;
    set(queue, settings);
    mutation.slots_freed = true;
  };
  for (const auto& [queue, settings] : std::map(settings_)) {  // a copy: some leave it
    if (all && !declared.contains(queue)) declare(queue, std::nullopt);
  }
  for (const auto& [queue, limits] : declared) declare(queue, limits);
  mutation.finish();
}

void MemoryStore::change_settings(std::string_view operation, const QueueName& queue,
                                  const std::function<void(QueueSettings&)>& change, Done<Queue> done) {
  if (Status admitted = admit(operation); !admitted) return done(admitted);
  Mutation mutation(*this);
  std::optional<Queue> changed = queue_now(queue);
  if (!changed) return mutation.finish<Queue>(std::move(done), Status::not_found("there is no queue " + queue.text()));
  change(changed->settings);
  set(queue, changed->settings);
  mutation.slots_freed = true;
  mutation.finish<Queue>(std::move(done), std::move(*changed));
}

void MemoryStore::pause_queue(const QueueName& queue, bool paused, Done<Queue> done) {
  const auto change = [paused](QueueSettings& settings) { settings.paused = paused; };
  change_settings("pause_queue", queue, change, std::move(done));
}

void MemoryStore::override_limit(const QueueName& queue, std::optional<std::size_t> limit, Time now, Done<Queue> done) {
  const auto change = [limit, now](QueueSettings& settings) {
    if (settings.override_to == limit) return;
    settings.override_to = limit;
    settings.overridden_at = limit ? std::optional(now) : std::nullopt;
  };
  change_settings("override_limit", queue, change, std::move(done));
}

std::optional<Queue> MemoryStore::queue_now(const QueueName& queue) const {
  Queue found{queue, settings_of(queue), 0, 0, std::nullopt};
  bool there = settings_.contains(queue);
  for (const auto& [id, entry] : unfinished_) {
    const Run& run = entry->run;
    if (run.queue != queue) continue;
    there = true;
    if (holds_slot(run.status)) ++found.running;
    if (run.status != RunStatus::kQueued) continue;
    ++found.queued;
    found.oldest_queued_at = std::min(found.oldest_queued_at.value_or(run.updated_at), run.updated_at);
  }
  return there ? std::optional(std::move(found)) : std::nullopt;
}

Result<Queue> MemoryStore::queue(const QueueName& queue) const {
  std::lock_guard lock(mutex_);
  std::optional<Queue> found = queue_now(queue);
  return found ? Result<Queue>(std::move(*found)) : Status::not_found("there is no queue " + queue.text());
}

QueuePage MemoryStore::queues(std::size_t skip, std::size_t limit) const {
  std::lock_guard lock(mutex_);
  std::set<QueueName> names;
  for (const auto& [queue, settings] : settings_) names.insert(queue);
  for (const auto& [id, entry] : unfinished_) names.insert(entry->run.queue);
  QueuePage page;
  page.count = names.size();
  for (const QueueName& name : names) {
    if (skip > 0) {
      --skip;
    } else if (page.queues.size() < limit) {
      page.queues.push_back(*queue_now(name));
    }
  }
  return page;
}

std::vector<SubQueueCounts> MemoryStore::sub_queues(const QueueName& queue, const std::optional<std::string>& after,
                                                    std::size_t limit) const {
  std::lock_guard lock(mutex_);
  std::map<std::string, SubQueueCounts> by_key;
  for (const auto& [id, entry] : unfinished_) {
    const Run& run = entry->run;
    if (run.queue != queue || (!entry->claimable && !holds_slot(run.status))) continue;  // … nor one that waits
    SubQueueCounts& counts = by_key[run.concurrency_key];
    counts.key = run.concurrency_key;
    ++(entry->claimable ? counts.waiting : counts.running);
  }
  std::vector<SubQueueCounts> page;
  for (const auto& [key, counts] : by_key) {
    if (page.size() < limit && (!after || key > *after)) page.push_back(counts);
  }
  return page;
}

}  // namespace perdure::store
