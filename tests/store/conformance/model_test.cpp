// Thousands of random operations on an engine and on the reference engine beside it: every answer and, in the end,
// every stored word must be the same. The seed is printed; PERDURE_SEED repeats it.
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>

#include "tests/store/conformance/random_operations.h"
#include "tests/store/conformance/suite.h"

namespace perdure::store::conformance {
namespace {

std::uint64_t seed_of_this_run() {
  const char* given = std::getenv("PERDURE_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
  std::cout << "PERDURE_SEED=" << seed << std::endl;
  return seed;
}

TEST_P(StoreConformance, RandomOperationsAreAnsweredAsByTheReference) {
  const std::uint64_t seed = seed_of_this_run();
  SCOPED_TRACE("PERDURE_SEED=" + std::to_string(seed));
  RandomOperations operations(seed, now, RandomOperations::kManyQueues);
  for (int i = 1; i <= 3000 && !HasFailure(); ++i) {
    operations.one(store());
    if (i % 500 == 0) operations.compare_all(store());
  }
}

TEST_P(StoreConformance, RandomOperationsWithReopeningsAreAnsweredAsByTheReference) {
  if (!factory().can_reopen()) GTEST_SKIP() << "the engine cannot be opened again";
  // Whose turn it is among queues is not stored, so there is one.
  const std::uint64_t seed = seed_of_this_run();
  SCOPED_TRACE("PERDURE_SEED=" + std::to_string(seed));
  RandomOperations operations(seed, now, RandomOperations::kOneQueue);
  for (int i = 1; i <= 1500 && !HasFailure(); ++i) {
    operations.one(store());
    if (i % 150 != 0) continue;
    reopen();
    operations.reopened();
    if (i % 300 == 0) operations.recover_all(store());
    operations.compare_all(store());
  }
}

}  // namespace
}  // namespace perdure::store::conformance
