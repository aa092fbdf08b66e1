// Whose children are to be canceled with them: canceled_parents(), children_over().
#include "tests/store/conformance/suite.h"

namespace perdure::store::conformance {
namespace {

using Runs = std::vector<RunId>;

TEST_P(StoreConformance, ARunThatIsCanceledWhenItHasChildrenIsNamedUntilTheseAreOver) {
  const RunId parent = enqueued(), single = enqueued();
  const auto child_of = [this](const RunId& of) {
    NewRun run = new_run();
    run.parent = run.root = of;
    run.depth = 1;
    return enqueued(std::move(run));
  };
  const RunId child = child_of(parent);
  EXPECT_EQ(store().canceled_parents(10).value(), Runs());
  ASSERT_TRUE(cancel(store(), parent, now));
  ASSERT_TRUE(cancel(store(), single, now));
  EXPECT_EQ(store().canceled_parents(10).value(), Runs{parent});
  EXPECT_EQ(status(child), RunStatus::kQueued) << "who asks the store sees to the children";
  if (factory().can_reopen()) reopen();
  EXPECT_EQ(store().canceled_parents(10).value(), Runs{parent});
  EXPECT_EQ(store().canceled_parents(0).value(), Runs());
  bool done = false;
  store().children_over(parent, [&](const Status& written) { done = written.is_ok(); });
  EXPECT_TRUE(done);
  EXPECT_EQ(store().canceled_parents(10).value(), Runs());
}

TEST_P(StoreConformance, AnExecutingParentThatEndsCanceledIsNamedAndOneThatFailsIsNot) {
  for (const RunStatus end : {RunStatus::kCanceled, RunStatus::kFailed}) {
    const RunId parent = enqueued();
    const Claim claimed = claim_one();
    NewRun run = new_run();
    run.parent = run.root = parent;
    run.depth = 1;
    const RunId child = enqueued(std::move(run));
    fail(claimed, GiveUp{end}, FailureKind::kCanceled);
    EXPECT_EQ(store().canceled_parents(10).value(), end == RunStatus::kCanceled ? Runs{parent} : Runs());
    store().children_over(parent, [](const Status&) {});
    ASSERT_TRUE(cancel(store(), child, now));
  }
}

}  // namespace
}  // namespace perdure::store::conformance
