// Run ids: their shape, that they sort by time, and that no two are the same.
#include "store/model/ids.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace perdure::store {
namespace {

constexpr Time at(std::int64_t milliseconds) { return Time(Duration(milliseconds)); }

TEST(Ids, ARunIdIsRunAndTwentyFiveCharacters) {
  const std::string id = new_run_id(at(1'700'000'000'000)).text();
  EXPECT_EQ(id.size(), 29u);
  EXPECT_EQ(id.substr(0, 4), "run_");
  EXPECT_EQ(id.find_first_not_of("0123456789abcdefghijklmnopqrstuv", 4), std::string::npos);
  EXPECT_TRUE(is_run_id(id));
}

TEST(Ids, IdsOfLaterTimesSortAfterThoseOfEarlierOnes) {
  std::int64_t time = 0;
  std::string before = new_run_id(at(time)).text();
  for (int i = 0; i < 2000; ++i) {
    time += 1 + (time / 7) % 100'000'000;
    const std::string id = new_run_id(at(time)).text();
    ASSERT_LT(before, id) << time;
    before = id;
  }
}

TEST(Ids, IdsOfOneMillisecondSortInTheOrderInWhichTheyWereMade) {
  std::string before;
  for (int i = 0; i < 10000; ++i) {
    const std::string id = new_run_id(at(1'700'000'000'123)).text();
    ASSERT_LT(before, id);
    before = id;
  }
}

TEST(Ids, TheTimeOfAnIdIsItsFirstTenDigits) {
  const std::string id = new_run_id(at(31 + 32 * 10)).text();
  EXPECT_EQ(id.substr(4, 10), "00000000av");
}

TEST(Ids, ThreadsNeverGetTheSameId) {
  constexpr int kThreads = 4, kEach = 5000;
  std::vector<std::vector<std::string>> ids(kThreads);
  std::vector<std::thread> threads;
  for (auto& own : ids) {
    threads.emplace_back([&own] {
      for (int i = 0; i < kEach; ++i) own.push_back(new_run_id(at(1'700'000'000'000 + i / 100)).text());
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<std::string> all;
  for (const auto& own : ids) all.insert(own.begin(), own.end());
  EXPECT_EQ(all.size(), static_cast<std::size_t>(kThreads * kEach));
}

TEST(Ids, WhatIsNotShapedLikeARunIdIsRecognised) {
  const std::string id = new_run_id(at(1'700'000'000'000)).text();
  EXPECT_FALSE(is_run_id(""));
  EXPECT_FALSE(is_run_id(id.substr(0, 28)));
  EXPECT_FALSE(is_run_id(id + "0"));
  EXPECT_FALSE(is_run_id("ran_" + id.substr(4)));
  EXPECT_FALSE(is_run_id(id.substr(0, 28) + "w"));
  EXPECT_FALSE(is_run_id(id.substr(0, 28) + "A"));
  EXPECT_FALSE(is_run_id(id.substr(0, 28) + '\0'));
}

TEST(Ids, AScheduleIdIsMadeLikeARunsAndIsNone) {
  const std::string id = new_schedule_id(at(31 + 32 * 10)).text();
  EXPECT_EQ(id.size(), 31u);
  EXPECT_EQ(id.substr(0, 16), "sched_00000000av");
  EXPECT_TRUE(is_schedule_id(id));
  EXPECT_FALSE(is_run_id(id));
  EXPECT_FALSE(is_schedule_id(new_run_id(at(0)).text()));
  EXPECT_LT(id, new_schedule_id(at(31 + 32 * 10)).text());
}

TEST(Ids, ATokenIdIsMadeLikeARunsAndIsNone) {
  const std::string id = new_token_id(at(31 + 32 * 10)).text();
  EXPECT_EQ(id.size(), 35u);
  EXPECT_EQ(id.substr(0, 20), "waitpoint_00000000av");
  EXPECT_TRUE(is_token_id(id));
  EXPECT_FALSE(is_run_id(id));
  EXPECT_FALSE(is_token_id(new_run_id(at(0)).text()));
  EXPECT_LT(id, new_token_id(at(31 + 32 * 10)).text());
}

TEST(Ids, ATaskIdIsLettersDigitsAndSomePunctuation) {
  EXPECT_TRUE(is_task_id("hello-world"));
  EXPECT_TRUE(is_task_id("a"));
  EXPECT_TRUE(is_task_id("orders/v2.charge:EU_1"));
  EXPECT_TRUE(is_task_id(std::string(128, 'x')));
  EXPECT_FALSE(is_task_id(std::string(129, 'x')));
  EXPECT_FALSE(is_task_id(""));
  EXPECT_FALSE(is_task_id("two words"));
  EXPECT_FALSE(is_task_id("gr\xc3\xbc\xc3\x9f"));
  EXPECT_FALSE(is_task_id("a?b"));
}

}  // namespace
}  // namespace perdure::store
