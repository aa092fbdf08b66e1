#include "tests/engine/host_simulation.h"

#include <algorithm>
#include <utility>

namespace perdure::engine::testing {

void offer_version(catalog::Snapshot& snapshot, const catalog::Tasks& tasks) {
  if (tasks.empty()) return;
  snapshot.versions[tasks.begin()->second.version] = std::make_shared<const catalog::Tasks>(tasks);
}

catalog::SnapshotPtr catalog_of(const std::vector<std::string>& tasks, const store::RetryPolicy& retry,
                                process::HookSet around) {
  auto snapshot = std::make_shared<catalog::Snapshot>();
  for (const std::string& id : tasks) {
    catalog::Task task;
    task.id = store::TaskId(id);
    task.version = store::VersionId(std::string(64, 'a'));
    task.plugin = "simulated";
    task.options.retry = retry;
    task.around = around;
    snapshot->tasks.emplace(task.id, std::move(task));
  }
  offer_version(*snapshot, snapshot->tasks);
  snapshot->loaded = true;
  return snapshot;
}

HostSimulation::HostSimulation(Options options) : options_(std::move(options)), random_(options_.seed) {
  store::MemoryOptions memory;
  memory.executor = [this](std::function<void()> work) {
    disk_free_at_ = std::max(disk_free_at_, core.elapsed()) + store::Duration(random_() % 3);
    core.after(disk_free_at_ - core.elapsed(), std::move(work));
  };
  memory.fault = options_.fault;
  store = std::make_unique<store::MemoryStore>(std::move(memory));
}

HostSimulation::~HostSimulation() { kill(); }

void HostSimulation::boot() {
  launcher = std::make_unique<SimulatedLauncher>(core, options_.script);
  launcher->left = std::exchange(survivors_, {});
  launcher->hooks_called = [this](const process::AttemptSpec& spec) { hooks_called[spec.run].push_back(*spec.only); };
  launcher->attempt_died = [this](const process::AttemptSpec& spec) {
    if (!spec.only) died[spec.run] = spec.number;
  };
  EngineOptions engine_options;
  engine_options.concurrency = options_.concurrency;
  engine_options.processes = options_.processes;
  engine_options.seed = options_.seed;
  engine_options.memory = options_.memory;
  engine_options.retention = retention;
  engine_options.token_url = [](const store::TokenId& token) { return "http://host/" + token.text(); };
  engine = std::make_unique<CoreEngine>(core, *store, *launcher, std::move(engine_options));
  engine->offer(catalog);
  engine->start([this](const store::Status& status) {
    if (!status && engine) wrong = "did not start: " + status.message();
  });
}

void HostSimulation::boot_with(std::vector<process::Survivor> survivors) {
  survivors_ = std::move(survivors);
  boot();
}

void HostSimulation::kill() {
  if (launcher) {
    most_at_once = std::max(most_at_once, launcher->most_at_once());
    if (wrong.empty()) wrong = launcher->wrong();
    if (options_.outlives) survivors_ = launcher->executing();
    ++kills;
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
    std::size_t ends = 0;
    for (std::size_t i = 0; i < timeline->size(); ++i) {
      const store::TimelineEvent& event = (*timeline)[i];
      if (event.sequence != i + 1) return id.text() + " has a gap in its timeline";
      if (ends > 0 && event.status != run->status) return id.text() + " changed a final status";
      if (store::is_final(event.status) && event.name != "hook") ++ends;
    }
    if (ends != 1) return id.text() + " ended " + std::to_string(ends) + " times";
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

std::string check_hooks(const HostSimulation& host, process::HookSet around) {
  if (!host.store->owing_hooks(1)->empty()) return "hooks are owed that nobody calls";
  for (const store::RunId& id : host.acknowledged) {
    const store::Run run = host.store->run(id).value();
    const auto found = host.hooks_called.find(id);
    const std::vector<process::HooksOnly> none;
    const std::vector<process::HooksOnly>& calls = found == host.hooks_called.end() ? none : found->second;
    if (calls.size() > run.attempts + 1 + host.kills) {
      return id.text() + " had its hooks called " + std::to_string(calls.size()) + " times";
    }
    process::HookSet due = OwedHooks::due(run.status);
    const std::vector<store::Attempt> attempts = host.store->attempts(id).value();
    const auto dead = host.died.find(id);
    const bool died = dead != host.died.end() && dead->second == run.attempts;
    const bool canceled = !attempts.empty() && attempts.back().status == store::AttemptStatus::kCanceled;
    if (canceled) due = {};  // its own process has heard of it
    if (died) due.add(process::Hook::kOnComplete);
    if (died && (run.status == store::RunStatus::kFailed || run.status == store::RunStatus::kCrashed)) {
      due.add(process::Hook::kOnFailure);
    }
    due = around.both(due);
    if (due.empty()) continue;
    const bool called =
        std::ranges::any_of(calls, [&](const process::HooksOnly& each) { return each.hooks.both(due) == due; });
    if (!called) return id.text() + " is " + std::string(store::status_name(run.status)) + " and no hook heard of it";
  }
  return {};
}

}  // namespace perdure::engine::testing
