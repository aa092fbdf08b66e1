// What a host does with the descriptors that it may have.
#include "host/cli/descriptor_shares.h"

#include <gtest/gtest.h>

namespace perdure::cli::test {
namespace {

TEST(DescriptorShares, TwentyThousandAreEnoughForTenThousandSubscriptionsAndAThousandRunsThatWait) {
  const DescriptorShares shares = share_descriptors(20'000, 8);
  EXPECT_GE(shares.connections, 10'500u);
  EXPECT_GE(shares.processes, 1'050u);
}

TEST(DescriptorShares, NeverPromiseMoreThanThereAre) {
  for (const std::uint64_t concurrency : {1, 8, 64, 1000}) {
    for (std::uint64_t limit = least_descriptors(concurrency); limit < 4'000'000; limit += limit / 7) {
      const DescriptorShares shares = share_descriptors(limit, concurrency);
      ASSERT_GE(shares.processes, concurrency);
      const std::uint64_t waiting = shares.processes - concurrency;
      EXPECT_LE(shares.connections + 12 * concurrency + 7 * waiting + 1024, limit);
    }
  }
}

TEST(DescriptorShares, GiveEachItsLeastWhereThereAreTooFew) {
  const DescriptorShares shares = share_descriptors(256, 8);
  EXPECT_EQ(shares.processes, 8u);
  EXPECT_EQ(shares.connections, 256u);
}

TEST(DescriptorShares, AboveWhatConnectionsMayTakeAllIsForRunsThatWait) {
  const DescriptorShares some = share_descriptors(500'000, 8), more = share_descriptors(1'000'000, 8);
  EXPECT_EQ(some.connections, more.connections);
  EXPECT_NEAR(static_cast<double>(more.processes - some.processes), 500'000.0 / 7, 1);
}

TEST(DescriptorShares, HaveNoEndWhereThereIsNoLimit) {
  EXPECT_GT(share_descriptors(UINT64_MAX, 8).processes, 1'000'000u);
}

}  // namespace
}  // namespace perdure::cli::test
