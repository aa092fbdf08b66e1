// See harness.h.
#include "tests/store-rocks/harness.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <variant>

namespace perdure::store::rocks {

TempDirectory::TempDirectory() {
  std::string name = (std::filesystem::temp_directory_path() / "perdure-store-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    std::perror("mkdtemp");
    std::abort();
  }
  path_ = name;
}

TempDirectory::~TempDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

RocksOptions options_for(const std::string& directory) {
  RocksOptions options;
  options.directory = directory;
  options.space.reserve_bytes = 0;
  options.space.reserve_fraction = 0;
  options.space.ballast_bytes = 0;
  options.retry_every = std::chrono::milliseconds(5);
  return options;
}

std::unique_ptr<Store> open_or_die(const RocksOptions& options) {
  Result<std::unique_ptr<Store>> store = open_rocks(options);
  if (!store) {
    std::cerr << "cannot open the store: " << store.status().message() << std::endl;
    std::abort();
  }
  return std::move(*store);
}

NewRun new_run(Time now, const std::string& task) {
  NewRun run;
  run.id = new_run_id(now);
  run.task = TaskId(task);
  run.queue = QueueName("task/" + task);
  run.now = now;
  run.payload = R"({"n":1})";
  return run;
}

AttemptEnd success_of(const Claim& claim, Time now) {
  AttemptEnd end;
  end.run = claim.run.id;
  end.number = claim.attempt.number;
  end.token = claim.attempt.token;
  end.now = now;
  end.output = R"("done")";
  return end;
}

AttemptEnd failure_of(const Claim& claim, Time now, AfterFailure after) {
  AttemptEnd end = success_of(claim, now);
  end.output.clear();
  end.failure = Failure{FailureKind::kTaskError, "FixtureError", "boom", {}, {}};
  end.after = after;
  return end;
}

Result<Enqueued> enqueue(Store& store, NewRun run) {
  return await<Enqueued>([&](Done<Enqueued> done) { store.enqueue(std::move(run), std::move(done)); });
}

std::vector<Claim> claim(Store& store, std::size_t max, Time now) {
  Result<std::vector<Claim>> claims = await<std::vector<Claim>>([&](Done<std::vector<Claim>> done) {
    store.claim(
        max, now, [](const Run&) { return StartOn{VersionId(std::string(64, 'a'))}; }, std::move(done));
  });
  return claims ? std::move(*claims) : std::vector<Claim>();
}

Result<Run> finish(Store& store, AttemptEnd end) {
  return await<Run>([&](Done<Run> done) { store.finish_attempt(std::move(end), std::move(done)); });
}

Result<Run> cancel(Store& store, const RunId& run, Time now) {
  return await<Run>([&](Done<Run> done) { store.cancel(run, now, "asked to", std::move(done)); });
}

Result<std::size_t> wake_due(Store& store, Time now) {
  return await<std::size_t>([&](Done<std::size_t> done) { store.wake_due(now, std::move(done)); });
}

Result<std::size_t> recover(Store& store, Time now) {
  return await<std::size_t>([&](Done<std::size_t> done) { store.recover(now, std::move(done)); });
}

Status synced(Store& store) {
  std::promise<Status> promise;
  store.synced([&promise](Status status) { promise.set_value(std::move(status)); });
  return promise.get_future().get();
}

bool EventListener::wait_for_health(bool ok) {
  std::unique_lock lock(mutex_);
  return happened_.wait_for(lock, std::chrono::seconds(20),
                            [&] { return !health_.empty() && health_.back().is_ok() == ok; });
}

bool EventListener::wait_for_free(std::size_t count) {
  std::unique_lock lock(mutex_);
  return happened_.wait_for(lock, std::chrono::seconds(20), [&] { return free_.size() >= count; });
}

std::vector<VersionId> EventListener::free() const {
  std::lock_guard lock(mutex_);
  return free_;
}

std::size_t EventListener::ready() const {
  std::lock_guard lock(mutex_);
  return ready_;
}

std::vector<Status> EventListener::health() const {
  std::lock_guard lock(mutex_);
  return health_;
}

std::vector<std::pair<RunId, RunStatus>> EventListener::changed() const {
  std::lock_guard lock(mutex_);
  return changed_;
}

}  // namespace perdure::store::rocks
