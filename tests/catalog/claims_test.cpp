// Which file serves which tasks when several want the same.
#include "host/catalog/claims.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

namespace perdure::catalog {
namespace {

Tasks tasks(std::initializer_list<const char*> ids) {
  Tasks all;
  for (const char* id : ids) all[store::TaskId(id)].id = store::TaskId(id);
  return all;
}

const Tasks kA = tasks({"a"}), kB = tasks({"b"}), kAB = tasks({"a", "b"}), kC = tasks({"c"});

TEST(Claims, WhatNobodyServesGoesToTheFirstFile) {
  const auto decisions = decide({{.wanted = &kA}, {.wanted = &kAB}});
  EXPECT_TRUE(decisions[0].take);
  EXPECT_FALSE(decisions[1].take);
  ASSERT_TRUE(decisions[1].conflict);
  EXPECT_EQ(decisions[1].conflict->task.text(), "a");
  EXPECT_EQ(decisions[1].conflict->owner, 0u);
}

TEST(Claims, AFileKeepsTheTasksItServes) {
  const auto decisions = decide({{.wanted = &kA}, {.serving = &kA}});
  EXPECT_FALSE(decisions[0].take);
  ASSERT_TRUE(decisions[0].conflict);
  EXPECT_EQ(decisions[0].conflict->owner, 1u);
  EXPECT_FALSE(decisions[1].take);
}

TEST(Claims, AFileMayTakeItsOwnTasksInANewVersion) { EXPECT_TRUE(decide({{.serving = &kA, .wanted = &kAB}})[0].take); }

TEST(Claims, ATaskMovesToAnotherFileWhenBothChangeTogetherInEitherOrder) {
  auto decisions = decide({{.serving = &kAB, .wanted = &kA}, {.serving = &kC, .wanted = &kB}});
  EXPECT_TRUE(decisions[0].take);
  EXPECT_TRUE(decisions[1].take);
  decisions = decide({{.serving = &kC, .wanted = &kB}, {.serving = &kAB, .wanted = &kA}});
  EXPECT_TRUE(decisions[0].take) << "it is given up by a file behind it";
  EXPECT_FALSE(decisions[0].conflict);
  EXPECT_TRUE(decisions[1].take);
}

TEST(Claims, AnUndecidedFileHoldsUpOnlyThoseBehindItThatServeNothing) {
  const auto decisions =
      decide({{.wanted = &kC}, {.undecided = true}, {.wanted = &kA}, {.serving = &kB, .wanted = &kB}});
  EXPECT_TRUE(decisions[0].take);
  EXPECT_FALSE(decisions[1].take);
  EXPECT_FALSE(decisions[2].take);
  EXPECT_FALSE(decisions[2].conflict) << "it waits";
  EXPECT_TRUE(decisions[3].take);
}

TEST(Claims, OneThatServesWhileItsNewContentLoadsHoldsUpNobody) {
  EXPECT_TRUE(decide({{.serving = &kB, .undecided = true}, {.wanted = &kA}})[1].take);
}

}  // namespace
}  // namespace perdure::catalog
