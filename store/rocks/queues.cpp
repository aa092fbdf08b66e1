// Queues: what plugins and people say about them, and how they are. See rocks_store.h.
#include <set>
#include <utility>

#include "store/rocks/queue_records.h"
#include "store/rocks/rocks_store.h"

namespace perdure::store::rocks {
namespace {
Status no_queue(const QueueName& queue) { return Status::not_found("there is no queue " + queue.text()); }
}  // namespace

void RocksStore::change_queue(const QueueName& queue, const QueueSettings& settings, Batch& batch) {
  if (settings == QueueSettings()) {
    batch.erase(Family::kQueues, queue_key(queue));
  } else {
    batch.put(Family::kQueues, queue_key(queue), encode(settings));
  }
  const std::optional<Time> due_before = hot_.next_due();
  group_.queues.try_emplace(queue, hot_.queues.settings(queue));
  if (hot_.set(queue, settings)) group_.slots_freed = true;
  note_due_change(due_before);
}

void RocksStore::declare_queues(const std::map<QueueName, QueueLimits>& declared, bool all) {
  Lock lock(mutex_);
  std::map<QueueName, QueueSettings> changed;
  const auto declare = [&](const QueueName& queue, const std::optional<QueueLimits>& limits) {
    QueueSettings settings = hot_.queues.settings(queue);
    if (std::exchange(settings.declared, limits) != limits) changed.emplace(queue, std::move(settings));
  };
  if (all) {
    for (const QueueName& queue : hot_.queues.declared()) {
      if (!declared.contains(queue)) declare(queue, std::nullopt);
    }
  }
  for (const auto& [queue, limits] : declared) declare(queue, limits);
  if (changed.empty()) return;
  if (!health_) {  // written when the store is opened again: see redeclare()
    for (const auto& [queue, settings] : changed) hot_.set(queue, settings);
    return;
  }
  Batch batch(*database_);
  for (const auto& [queue, settings] : changed) change_queue(queue, settings, batch);
  if (write(batch)) wake_commit_thread();
}

void RocksStore::redeclare(const QueueTable& was) {
  std::set<QueueName> queues;
  for (const QueueTable* each : {&was, &std::as_const(hot_.queues)}) {
    for (QueueName& queue : each->declared()) queues.insert(std::move(queue));
  }
  Batch batch(*database_);
  for (const QueueName& queue : queues) {
    QueueSettings settings = hot_.queues.settings(queue);
    const std::optional<QueueLimits>& before = was.settings(queue).declared;
    if (std::exchange(settings.declared, before) != before) change_queue(queue, settings, batch);
  }
  if (!batch.empty()) (void)write(batch);  // a failure is told as any other
}

void RocksStore::change_settings(const QueueName& queue, const std::function<void(QueueSettings&)>& change,
                                 Done<Queue> done) {
  Lock lock(mutex_);
  auto answer = [&](Result<Queue> result) {
    lock.unlock();
    done(std::move(result));
  };
  if (!health_) return answer(refused());
  if (!hot_.queues.find(queue)) return answer(no_queue(queue));
  const QueueSettings& before = hot_.queues.settings(queue);
  QueueSettings settings = before;
  change(settings);
  std::optional<Queue> changed = hot_.queues.find(queue);
  changed->settings = settings;  // a queue that is gone by that is shown once more
  if (settings != before) {
    Batch batch(*database_);
    change_queue(queue, settings, batch);
    if (Status written = write(batch); !written) return answer(written);
  }
  if (std::optional<Queue> durable = after_sync(done, std::move(*changed))) answer(std::move(*durable));
}

void RocksStore::pause_queue(const QueueName& queue, bool paused, Done<Queue> done) {
  change_settings(
      queue, [paused](QueueSettings& settings) { settings.paused = paused; }, std::move(done));
}

void RocksStore::override_limit(const QueueName& queue, std::optional<std::size_t> limit, Time now, Done<Queue> done) {
  const auto change = [limit, now](QueueSettings& settings) {
    if (std::exchange(settings.override_to, limit) == limit) return;
    settings.overridden_at = limit ? std::optional(now) : std::nullopt;
  };
  change_settings(queue, change, std::move(done));
}

Result<Queue> RocksStore::queue(const QueueName& queue) const {
  std::lock_guard lock(mutex_);
  std::optional<Queue> found = hot_.queues.find(queue);
  return found ? Result<Queue>(std::move(*found)) : no_queue(queue);
}

QueuePage RocksStore::queues(std::size_t skip, std::size_t limit) const {
  std::lock_guard lock(mutex_);
  return hot_.queues.page(skip, limit);
}

std::vector<SubQueueCounts> RocksStore::sub_queues(const QueueName& queue, const std::optional<std::string>& after,
                                                   std::size_t limit) const {
  std::lock_guard lock(mutex_);
  return hot_.ready.counts(queue, after, limit);
}

}  // namespace perdure::store::rocks
