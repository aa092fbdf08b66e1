// Does the same random operations to a store and to a reference engine of its own, and expects the same of both. One
// thread.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "store/memory/memory_store.h"
#include "store/store.h"

namespace perdure::store::conformance {

class RandomOperations {
 public:
  enum Queues : std::uint8_t { kOneQueue, kManyQueues };
  RandomOperations(std::uint64_t seed, Time now, Queues queues);

  /// One random operation, answered by both.
  void one(Store& store);
  /// recover() of both.
  void recover_all(Store& store);
  /// The store was closed and opened: what was set aside is ready again.
  void reopened();
  /// Everything that can be read of both.
  void compare_all(Store& store);

 private:
  void enqueue(Store& store);
  void claim(Store& store);
  void finish(Store& store);
  void cancel(Store& store);
  void move(Store& store);
  void queues(Store& store);
  void compare_queues(Store& store);
  void offer(Store& store);
  void quarantine(Store& store);
  void call_hooks(Store& store);
  void log(Store& store);
  void list(Store& store);
  void live(Store& store);
  void step(Store& store);
  void remove(Store& store);
  // random_batches.cpp
  void batch(Store& store);
  void add_children(AttemptEnd& end);
  void note_children(const AttemptEnd& end);
  void compare_batches(Store& store);
  BatchId some_batch();
  NewRun some_new_run();
  BatchItems some_items(const BatchId& batch, std::size_t count);
  // random_schedules.cpp
  void schedule(Store& store);
  void fire(Store& store, Schedule schedule);
  void compare_schedules(Store& store);
  ScheduleId some_schedule();
  // random_tokens.cpp
  void token(Store& store);
  void compare_tokens(Store& store);
  TokenId some_token();
  void compare_run(Store& store, const RunId& id);

  /// A number below `n`.
  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  std::string pick(const char* prefix, std::uint64_t n) { return prefix + std::to_string(below(n)); }
  RunId some_run();
  AfterFailure some_end();

  /// A claim as each of the two answered it: only the tokens differ.
  struct Claimed {
    Claim subject, reference;
  };

  std::mt19937_64 random_;
  Time now_;
  Duration stand_{};  // of the wall clock
  Queues queues_;
  MemoryStore reference_;
  std::vector<RunId> runs_;
  std::vector<ScheduleId> schedules_;
  std::vector<BatchId> batches_;
  std::vector<TokenId> tokens_;
  std::vector<Claimed> claims_;  // also of attempts that are over
  std::set<TaskId> offered_;
  std::set<std::pair<TaskId, VersionId>> quarantined_;
};

}  // namespace perdure::store::conformance
