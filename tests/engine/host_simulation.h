// A host of simulated parts around a reference store that outlives it: it can be killed at any moment and started
// again.
#pragma once

#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "host/engine/core_engine.h"
#include "store/memory/memory_store.h"
#include "tests/engine/simulated_core.h"
#include "tests/engine/simulated_launcher.h"

namespace perdure::engine::testing {

/// Has the version of `tasks`, all of one, loaded.
void offer_version(catalog::Snapshot& snapshot, const catalog::Tasks& tasks);
/// A catalog with these tasks; every one retried as `retry` says, with the hooks `around`.
catalog::SnapshotPtr catalog_of(const std::vector<std::string>& tasks, const store::RetryPolicy& retry = {},
                                process::HookSet around = {});

class HostSimulation {
 public:
  struct Options {
    std::size_t concurrency = 4;
    std::uint64_t memory = UINT64_MAX;
    std::size_t processes = SIZE_MAX;
    std::uint64_t seed = 1;
    SimulatedLauncher::Script script;
    std::function<store::Status(std::string_view)> fault;
    bool outlives = false;  // attempts do, their host
  };
  explicit HostSimulation(Options options);
  ~HostSimulation();

  /// Starts a host on the store; recover() comes first.
  void boot();
  /// … that finds these to have outlived the one before it.
  void boot_with(std::vector<process::Survivor> survivors);
  /// SIGKILL: the engine, every answer not yet delivered and, unless they outlive it, its children are gone.
  void kill();

  /// Triggers a run now; its id is in acknowledged() once the host said so.
  void trigger(const std::string& task, TriggerRequest request = {});

  SimulatedCore core;
  catalog::SnapshotPtr catalog = catalog_of({"task"});
  RetentionOptions retention;
  std::unique_ptr<store::MemoryStore> store;
  std::unique_ptr<SimulatedLauncher> launcher;
  std::unique_ptr<CoreEngine> engine;
  std::vector<store::RunId> acknowledged;
  std::vector<store::Status> refused;
  std::map<store::RunId, std::vector<process::HooksOnly>> hooks_called;  // of each child that called some
  std::map<store::RunId, std::uint32_t> died;                            // each run's last attempt that died
  std::size_t most_at_once = 0;
  std::size_t kills = 0;
  std::string wrong;

 private:
  Options options_;
  std::mt19937_64 random_;
  std::vector<process::Survivor> survivors_;  // of the last host
  store::Duration disk_free_at_{};            // the simulated disk answers in order
};

/// What is wrong with a finished history, in words; empty: nothing. Every run in `acknowledged` exists and is final;
/// its timeline is gapless, legal and ends in the one final status; its attempts are dense, each ended, at most one
/// succeeded.
std::string check_history(const store::Store& store, const std::vector<store::RunId>& acknowledged);

/// The same of hooks called by children of their own, for runs whose tasks have the hooks `around`: whoever ended
/// without an attempt to call them had them called, after its end; nobody had them called more often than hosts and
/// attempts died; nothing is owed any more.
std::string check_hooks(const HostSimulation& host, process::HookSet around);

}  // namespace perdure::engine::testing
