// Lists whose wanted runs are rare: each page looks at a bounded number of runs, and its cursor goes on from there.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "tests/store-rocks/harness.h"

namespace perdure::store::rocks {
namespace {

class RareRuns : public testing::Test {
 protected:
  // Runs of two tasks, every other one; all of "y" are canceled, and of "x" only the oldest and the newest.
  void SetUp() override {
    std::vector<RunId> canceled;
    for (int i = 0; i < kRuns; ++i) {
      NewRun run = new_run(kStart + Duration(i));
      run.task = TaskId(i % 2 == 0 ? "x" : "y");
      if (i % 2 == 1 || i == 0 || i == kRuns - 2) canceled.push_back(run.id);
      if (i == 0) oldest_ = run.id;
      if (i == kRuns - 2) newest_ = run.id;
      store_->enqueue(std::move(run), [](const Result<Enqueued>& made) { EXPECT_TRUE(made); });
    }
    for (const RunId& run : canceled)
      store_->cancel(run, kStart, "", [](const Result<store::Run>& done) { EXPECT_TRUE(done); });
    filter_.statuses = {RunStatus::kCanceled};
    filter_.tasks = {TaskId("x")};
  }

  static constexpr int kRuns = 12'000;
  TempDirectory directory_;
  std::unique_ptr<Store> store_ = open_or_die(options_for(directory_.path()));
  RunFilter filter_;
  RunId oldest_, newest_;
};

TEST_F(RareRuns, AreAllFoundByFollowingCursorsOfPagesThatMayBeEmpty) {
  std::vector<RunId> found;
  int pages = 0, empty = 0;
  for (;; ++pages) {
    const Result<RunPage> page = store_->list(filter_);
    ASSERT_TRUE(page) << page.status().message();
    for (const store::Run& run : page->runs) found.push_back(run.id);
    empty += page->runs.empty() ? 1 : 0;
    if (!page->more_after) break;
    ASSERT_FALSE(page->after.empty());
    filter_.after = page->after;
  }
  EXPECT_EQ(found, (std::vector<RunId>{newest_, oldest_}));
  EXPECT_GT(empty, 0) << "the first page has looked at everything";
  EXPECT_LT(pages, 20);
}

TEST_F(RareRuns, AreFoundInTheOtherDirectionToo) {
  std::vector<RunId> found;
  filter_.before = new_run(kStart - Duration(1000)).id;
  for (int pages = 0; pages < 20; ++pages) {
    const Result<RunPage> page = store_->list(filter_);
    ASSERT_TRUE(page) << page.status().message();
    for (const store::Run& run : page->runs) found.push_back(run.id);
    if (!page->more_before) break;
    ASSERT_FALSE(page->before.empty());
    filter_.before = page->before;
  }
  EXPECT_EQ(found, (std::vector<RunId>{oldest_, newest_}));
}

TEST_F(RareRuns, OfATimeAreARangeOfTheIndex) {
  filter_.from = kStart;
  filter_.to = kStart + Duration(10);
  const Result<RunPage> page = store_->list(filter_);
  ASSERT_TRUE(page);
  ASSERT_EQ(page->runs.size(), 1u);
  EXPECT_EQ(page->runs[0].id, oldest_);
  EXPECT_FALSE(page->more_after);
}

}  // namespace
}  // namespace perdure::store::rocks
