// Random work on a store by a seed: triggers, claims, every kind of end, cancels, due times; telling a HistoryChecker
// what the store answered. Does not wait for answers, so that many are open when the power goes.
// One thread; answers may come on any.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "store/store.h"
#include "tests/store-rocks/history_checker.h"

namespace perdure::store::rocks {

class Workload {
 public:
  Workload(std::shared_ptr<HistoryChecker> checker, std::uint64_t seed, Time now);

  /// One random thing.
  void step(Store& store);
  /// What a host does that opened the store anew: forget its attempts, have them recovered.
  void restart(Store& store);
  /// Brings every run to its end. False when that does not come about.
  bool drain(Store& store);

 private:
  void enqueue(Store& store);
  void claim(Store& store, std::size_t max);
  void end_one(Store& store, bool succeed);
  void cancel(Store& store);
  void wake(Store& store);

  std::shared_ptr<HistoryChecker> checker_;
  std::mt19937_64 random_;
  Time now_;
  std::vector<Claim> executing_;
  std::vector<RunId> known_;
};

}  // namespace perdure::store::rocks
