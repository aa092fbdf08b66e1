// append_events() and AttemptEnd::events: what happened in a run beside its transitions.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/store/conformance/suite.h"

namespace perdure::store::conformance {
namespace {

TimelineEvent hook(Time at, const std::string& name, std::uint32_t attempt = 1) {
  return {0, at, "hook", RunStatus::kQueued, attempt, "{\"hook\":\"" + name + "\"}"};
}

std::vector<std::string> words(const std::vector<TimelineEvent>& timeline) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < timeline.size(); ++i) {
    EXPECT_EQ(timeline[i].sequence, i + 1);
    all.push_back(timeline[i].name == "hook" ? timeline[i].data : timeline[i].name);
  }
  return all;
}

TEST_P(StoreConformance, EventsStandOnTheTimelineWithTheStatusOfTheirRun) {
  const RunId id = enqueued();
  claim_one();
  store().append_events(id, {hook(now + milliseconds(3), "init", 1)});
  const std::vector<TimelineEvent> timeline = store().timeline(id).value();
  ASSERT_EQ(timeline.size(), 4u);
  EXPECT_EQ(timeline[3],
            (TimelineEvent{4, now + milliseconds(3), "hook", RunStatus::kExecuting, 1, "{\"hook\":\"init\"}"}));
}

TEST_P(StoreConformance, EventsOfAnEndComeBeforeIt) {
  const RunId id = enqueued();
  AttemptEnd end = success_of(claim_one(), now);
  end.events = {hook(now, "cleanup"), hook(now, "on_success")};
  finish(end);
  EXPECT_EQ(words(store().timeline(id).value()),
            (std::vector<std::string>{"triggered", "claimed", "attempt_started", "{\"hook\":\"cleanup\"}",
                                      "{\"hook\":\"on_success\"}", "succeeded"}));
  finish(end);  // a repeat adds nothing
  EXPECT_EQ(store().timeline(id)->size(), 6u);
}

TEST_P(StoreConformance, EventsKeepTheirPlaceWhateverTheRunDoesMeanwhile) {
  const RunId id = enqueued();
  store().append_events(id, {hook(now, "queued", 0)});
  const Claim first = claim_one();
  store().append_events(id, {hook(now, "executing")});
  finish(failure_of(first, now, RetryAt{now}));
  store().append_events(id, {hook(now, "between")});
  succeed(claim_one());
  store().append_events(id, {hook(now, "late", 2)});
  EXPECT_EQ(words(store().timeline(id).value()),
            (std::vector<std::string>{"triggered", "{\"hook\":\"queued\"}", "claimed", "attempt_started",
                                      "{\"hook\":\"executing\"}", "retry_now", "{\"hook\":\"between\"}", "claimed",
                                      "attempt_started", "succeeded", "{\"hook\":\"late\"}"}));
  EXPECT_EQ(store().run(id)->status, RunStatus::kCompleted);
}

TEST_P(StoreConformance, AThousandEventsHaveNoGap) {
  const RunId id = enqueued();
  const Claim claim = claim_one();
  for (int i = 0; i < 100; ++i) {
    std::vector<TimelineEvent> ten;
    for (int j = 0; j < 10; ++j) ten.push_back(hook(now, std::to_string(10 * i + j)));
    store().append_events(id, std::move(ten));
  }
  succeed(claim);
  const std::vector<std::string> all = words(store().timeline(id).value());
  ASSERT_EQ(all.size(), 1004u);
  for (std::size_t i = 0; i < 1000; ++i) EXPECT_EQ(all[i + 3], "{\"hook\":\"" + std::to_string(i) + "\"}");
}

TEST_P(StoreConformance, EventsOfARunThatIsNotThereAreDropped) {
  store().append_events(new_run_id(now), {hook(now, "nobody")});
  store().append_events(RunId("nonsense"), {hook(now, "nobody")});
  const RunId id = enqueued();
  store().append_events(id, {});
  EXPECT_EQ(store().timeline(id)->size(), 1u);
}

}  // namespace
}  // namespace perdure::store::conformance
