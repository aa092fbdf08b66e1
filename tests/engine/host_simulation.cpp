#include "tests/engine/host_simulation.h"

#include <algorithm>
#include <utility>

namespace perdure::engine::testing {

void offer_version(catalog::Snapshot& snapshot, const catalog::Tasks& tasks) {
  if (tasks.empty()) return;
  snapshot.versions[tasks.begin()->second.version] = std::make_shared<const catalog::Tasks>(tasks);
}

catalog::SnapshotPtr catalog_of(const std::vector<std::string>& tasks, const store::RetryPolicy& retry) {
  auto snapshot = std::make_shared<catalog::Snapshot>();
  for (const std::string& id : tasks) {
    catalog::Task task;
    task.id = store::TaskId(id);
    task.version = store::VersionId(std::string(64, 'a'));
    task.plugin = "simulated";
    task.options.retry = retry;
    snapshot->tasks.emplace(task.id, std::move(task));
  }
  offer_version(*snapshot, snapshot->tasks);
  snapshot->loaded = true;
  return snapshot;
}

HostSimulation::HostSimulation(Options options) : options_(std::move(options)), random_(options_.seed) {
  store::MemoryOptions memory;
  memory.executor = [this](std::function<void()> work) {
    disk_free_at_ = std::max(disk_free_at_, core.now()) + store::Duration(random_() % 3);
    core.at(disk_free_at_, std::move(work));
  };
  memory.fault = options_.fault;
  store = std::make_unique<store::MemoryStore>(std::move(memory));
}

HostSimulation::~HostSimulation() { kill(); }

void HostSimulation::boot() {
  launcher = std::make_unique<SimulatedLauncher>(core, options_.script);
  EngineOptions engine_options;
  engine_options.concurrency = options_.concurrency;
  engine_options.seed = options_.seed;
  engine_options.memory = options_.memory;
  engine = std::make_unique<CoreEngine>(core, *store, *launcher, std::move(engine_options));
  engine->offer(catalog);
  engine->start([this](const store::Status& status) {
    if (!status && engine) wrong = "did not start: " + status.message();
  });
}

void HostSimulation::kill() {
  if (launcher) {
    most_at_once = std::max(most_at_once, launcher->most_at_once());
    if (wrong.empty()) wrong = launcher->wrong();
  }
  engine.reset();
  launcher.reset();
}

void HostSimulation::trigger(const std::string& task, TriggerRequest request) {
  if (!engine) return;
  request.task = store::TaskId(task);
  if (request.payload.empty()) request.payload = "null";
  engine->trigger(std::move(request), [this, asked = engine.get()](const store::Result<Triggered>& triggered) {
    if (engine.get() != asked) return;  // the client never heard
    if (triggered) {
      acknowledged.push_back(triggered->id);
    } else {
      refused.push_back(triggered.status());
    }
  });
}

std::string check_history(const store::Store& store, const std::vector<store::RunId>& acknowledged) {
  for (const store::RunId& id : acknowledged) {
    const auto run = store.run(id);
    if (!run) return id.text() + " was acknowledged and is lost";
    if (!store::is_final(run->status)) return id.text() + " ended as " + std::string(store::status_name(run->status));
    const auto timeline = store.timeline(id);
    if (!timeline || timeline->empty()) return id.text() + " has no timeline";
    for (std::size_t i = 0; i < timeline->size(); ++i) {
      const store::TimelineEvent& event = (*timeline)[i];
      if (event.sequence != i + 1) return id.text() + " has a gap in its timeline";
      const bool last = i + 1 == timeline->size();
      if (store::is_final(event.status) != last) return id.text() + " changed a final status, or never reached one";
    }
    const auto attempts = store.attempts(id);
    if (!attempts || attempts->size() != run->attempts) return id.text() + " lacks attempts";
    std::size_t succeeded = 0;
    for (std::size_t i = 0; i < attempts->size(); ++i) {
      const store::Attempt& attempt = (*attempts)[i];
      if (attempt.number != i + 1) return id.text() + " has attempts that are not dense";
      if (!attempt.ended_at) return id.text() + " has an attempt that never ended";
      if (i > 0 && attempt.started_at < *(*attempts)[i - 1].ended_at) return id.text() + " has overlapping attempts";
      if (attempt.status == store::AttemptStatus::kSucceeded) ++succeeded;
    }
    if (succeeded != (run->status == store::RunStatus::kCompleted ? 1u : 0u)) {
      return id.text() + " has " + std::to_string(succeeded) + " successes and is " +
             std::string(store::status_name(run->status));
    }
  }
  return {};
}

}  // namespace perdure::engine::testing
