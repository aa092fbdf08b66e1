#include "tests/api/fake_engine.h"

#include <algorithm>
#include <future>
#include <utility>

#include "host/engine/batch_items.h"

namespace perdure::api {

Disk::Disk() : thread_([this] { work(); }) {}

Disk::~Disk() { stop(); }

void Disk::stop() {
  {
    std::lock_guard lock(mutex_);
    held_ = false;
    ended_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Disk::run(std::function<void()> task) {
  {
    std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  changed_.notify_all();
}

void Disk::hold() {
  std::lock_guard lock(mutex_);
  held_ = true;
}

void Disk::release() {
  {
    std::lock_guard lock(mutex_);
    held_ = false;
  }
  changed_.notify_all();
}

void Disk::await_waiting(std::size_t count) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return tasks_.size() >= count; });
}

void Disk::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return (!tasks_.empty() && !held_) || ended_; });
    if (tasks_.empty()) return;
    const std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    lock.lock();
  }
}

struct FakeEngine::Watch {
  store::RunId run;
  std::function<void()> changed;
};

class FakeEngine::Watching final : public engine::Subscription {
 public:
  Watching(FakeEngine& of, std::shared_ptr<Watch> watch) : engine_(of), watch_(std::move(watch)) {}
  ~Watching() override {
    {
      std::lock_guard lock(engine_.mutex_);
      std::erase(engine_.watches_, watch_);
    }
    engine_.changed_.notify_all();
  }

 private:
  FakeEngine& engine_;
  std::shared_ptr<Watch> watch_;
};

FakeEngine::FakeEngine()
    : store_({.executor = [this](std::function<void()> task) { disk.run(std::move(task)); },
              .fault =
                  [this](std::string_view) {
                    std::lock_guard lock(mutex_);
                    return broken_;
                  }}),
      schedules_(core_, store_,
                 {.catalog = [this] { return catalog(); },
                  .cancel = [](const store::RunId&, const std::string&) {},
                  .warn = [](const std::string&) {}}),
      tokens_(core_, store_, {}) {
  catalog::Snapshot snapshot;
  snapshot.loaded = true;
  for (const char* name : {"echo", "team/report"}) {
    catalog::Task task;
    task.id = store::TaskId(name);
    task.plugin = "demo";
    task.version = store::VersionId(std::string(64, 'a'));
    task.options.description = "For tests";
    task.options.document = R"({"description":"For tests"})";
    snapshot.tasks.emplace(task.id, std::move(task));
  }
  catalog::PluginVersion plugin;
  plugin.id = store::VersionId(std::string(64, 'a'));
  plugin.file = "demo.so";
  plugin.name = "demo";
  plugin.version = "1.2.3";
  plugin.state = catalog::VersionState::kServing;
  plugin.isolation = "fork";
  plugin.warnings = {"it started a thread"};
  plugin.tasks = {"echo", "team/report"};
  snapshot.plugins.push_back(plugin);
  set_catalog(std::move(snapshot));
  store_.listen(this);
  schedules_.start();
}

FakeEngine::~FakeEngine() {
  store_.listen(nullptr);
  disk.stop();
}

void FakeEngine::trigger(engine::TriggerRequest request, store::Done<engine::Triggered> done) {
  {
    std::lock_guard lock(mutex_);
    last_ = request;
    ++triggers_;
    if (!catalog_->tasks.contains(request.task) && !request.allow_pending) {
      return done(store::Status::not_found("no plugin offers the task \"" + request.task.text() + "\""));
    }
    if (fault_) {
      *request.fault = *fault_;
      return done(store::Status::invalid("The payload is not what the task takes: " + fault_->sentence() + '.'));
    }
  }
  store::NewRun run;
  run.now = std::chrono::floor<store::Duration>(std::chrono::system_clock::now());
  run.id = store::new_run_id(run.now);
  run.task = request.task;
  run.queue = request.queue.value_or(store::QueueName("task/" + request.task.text()));
  run.concurrency_key = request.concurrency_key;
  run.queue_limit = request.queue_limit;
  run.priority = request.priority;
  run.delayed_until = request.delay ? run.now + *request.delay : request.delayed_until;
  run.origin = request.origin.text();
  run.debounce = request.debounce;
  if (request.debounce) run.delayed_until = run.now + request.debounce->delay;
  run.options = request.options;
  run.payload = request.payload;
  run.request_id = request.request_id;
  run.permit = request.permit;
  run.permit_expires = request.permit_expires;
  run.parent = run.root = request.parent;
  if (request.idempotency_ttl) run.idempotency_ttl = *request.idempotency_ttl;
  store_.enqueue(std::move(run), [done = std::move(done)](store::Result<store::Enqueued> enqueued) {
    if (!enqueued) return done(enqueued.status());
    done(engine::Triggered{enqueued->id, enqueued->existing && !enqueued->same_request});
  });
}

void FakeEngine::create_batch(store::NewBatch batch, store::Done<store::Batch> done) {
  batch.now = std::chrono::floor<store::Duration>(std::chrono::system_clock::now());
  batch.id = store::new_batch_id(batch.now);
  store_.create_batch(std::move(batch), std::move(done));
}

void FakeEngine::trigger_batch(engine::BatchRequest request, store::Done<store::Batch> done) {
  const store::Time now = std::chrono::floor<store::Duration>(std::chrono::system_clock::now());
  store::Result<store::BatchItems> items = engine::batch_items(std::move(request), *catalog(), store_, now);
  if (!items) return done(items.status());
  store_.enqueue_batch(std::move(*items), std::move(done));
}

void FakeEngine::cancel(const store::RunId& run, const std::string& reason, store::Done<store::Run> done) {
  store_.cancel(run, std::chrono::floor<store::Duration>(std::chrono::system_clock::now()), reason, std::move(done));
}

void FakeEngine::reschedule(const store::RunId& run, const store::Delay& delay, store::Done<store::Run> done) {
  const store::Time now = std::chrono::floor<store::Duration>(std::chrono::system_clock::now());
  store_.reschedule(run, store::end_of(delay, now), store::is_calendar(delay), now, std::move(done));
}

void FakeEngine::reset_idempotency_key(const store::TaskId& task, const std::string& key,
                                       store::Done<store::RunId> done) {
  store_.reset_idempotency_key(task, key, std::chrono::floor<store::Duration>(std::chrono::system_clock::now()),
                               std::move(done));
}

void FakeEngine::begin_bulk_action(store::BulkAction action, store::Done<store::BulkActionId> done) {
  action.created_at = std::chrono::floor<store::Duration>(std::chrono::system_clock::now());
  action.id = store::new_bulk_action_id(action.created_at);
  const store::BulkActionId id = action.id;
  store_.put_bulk_action(std::move(action), {}, [id, done = std::move(done)](const store::Status& put) {
    done(put ? store::Result<store::BulkActionId>(id) : put);
  });
}

void FakeEngine::abort_bulk_action(const store::BulkActionId& action, store::Done<store::BulkActionId> done) {
  store::Result<store::BulkAction> found = store_.bulk_action(action);
  if (!found) return done(found.status());
  found->status = store::BulkStatus::kAborted;
  store_.put_bulk_action(std::move(*found), {}, [action, done = std::move(done)](const store::Status& put) {
    done(put ? store::Result<store::BulkActionId>(action) : put);
  });
}

void FakeEngine::change_metadata(const store::RunId& run, std::vector<store::MetadataOperation> operations,
                                 store::Done<std::string> done) {
  store_.change_metadata(run, std::move(operations), [&](const store::Status& changed) {
    done(changed ? store_.metadata(run) : store::Result<std::string>(changed));
  });
}

void FakeEngine::add_tags(const store::RunId& run, const std::vector<std::string>& tags,
                          store::Done<std::size_t> done) {
  store_.add_tags(run, tags, std::move(done));
}

void FakeEngine::pause_queue(const store::QueueName& queue, bool paused, store::Done<store::Queue> done) {
  store_.pause_queue(queue, paused, std::move(done));
}

void FakeEngine::override_limit(const store::QueueName& queue, std::optional<std::size_t> limit,
                                store::Done<store::Queue> done) {
  store_.override_limit(queue, limit, std::chrono::floor<store::Duration>(std::chrono::system_clock::now()),
                        std::move(done));
}

std::unique_ptr<engine::Subscription> FakeEngine::watch(const store::RunId& run, std::function<void()> changed) {
  auto watch = std::make_shared<Watch>(Watch{run, std::move(changed)});
  {
    std::lock_guard lock(mutex_);
    watches_.push_back(watch);
  }
  changed_.notify_all();
  return std::make_unique<Watching>(*this, std::move(watch));
}

std::unique_ptr<engine::Subscription> FakeEngine::watch_all(std::function<void(const store::RunId&)> changed) {
  return hub_->watch_all(std::move(changed));
}

catalog::SnapshotPtr FakeEngine::catalog() const {
  std::lock_guard lock(mutex_);
  return catalog_;
}

void FakeEngine::roll_back(const std::string& plugin, const std::string& to, store::Done<catalog::PluginVersion> done) {
  if (plugin != "demo") return done(store::Status::not_found("There is no plugin '" + plugin + "'."));
  catalog::PluginVersion version;
  version.name = plugin;
  version.number = to.empty() ? "20261123.1" : to;
  version.state = catalog::VersionState::kServing;
  done(version);
}

void FakeEngine::release(const std::string& plugin, store::Done<std::vector<store::TaskId>> done) {
  if (plugin != "demo") return done(store::Status::not_found("There is no plugin '" + plugin + "'."));
  done(std::vector{store::TaskId("echo")});
}

void FakeEngine::attempt_start(const store::RunId& run, std::optional<std::uint32_t> number,
                               store::Done<engine::AttemptStart> done) {
  const store::Result<store::Run> found = store_.run(run);
  if (!found) return done(found.status());
  if (number.value_or(1) > found->attempts) return done(store::Status::not_found("The run has no such attempt."));
  engine::AttemptStart start;
  start.run = run;
  start.number = number.value_or(found->attempts);
  start.begun = true;
  start.task = found->task;
  start.start = R"({"config":{"key":"k"}})";
  start.payload = R"({"n":1.0})";
  start.max_duration = std::chrono::minutes(1);
  start.plugin.name = "demo";
  start.plugin.path = "/data/plugins/demo.so";
  done(std::move(start));
}

void FakeEngine::stacks(const store::RunId& run, store::Done<engine::RunStacks> done) {
  const store::Result<store::Run> found = store_.run(run);
  if (!found) return done(found.status());
  if (found->status != store::RunStatus::kExecuting) return done(store::Status::conflict("It does not execute."));
  done(engine::RunStacks{run, found->attempts, {.pid = 4711, .threads = R"([{"tid":4711}])", .text = "thread 4711"}});
}

std::vector<catalog::Held> FakeEngine::held() const {
  std::lock_guard lock(mutex_);
  return held_;
}

void FakeEngine::hold(catalog::Held task) {
  std::lock_guard lock(mutex_);
  held_.push_back(std::move(task));
}

engine::EngineStatus FakeEngine::status() const {
  engine::EngineStatus status;
  status.concurrency = 8;
  status.attempts_started = 3;
  return status;
}

void FakeEngine::set_catalog(catalog::Snapshot snapshot) {
  std::lock_guard lock(mutex_);
  catalog_ = std::make_shared<const catalog::Snapshot>(std::move(snapshot));
}

engine::TriggerRequest FakeEngine::last_trigger() const {
  std::lock_guard lock(mutex_);
  return last_.value();
}

std::size_t FakeEngine::triggers() const {
  std::lock_guard lock(mutex_);
  return triggers_;
}

store::RunId FakeEngine::make_run(const std::string& task, const std::function<void(store::NewRun&)>& change) {
  store::NewRun run;
  run.now = std::chrono::floor<store::Duration>(std::chrono::system_clock::now());
  run.id = store::new_run_id(run.now);
  run.task = store::TaskId(task);
  run.queue = store::QueueName("task/" + task);
  run.payload = R"({"n":1})";
  if (change) change(run);
  std::promise<store::RunId> made;
  store_.enqueue(std::move(run),
                 [&](const store::Result<store::Enqueued>& enqueued) { made.set_value(enqueued.value().id); });
  return made.get_future().get();
}

store::Claim FakeEngine::claim() {
  std::promise<std::vector<store::Claim>> claimed;
  store_.claim(
      1, std::chrono::floor<store::Duration>(std::chrono::system_clock::now()),
      [](const store::Run&) { return store::StartOn{store::VersionId(std::string(64, 'a'))}; },
      [&](store::Result<std::vector<store::Claim>> claims) { claimed.set_value(std::move(claims).value()); });
  return claimed.get_future().get().at(0);
}

void FakeEngine::succeed(const store::Claim& claim, std::string output) {
  store::AttemptEnd end;
  end.run = claim.run.id;
  end.number = claim.attempt.number;
  end.token = claim.attempt.token;
  end.now = std::chrono::floor<store::Duration>(std::chrono::system_clock::now());
  end.output = std::move(output);
  end.usage.duration = std::chrono::milliseconds(12);
  std::promise<void> done;
  store_.finish_attempt(std::move(end), [&](const store::Result<store::Run>&) { done.set_value(); });
  done.get_future().get();
}

void FakeEngine::fail(const store::Claim& claim, store::Failure failure, store::AfterFailure after) {
  store::AttemptEnd end;
  end.run = claim.run.id;
  end.number = claim.attempt.number;
  end.token = claim.attempt.token;
  end.now = std::chrono::floor<store::Duration>(std::chrono::system_clock::now());
  end.failure = std::move(failure);
  end.after = after;
  std::promise<void> done;
  store_.finish_attempt(std::move(end), [&](const store::Result<store::Run>&) { done.set_value(); });
  done.get_future().get();
}

void FakeEngine::log(const store::RunId& run, const std::string& message) {
  store::LogEntry entry;
  entry.at = std::chrono::floor<store::Duration>(std::chrono::system_clock::now());
  entry.attempt = 1;
  entry.message = message;
  store_.append_logs(run, {entry});
  notify(run);
}

void FakeEngine::append(const store::RunId& run, const std::string& stream, const std::string& chunk) {
  store_.append_stream({.run = run,
                        .name = stream,
                        .chunks = {chunk},
                        .now = std::chrono::floor<store::Duration>(std::chrono::system_clock::now())},
                       [](const store::Status&) {});
  notify(run);
}

void FakeEngine::await_watchers(std::size_t count) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return watches_.size() == count; });
}

void FakeEngine::break_store(store::Status status) {
  std::unique_lock lock(mutex_);
  broken_ = std::move(status);
  const bool whole = broken_.is_ok();
  lock.unlock();
  if (whole) store_.serve_again();
}

void FakeEngine::on_run_changed(const store::RunId& run, store::RunStatus) { notify(run); }

void FakeEngine::notify(const store::RunId& run) {
  std::vector<std::shared_ptr<Watch>> watches;
  {
    std::lock_guard lock(mutex_);
    watches = watches_;
  }
  for (const std::shared_ptr<Watch>& watch : watches) {
    if (watch->run == run) watch->changed();
  }
  hub_->tell(run);
}

}  // namespace perdure::api
