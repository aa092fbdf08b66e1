#include "store/rocks/queue_table.h"

#include <iterator>
#include <string>

namespace perdure::store::rocks {
namespace {
bool holds_slot(RunStatus status) { return status == RunStatus::kDequeued || status == RunStatus::kExecuting; }
}  // namespace

QueueTable::Entry& QueueTable::entry_of(const QueueName& queue) {
  const auto [at, created] = entries_.try_emplace(queue);
  if (created) by_name_.emplace(at->first.text(), &*at);
  return at->second;
}

void QueueTable::forget_if_gone(const QueueName& queue, const Entry& entry) {
  if (entry.unfinished > 0 || entry.settings != QueueSettings()) return;
  by_name_.erase(queue.text());
  const QueueName name = queue;  // `queue` may be the key that goes
  entries_.erase(name);
}

void QueueTable::enter(const QueueName& queue, RunStatus status, Time since) {
  Entry& entry = entry_of(queue);
  ++entry.unfinished;
  if (holds_slot(status)) ++entry.running;
  if (status != RunStatus::kQueued) return;
  ++entry.queued;
  entry.queued_since.add(since);
}

void QueueTable::leave(const QueueName& queue, RunStatus status, Time since) {
  Entry& entry = entry_of(queue);
  --entry.unfinished;
  if (holds_slot(status)) --entry.running;
  if (status == RunStatus::kQueued) {
    --entry.queued;
    entry.queued_since.remove(since);
  }
  forget_if_gone(queue, entry);
}

void QueueTable::set(const QueueName& queue, const QueueSettings& settings) {
  Entry& entry = entry_of(queue);
  entry.settings = settings;
  forget_if_gone(queue, entry);
}

const QueueSettings& QueueTable::settings(const QueueName& queue) const {
  static const QueueSettings kNone;
  const auto at = entries_.find(queue);
  return at == entries_.end() ? kNone : at->second.settings;
}

std::vector<QueueName> QueueTable::declared() const {
  std::vector<QueueName> queues;
  for (const auto& [name, entry] : entries_) {
    if (entry.settings.declared) queues.push_back(name);
  }
  return queues;
}

Queue QueueTable::queue_of(const Entries::value_type& entry) {
  const auto& [name, is] = entry;
  return {name, is.settings, is.queued, is.running, is.queued_since.get()};
}

std::optional<Queue> QueueTable::find(const QueueName& queue) const {
  const auto at = entries_.find(queue);
  return at == entries_.end() ? std::nullopt : std::optional(queue_of(*at));
}

QueuePage QueueTable::page(std::size_t skip, std::size_t limit) const {
  QueuePage page;
  page.count = by_name_.size();
  if (skip >= page.count) return page;
  auto at = std::next(by_name_.begin(), static_cast<std::ptrdiff_t>(skip));
  for (; at != by_name_.end() && page.queues.size() < limit; ++at) page.queues.push_back(queue_of(*at->second));
  return page;
}

}  // namespace perdure::store::rocks
