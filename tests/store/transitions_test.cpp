// The state machine of a run, pair by pair, and its picture in store/README.md.
#include "store/model/transitions.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace perdure::store {
namespace {

using S = RunStatus;
using E = RunEvent;

std::vector<RunStatus> statuses() {
  std::vector<RunStatus> all;
  for (std::size_t i = 1; i <= kRunStatusCount; ++i) all.push_back(static_cast<RunStatus>(i));
  return all;
}

std::vector<RunEvent> events() {
  std::vector<RunEvent> all;
  for (std::size_t i = 0; i < kRunEventCount; ++i) all.push_back(static_cast<RunEvent>(i));
  return all;
}

// Everything that may happen. Written down a second time, on purpose: what is not here must be illegal.
const std::map<std::pair<RunStatus, RunEvent>, RunStatus> kLegal = {
    {{S::kPendingVersion, E::kReleased}, S::kQueued},    {{S::kPendingVersion, E::kCanceled}, S::kCanceled},
    {{S::kPendingVersion, E::kExpired}, S::kExpired},    {{S::kDelayed, E::kDue}, S::kQueued},
    {{S::kDelayed, E::kCanceled}, S::kCanceled},         {{S::kDelayed, E::kExpired}, S::kExpired},
    {{S::kQueued, E::kHeld}, S::kPendingVersion},        {{S::kQueued, E::kClaimed}, S::kDequeued},
    {{S::kQueued, E::kCanceled}, S::kCanceled},          {{S::kQueued, E::kExpired}, S::kExpired},
    {{S::kDequeued, E::kAttemptStarted}, S::kExecuting}, {{S::kDequeued, E::kRetryNow}, S::kQueued},
    {{S::kDequeued, E::kRetryLater}, S::kDelayed},       {{S::kDequeued, E::kCrashed}, S::kCrashed},
    {{S::kDequeued, E::kGaveUp}, S::kSystemFailure},     {{S::kDequeued, E::kHostLost}, S::kQueued},
    {{S::kDequeued, E::kCanceled}, S::kCanceled},        {{S::kExecuting, E::kSucceeded}, S::kCompleted},
    {{S::kExecuting, E::kRetryNow}, S::kQueued},         {{S::kExecuting, E::kRetryLater}, S::kDelayed},
    {{S::kExecuting, E::kFailed}, S::kFailed},           {{S::kExecuting, E::kCrashed}, S::kCrashed},
    {{S::kExecuting, E::kTimedOut}, S::kTimedOut},       {{S::kExecuting, E::kGaveUp}, S::kSystemFailure},
    {{S::kExecuting, E::kHostLost}, S::kQueued},         {{S::kExecuting, E::kWaitBegan}, S::kWaiting},
    {{S::kExecuting, E::kCanceled}, S::kCanceled},       {{S::kWaiting, E::kResumed}, S::kExecuting},
    {{S::kWaiting, E::kRetryNow}, S::kQueued},           {{S::kWaiting, E::kRetryLater}, S::kDelayed},
    {{S::kWaiting, E::kCrashed}, S::kCrashed},           {{S::kWaiting, E::kGaveUp}, S::kSystemFailure},
    {{S::kWaiting, E::kHostLost}, S::kQueued},           {{S::kWaiting, E::kCanceled}, S::kCanceled},
    {{S::kWaiting, E::kSucceeded}, S::kCompleted},       {{S::kWaiting, E::kFailed}, S::kFailed},
    {{S::kWaiting, E::kTimedOut}, S::kTimedOut},
};

std::string said(RunStatus status, RunEvent event) {
  return std::string(status_name(status)) + " and " + std::string(event_name(event));
}

TEST(Transitions, EveryPairIsDecidedAsListed) {
  for (const RunStatus status : statuses()) {
    for (const RunEvent event : events()) {
      const auto listed = kLegal.find({status, event});
      const std::optional<RunStatus> next = transition(status, event);
      if (listed == kLegal.end()) {
        EXPECT_FALSE(next) << said(status, event);
      } else {
        ASSERT_TRUE(next) << said(status, event);
        EXPECT_EQ(*next, listed->second) << said(status, event);
      }
    }
  }
}

TEST(Transitions, NothingHappensToAFinalRun) {
  for (const RunStatus status : statuses()) {
    if (!is_final(status)) continue;
    for (const RunEvent event : events()) EXPECT_FALSE(transition(status, event)) << said(status, event);
  }
}

TEST(Transitions, EveryUnfinishedRunCanBeCanceled) {
  for (const RunStatus status : statuses()) {
    if (is_final(status)) continue;
    EXPECT_EQ(transition(status, RunEvent::kCanceled), RunStatus::kCanceled) << status_name(status);
  }
}

TEST(Transitions, NumbersThatAreNoStatusOrEventAreIllegal) {
  EXPECT_FALSE(transition(static_cast<S>(0), E::kDue));
  EXPECT_FALSE(transition(static_cast<S>(kRunStatusCount + 1), E::kDue));
  EXPECT_FALSE(transition(S::kDelayed, static_cast<E>(kRunEventCount)));
}

TEST(Transitions, EveryEventHasAnotherName) {
  std::map<std::string_view, int> names;
  for (const RunEvent event : events()) EXPECT_EQ(++names[event_name(event)], 1) << event_name(event);
}

// One arrow for each pair of statuses, with the events that lead from one to the other.
std::string diagram() {
  std::string text = "stateDiagram-v2\n";
  for (const RunStatus from : statuses()) {
    for (const RunStatus to : statuses()) {
      std::string labels;
      for (const RunEvent event : events()) {
        if (transition(from, event) == to) labels += (labels.empty() ? "" : ", ") + std::string(event_name(event));
      }
      if (labels.empty()) continue;
      text += "  " + std::string(status_name(from)) + " --> " + std::string(status_name(to)) + ": " + labels + "\n";
    }
  }
  return text;
}

TEST(Transitions, TheDiagramInTheReadmeIsDrawnFromTheTable) {
  std::ifstream file(PERDURE_SOURCE_DIR "/store/README.md");
  const std::string readme{std::istreambuf_iterator<char>(file), {}};
  const std::string fence = "```mermaid\n";
  const auto begin = readme.find(fence);
  ASSERT_NE(begin, std::string::npos) << "store/README.md needs this between ```mermaid and ```:\n" << diagram();
  const auto end = readme.find("```", begin + fence.size());
  EXPECT_EQ(readme.substr(begin + fence.size(), end - begin - fence.size()), diagram())
      << "put this into store/README.md:\n"
      << diagram();
}

}  // namespace
}  // namespace perdure::store
