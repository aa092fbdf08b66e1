// A host that is killed again and again while two thousand attempts execute.
#include <gtest/gtest.h>

#include "tests/e2e/outliving.h"

namespace perdure::e2e {
namespace {

TEST(Outlive, OfTwoThousandAttemptsNoneIsLostOrRepeatedThoughTheHostIsKilledFiftyTimes) { outlive_hosts(2000, 50); }

}  // namespace
}  // namespace perdure::e2e
