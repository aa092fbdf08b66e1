// The machine's power is lost at a random moment of random work, 200 times. Nothing acknowledged may be gone.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/store-rocks/fault_file_system.h"
#include "tests/store-rocks/harness.h"
#include "tests/store-rocks/workload.h"

namespace perdure::store::rocks {
namespace {

std::string joined(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& line : lines) all += "\n  " + line;
  return all;
}

std::string contents(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// Works until the power goes at a random operation, three times over, each time on what the last one left.
void lose_power(std::uint64_t seed, std::size_t& acknowledged) {
  const std::string reproduce = "reproduce with PERDURE_SEED=" + std::to_string(seed) + " PERDURE_ROUNDS=1";
  std::mt19937_64 random(seed);
  const TempDirectory directory;
  const auto checker = std::make_shared<HistoryChecker>();
  const auto disk = std::make_shared<FaultFileSystem>();
  RocksOptions options = options_for(directory.path());
  options.file_system = disk;
  Workload work(checker, random(), kStart);
  std::unique_ptr<Store> store = open_or_die(options);

  // The mark is not among RocksDB's files: it is left as it was when the power went.
  const std::string mark = directory.path() + "/store.mark";
  for (int loss = 0; loss < 3; ++loss) {
    work.restart(*store);
    std::string mark_then;
    disk->at_operation(1 + random() % 300, [&] {
      disk->cut_power();
      mark_then = contents(mark);
    });
    while (store->health()) work.step(*store);
    store.reset();
    std::ofstream(mark, std::ios::binary) << mark_then;
    disk->lose_unsynced(random());
    Result<std::unique_ptr<Store>> again = open_rocks(options);
    ASSERT_TRUE(again) << again.status().message() << "\n" << reproduce;
    store = std::move(*again);
    const std::vector<std::string> wrong = checker->check(*store);
    ASSERT_TRUE(wrong.empty()) << "after power loss " << loss << ":" << joined(wrong) << "\n" << reproduce;
  }
  work.restart(*store);
  EXPECT_TRUE(work.drain(*store)) << "some run never ends; " << reproduce;
  const std::vector<std::string> wrong = checker->check(*store);
  ASSERT_TRUE(wrong.empty()) << "after everything ended:" << joined(wrong) << "\n" << reproduce;
  acknowledged += checker->created();
}

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(PowerLoss, TwoHundredTimesLosesNothingAcknowledged) {
  const std::uint64_t first = number_from("PERDURE_SEED", std::random_device{}());
  const std::uint64_t rounds = number_from("PERDURE_ROUNDS", 200);
  std::cout << "seeds " << first << " to " << first + rounds - 1 << std::endl;
  std::size_t acknowledged = 0;
  for (std::uint64_t i = 0; i < rounds && !HasFatalFailure(); ++i) lose_power(first + i, acknowledged);
  EXPECT_GT(acknowledged, rounds) << "the work was hardly any: the test shows nothing";
}

}  // namespace
}  // namespace perdure::store::rocks
