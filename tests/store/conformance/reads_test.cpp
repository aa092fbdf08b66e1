// What can be asked of runs: timelines, logs, pages, counts.
#include <algorithm>

#include "store/model/transitions.h"
#include "tests/store/conformance/suite.h"

namespace perdure::store::conformance {
namespace {

TEST_P(StoreConformance, WhatIsNotThereIsNotFound) {
  for (const RunId& id : {new_run_id(now), RunId("nonsense"), RunId()}) {
    EXPECT_EQ(store().run(id).status().code(), Code::kNotFound);
    EXPECT_EQ(store().payload(id).status().code(), Code::kNotFound);
    EXPECT_EQ(store().output(id).status().code(), Code::kNotFound);
    EXPECT_EQ(store().attempts(id).status().code(), Code::kNotFound);
    EXPECT_EQ(store().timeline(id).status().code(), Code::kNotFound);
    EXPECT_EQ(store().logs(id, 0, 10).status().code(), Code::kNotFound);
  }
}

// ---- Timeline -------------------------------------------------------------------------------------------------------

TEST_P(StoreConformance, TheTimelineTellsEveryTransitionWithItsTimeWithoutGaps) {
  NewRun created = new_run();
  created.delayed_until = now + seconds(1);
  const Time began = now;
  const RunId id = enqueued(std::move(created));
  now += seconds(1);
  ASSERT_TRUE(wake_due(store(), now));
  now += seconds(1);
  const Claim first = claim_one();
  now += seconds(1);
  fail(first, RetryAt{now + seconds(1)});
  now += seconds(1);
  ASSERT_TRUE(wake_due(store(), now));
  now += seconds(1);
  const Claim second = claim_one();
  now += seconds(1);
  succeed(second);
  const std::vector<TimelineEvent> expected = {
      {1, began, "triggered", RunStatus::kDelayed, 0, ""},
      {2, began + seconds(1), "due", RunStatus::kQueued, 0, ""},
      {3, began + seconds(2), "claimed", RunStatus::kDequeued, 1, ""},
      {4, began + seconds(2), "attempt_started", RunStatus::kExecuting, 1, ""},
      {5, began + seconds(3), "retry_later", RunStatus::kDelayed, 1, ""},
      {6, began + seconds(4), "due", RunStatus::kQueued, 0, ""},
      {7, began + seconds(5), "claimed", RunStatus::kDequeued, 2, ""},
      {8, began + seconds(5), "attempt_started", RunStatus::kExecuting, 2, ""},
      {9, began + seconds(6), "succeeded", RunStatus::kCompleted, 2, ""},
  };
  EXPECT_EQ(store().timeline(id).value(), expected);
}

TEST_P(StoreConformance, ALongTimelineIsStillWithoutGaps) {
  const RunId id = enqueued();
  for (int i = 0; i < 100; ++i) {
    now += milliseconds(1);
    fail(claim_one(), RetryAt{now});
  }
  succeed(claim_one());
  const std::vector<TimelineEvent> timeline = store().timeline(id).value();
  ASSERT_EQ(timeline.size(), 1u + 101 * 3);
  for (std::size_t i = 0; i < timeline.size(); ++i) EXPECT_EQ(timeline[i].sequence, i + 1);
  EXPECT_TRUE(std::ranges::is_sorted(timeline, {}, &TimelineEvent::at));
  const std::vector<Attempt> all = attempts(id);
  ASSERT_EQ(all.size(), 101u);
  for (std::uint32_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i].number, i + 1);
}

// ---- Logs -----------------------------------------------------------------------------------------------------------

LogEntry line(Time at, const std::string& message) {
  return {0, at, 1, LogLevel::kInfo, LogSource::kTask, message, {}};
}

TEST_P(StoreConformance, LogEntriesComeBackAsTheyWereWritten) {
  const RunId id = enqueued();
  claim_one();
  std::vector<LogEntry> entries = {
      {0, now, 1, LogLevel::kTrace, LogSource::kTask, "one", "{\"k\":[1]}"},
      {0, now + milliseconds(1), 1, LogLevel::kError, LogSource::kStderr, "two\xe2\x82\xac", ""},
      {0, now, 0, LogLevel::kWarn, LogSource::kHost, "", ""},
  };
  store().append_logs(id, entries);
  for (std::size_t i = 0; i < entries.size(); ++i) entries[i].sequence = i + 1;
  EXPECT_EQ(store().logs(id, 0, 100).value(), entries);
}

TEST_P(StoreConformance, LogsAreReadInPagesAfterASequence) {
  const RunId id = enqueued();
  claim_one();
  for (int i = 0; i < 10; ++i) {
    std::vector<LogEntry> entries;
    for (int j = 0; j <= i; ++j) entries.push_back(line(now, std::to_string(i) + "." + std::to_string(j)));
    store().append_logs(id, std::move(entries));
  }
  const std::vector<LogEntry> all = store().logs(id, 0, 1000).value();
  ASSERT_EQ(all.size(), 55u);
  for (const std::size_t size : {1u, 4u, 7u, 54u, 55u, 56u}) {
    std::vector<LogEntry> paged;
    for (;;) {
      const std::vector<LogEntry> page = store().logs(id, paged.empty() ? 0 : paged.back().sequence, size).value();
      ASSERT_LE(page.size(), size);
      if (page.empty()) break;
      paged.insert(paged.end(), page.begin(), page.end());
    }
    EXPECT_EQ(paged, all) << size;
  }
  EXPECT_TRUE(store().logs(id, 55, 10)->empty());
  EXPECT_TRUE(store().logs(id, UINT64_MAX, 10)->empty());
  EXPECT_TRUE(store().logs(id, 0, 0)->empty());
}

TEST_P(StoreConformance, LogSequencesAscendWhateverTheRunDoesMeanwhile) {
  const RunId id = enqueued();
  store().append_logs(id, {line(now, "queued")});
  AttemptEnd end = failure_of(claim_one(), now, RetryAt{now});
  store().append_logs(id, {line(now, "executing")});
  end.logs = {line(now, "ending")};
  finish(end);
  store().append_logs(id, {line(now, "between")});
  const Claim second = claim_one();
  store().append_logs(id, {line(now, "again")});
  succeed(second);
  store().append_logs(id, {line(now, "late")});
  std::vector<std::string> messages;
  std::uint64_t last = 0;
  const std::vector<LogEntry> logs = store().logs(id, 0, 100).value();
  for (const LogEntry& entry : logs) {
    EXPECT_GT(entry.sequence, last);
    last = entry.sequence;
    messages.push_back(entry.message);
  }
  EXPECT_EQ(messages, (std::vector<std::string>{"queued", "executing", "ending", "between", "again", "late"}));
}

TEST_P(StoreConformance, LogsOfARunThatIsNotThereAreDropped) {
  store().append_logs(new_run_id(now), {line(now, "nobody")});
  store().append_logs(RunId("nonsense"), {line(now, "nobody")});
  const RunId id = enqueued();
  store().append_logs(id, {});
  EXPECT_TRUE(store().logs(id, 0, 10)->empty());
}

// ---- List -----------------------------------------------------------------------------------------------------------

std::vector<RunId> newest_first(std::vector<RunId> ids) {
  std::reverse(ids.begin(), ids.end());
  return ids;
}

TEST_P(StoreConformance, RunsAreListedNewestFirst) {
  std::vector<RunId> ids;
  for (int i = 0; i < 5; ++i) {
    ids.push_back(enqueued());
    if (i % 2 == 0) now += milliseconds(1);
  }
  const RunPage page = store().list({}).value();
  EXPECT_EQ(ids_of(page.runs), newest_first(ids));
  EXPECT_FALSE(page.more_after);
  EXPECT_FALSE(page.more_before);
  EXPECT_EQ(page.runs.back(), run(ids.front()));
}

TEST_P(StoreConformance, AnEmptyStoreListsAnEmptyPage) {
  const RunPage page = store().list({}).value();
  EXPECT_TRUE(page.runs.empty());
  EXPECT_FALSE(page.more_after);
  EXPECT_FALSE(page.more_before);
}

TEST_P(StoreConformance, PagesFollowOneAnotherInBothDirectionsWithoutGapOrRepeat) {
  std::vector<RunId> ids;
  for (int i = 0; i < 23; ++i) ids.push_back(enqueued());
  const std::vector<RunId> expected = newest_first(ids);
  for (const std::size_t limit : {1u, 5u, 22u, 23u, 24u}) {
    RunFilter filter;
    filter.limit = limit;
    std::vector<RunId> forwards;
    RunPage page = store().list(filter).value();
    EXPECT_FALSE(page.more_before);
    for (;;) {
      const std::vector<RunId> on_page = ids_of(page.runs);
      forwards.insert(forwards.end(), on_page.begin(), on_page.end());
      EXPECT_EQ(page.more_after, forwards.size() < expected.size()) << limit;
      if (!page.more_after) break;
      filter.after = on_page.back();
      page = store().list(filter).value();
      EXPECT_TRUE(page.more_before) << limit;
    }
    EXPECT_EQ(forwards, expected) << limit;

    // Back from the last page's first run.
    filter.after = RunId();
    std::vector<RunId> backwards;
    while (page.more_before) {
      filter.before = page.runs.front().id;
      page = store().list(filter).value();
      EXPECT_TRUE(page.more_after) << limit;
      const std::vector<RunId> on_page = ids_of(page.runs);
      backwards.insert(backwards.begin(), on_page.begin(), on_page.end());
    }
    EXPECT_TRUE(std::equal(backwards.begin(), backwards.end(), expected.begin())) << limit;
    EXPECT_EQ(backwards.size(), expected.size() - (expected.size() - 1) % limit - 1) << limit;
  }
}

TEST_P(StoreConformance, BeyondTheLastRunsThereIsAnEmptyPageThatKnowsTheWayBack) {
  const RunId first = enqueued(), last = enqueued();
  RunFilter filter;
  filter.after = first;
  RunPage page = store().list(filter).value();
  EXPECT_TRUE(page.runs.empty());
  EXPECT_FALSE(page.more_after);
  EXPECT_TRUE(page.more_before);
  filter.after = RunId();
  filter.before = last;
  page = store().list(filter).value();
  EXPECT_TRUE(page.runs.empty());
  EXPECT_TRUE(page.more_after);
  EXPECT_FALSE(page.more_before);
}

TEST_P(StoreConformance, ACursorNeedNotBeARunThatIsThere) {
  const RunId older = enqueued();
  now += seconds(1);
  RunFilter filter;
  filter.after = new_run_id(now);
  now += seconds(1);
  const RunId newer = enqueued();
  EXPECT_EQ(ids_of(store().list(filter)->runs), std::vector<RunId>{older});
  std::swap(filter.after, filter.before);
  EXPECT_EQ(ids_of(store().list(filter)->runs), std::vector<RunId>{newer});
}

TEST_P(StoreConformance, ACursorThatIsNoRunIdIsRefused) {
  RunFilter filter;
  filter.after = RunId("nonsense");
  EXPECT_EQ(store().list(filter).status().code(), Code::kInvalid);
  std::swap(filter.after, filter.before);
  EXPECT_EQ(store().list(filter).status().code(), Code::kInvalid);
}

TEST_P(StoreConformance, APageHasAtLeastOneAndAtMostAHundredRuns) {
  for (int i = 0; i < 110; ++i) enqueued();
  RunFilter filter;
  filter.limit = 0;
  EXPECT_EQ(store().list(filter)->runs.size(), 1u);
  filter.limit = 1000;
  EXPECT_EQ(store().list(filter)->runs.size(), 100u);
  EXPECT_EQ(store().list({})->runs.size(), 25u);
}

TEST_P(StoreConformance, RunsAreFilteredByStatusTaskTagAndTime) {
  const Time began = now;
  NewRun created = new_run("one");
  created.options.tags = {"red", "big"};
  const RunId one = enqueued(std::move(created));
  now += seconds(1);
  created = new_run("two");
  created.options.tags = {"red"};
  const RunId two = enqueued(std::move(created));
  now += seconds(1);
  const RunId three = enqueued("two");
  succeed(claim(1).front());  // run one

  const auto listed = [&](auto set) {
    RunFilter filter;
    set(filter);
    const Result<RunPage> page = store().list(filter);
    EXPECT_TRUE(page) << page.status().message();
    return page ? ids_of(page->runs) : std::vector<RunId>();
  };
  using Ids = std::vector<RunId>;
  EXPECT_EQ(listed([](RunFilter& f) { f.statuses = {RunStatus::kCompleted}; }), Ids{one});
  EXPECT_EQ(listed([](RunFilter& f) { f.statuses = {RunStatus::kQueued}; }), (Ids{three, two}));
  EXPECT_EQ(listed([](RunFilter& f) {
              f.statuses = {RunStatus::kQueued, RunStatus::kCompleted};
            }),
            (Ids{three, two, one}));
  EXPECT_EQ(listed([](RunFilter& f) { f.statuses = {RunStatus::kFailed}; }), Ids{});
  EXPECT_EQ(listed([](RunFilter& f) { f.tasks = {TaskId("two")}; }), (Ids{three, two}));
  EXPECT_EQ(listed([](RunFilter& f) {
              f.tasks = {TaskId("two"), TaskId("one"), TaskId("no")};
            }),
            (Ids{three, two, one}));
  EXPECT_EQ(listed([](RunFilter& f) { f.tasks = {TaskId("tw")}; }), Ids{});
  EXPECT_EQ(listed([](RunFilter& f) { f.tags = {"red"}; }), (Ids{two, one}));
  EXPECT_EQ(listed([](RunFilter& f) { f.tags = {"big", "red"}; }), (Ids{two, one}));
  EXPECT_EQ(listed([](RunFilter& f) { f.tags = {"re"}; }), Ids{});
  EXPECT_EQ(listed([&](RunFilter& f) { f.from = began + seconds(1); }), (Ids{three, two}));
  EXPECT_EQ(listed([&](RunFilter& f) { f.to = began + seconds(1); }), (Ids{two, one}));
  EXPECT_EQ(listed([&](RunFilter& f) { f.from = f.to = began + seconds(1); }), Ids{two});
  EXPECT_EQ(listed([](RunFilter& f) {
              f.tags = {"red"};
              f.tasks = {TaskId("two")};
              f.statuses = {RunStatus::kQueued};
            }),
            Ids{two});
}

TEST_P(StoreConformance, PagesOfAFilterCountOnlyWhatMatches) {
  std::vector<RunId> even;
  for (int i = 0; i < 20; ++i) {
    const RunId id = enqueued(i % 2 == 0 ? "even" : "odd");
    if (i % 2 == 0) even.push_back(id);
  }
  RunFilter filter;
  filter.tasks = {TaskId("even")};
  filter.limit = 6;
  const RunPage first = store().list(filter).value();
  EXPECT_TRUE(first.more_after);
  filter.after = first.runs.back().id;
  const RunPage second = store().list(filter).value();
  EXPECT_EQ(second.runs.size(), 4u);
  EXPECT_FALSE(second.more_after);
  EXPECT_TRUE(second.more_before);
  std::vector<RunId> all = ids_of(first.runs);
  for (const RunId& id : ids_of(second.runs)) all.push_back(id);
  EXPECT_EQ(all, newest_first(even));
}

// ---- Counts ---------------------------------------------------------------------------------------------------------

TEST_P(StoreConformance, CountsSayHowManyRunsAreInEachStatus) {
  std::map<RunStatus, std::uint64_t> expected;
  for (std::size_t i = 1; i <= kRunStatusCount; ++i) expected[static_cast<RunStatus>(i)] = 0;
  EXPECT_EQ(store().counts(), expected);
  for (int i = 0; i < 5; ++i) enqueued();
  const std::vector<Claim> claimed = claim(3);
  succeed(claimed[0]);
  fail(claimed[1], RetryAt{now + seconds(1)});
  NewRun held = new_run();
  held.pending_version = true;
  ASSERT_TRUE(cancel(store(), enqueued(std::move(held)), now));
  expected[RunStatus::kQueued] = 2;
  expected[RunStatus::kExecuting] = 1;
  expected[RunStatus::kCompleted] = 1;
  expected[RunStatus::kDelayed] = 1;
  expected[RunStatus::kCanceled] = 1;
  EXPECT_EQ(store().counts(), expected);
}

TEST_P(StoreConformance, AFreshStoreIsHealthyAndSynced) {
  EXPECT_TRUE(store().health());
  EXPECT_TRUE(synced(store()));
}

}  // namespace
}  // namespace perdure::store::conformance
