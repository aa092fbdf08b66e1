// The table of a child's states.
#include "host/process/child_state.h"

#include <gtest/gtest.h>

#include <vector>

namespace perdure::process::test {
namespace {

using S = ChildState;
using E = ChildEvent;

std::vector<S> all_states() {
  std::vector<S> states;
  for (std::size_t i = 0; i < kChildStateCount; i++) states.push_back(static_cast<S>(i));
  return states;
}
std::vector<E> all_events() {
  std::vector<E> events;
  for (std::size_t i = 0; i < kChildEventCount; i++) events.push_back(static_cast<E>(i));
  return events;
}

TEST(ChildState, AForkedAheadChildGoesThroughAnAttempt) {
  EXPECT_EQ(next_state(S::kIdle, E::kGiven), S::kExecuting);
  EXPECT_EQ(next_state(S::kExecuting, E::kOutcome), S::kFinished);
  EXPECT_EQ(next_state(S::kFinished, E::kConfirmed), S::kLeaving);
  EXPECT_EQ(next_state(S::kLeaving, E::kDied), S::kDead);
}

TEST(ChildState, ARecycledChildIsIdleAgain) { EXPECT_EQ(next_state(S::kFinished, E::kRecycled), S::kIdle); }

TEST(ChildState, AnOutcomeIsAcceptedOnlyWhereOneIsDue) {
  for (const S state : all_states()) {
    const bool due = state == S::kExecuting;
    const bool over = state == S::kLeaving;  // whatever it says then is ignored
    EXPECT_EQ(next_state(state, E::kOutcome).has_value(), due || over) << static_cast<int>(state);
  }
}

TEST(ChildState, ARequestIsAcceptedOnlyOfAnAttempt) {
  for (const S state : all_states()) {
    const bool attempt = state == S::kExecuting || state == S::kCrashing;
    const bool over = state == S::kLeaving;  // whatever it says then is ignored
    EXPECT_EQ(next_state(state, E::kRequest).has_value(), attempt || over) << static_cast<int>(state);
  }
}

TEST(ChildState, EveryLiveChildCanBeEndedAndCanDie) {
  for (const S state : all_states()) {
    if (state == S::kDead) continue;
    EXPECT_EQ(next_state(state, E::kViolation), S::kLeaving) << static_cast<int>(state);
    EXPECT_EQ(next_state(state, E::kDied), S::kDead) << static_cast<int>(state);
  }
}

TEST(ChildState, NothingHappensToADeadChild) {
  for (const E event : all_events()) EXPECT_FALSE(next_state(S::kDead, event)) << static_cast<int>(event);
}

TEST(ChildState, ALeavingChildOnlyDies) {
  for (const E event : all_events()) {
    if (event == E::kDied) continue;
    EXPECT_EQ(next_state(S::kLeaving, event).value_or(S::kLeaving), S::kLeaving) << static_cast<int>(event);
  }
}

TEST(ChildState, ACrashedChildServesNoOther) {
  EXPECT_EQ(next_state(S::kExecuting, E::kCrash), S::kCrashing);
  for (const E event : {E::kOutcome, E::kConfirmed, E::kRecycled, E::kGiven}) {
    EXPECT_FALSE(next_state(S::kCrashing, event)) << static_cast<int>(event);
  }
}

}  // namespace
}  // namespace perdure::process::test
