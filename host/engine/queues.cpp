// The engine and queues: what the loaded plugins declare of them, and what people ask.
#include <utility>

#include "host/engine/core_engine.h"

namespace perdure::engine {
namespace {

// "2 at once, 10 in 1000 ms"
std::string text_of(const store::QueueLimits& limits) {
  std::string text;
  if (limits.concurrency) text = std::to_string(*limits.concurrency) + " at once";
  if (limits.rate) {
    text += (text.empty() ? "" : ", ") + std::to_string(limits.rate->limit) + " in " +
            std::to_string(limits.rate->period.count()) + " ms";
  }
  return text.empty() ? "no limit" : text;
}

// Whether both say something of one limit, and not the same.
bool disagree(const store::QueueLimits& a, const store::QueueLimits& b) {
  return (a.concurrency && b.concurrency && a.concurrency != b.concurrency) || (a.rate && b.rate && a.rate != b.rate);
}

}  // namespace

// Where tasks disagree on a queue, the smaller limit holds: none of them then executes more than it said.
void CoreEngine::declare_queues(const catalog::Snapshot& catalog) {
  std::map<store::QueueName, store::QueueLimits> declared;
  std::map<store::QueueName, std::string> disagreements;
  const auto declare = [&](const store::TaskId& id, const catalog::Task& task) {
    const store::QueueName queue = task.options.queue.empty() ? store::own_queue(id) : task.options.queue;
    const store::QueueLimits limits{task.options.concurrency_limit, task.options.rate_limit};
    const auto [at, first] = declared.try_emplace(queue, limits);
    if (first) return;
    const store::QueueLimits both = stricter(at->second, limits);
    if (disagree(at->second, limits)) {
      disagreements[queue] = "Tasks disagree on the limits of their queue \"" + queue.text() + "\", among them \"" +
                             id.text() + "\"; what holds is the smaller limit and the slower rate: " + text_of(both) +
                             ".";
    }
    at->second = both;
  };
  for (const auto& [id, task] : catalog.tasks) declare(id, task);
  // Runs that are locked to a version which alone has their task go on, and within its limits.
  for (const auto& [version, tasks] : catalog.versions) {
    for (const auto& [id, task] : *tasks) {
      if (!catalog.tasks.contains(id)) declare(id, task);
    }
  }
  std::set<std::string> said;
  for (auto& [queue, sentence] : disagreements) {
    if (!disagreements_.contains(sentence)) warn(sentence);
    said.insert(std::move(sentence));
  }
  disagreements_ = std::move(said);
  store_.declare_queues(declared, catalog.loaded);
}

void CoreEngine::pause_queue(const store::QueueName& queue, bool paused, store::Done<store::Queue> done) {
  store_.pause_queue(queue, paused, std::move(done));
}

void CoreEngine::override_limit(const store::QueueName& queue, std::optional<std::size_t> limit,
                                store::Done<store::Queue> done) {
  store_.override_limit(queue, limit, core_.now(), std::move(done));
}

}  // namespace perdure::engine
