// Bulk actions as the store keeps them.
#include "tests/store/conformance/suite.h"

namespace perdure::store::conformance {
namespace {

BulkAction full_action(Time now, const RunId& run) {
  BulkAction action;
  action.id = new_bulk_action_id(now);
  action.kind = BulkKind::kReplay;
  action.name = "all of them";
  action.runs = {run};
  action.filter.statuses = {RunStatus::kFailed, RunStatus::kExpired};
  action.filter.told = true;
  action.filter.tasks = {TaskId("echo"), TaskId("t")};
  action.filter.tags = {"a"};
  action.filter.schedules = {new_schedule_id(now)};
  action.filter.versions = {VersionId("v")};
  action.filter.queues = {QueueName("q")};
  action.filter.machines = {"micro"};
  action.filter.is_test = false;
  action.filter.bulk_action = new_bulk_action_id(now);
  action.filter.from = now - seconds(5);
  action.filter.to = now;
  action.created_at = now;
  action.success = 7;
  action.failure = 300;
  action.taken = 1;
  action.cursor = run;
  action.batch = {{run, new_run_id(now)}, {new_run_id(now), {}}};
  return action;
}

TEST_P(StoreConformance, ABulkActionIsKeptWhole) {
  const BulkAction action = full_action(now, enqueued());
  EXPECT_EQ(store().bulk_action(action.id).status().code(), Code::kNotFound);
  ASSERT_TRUE(put_bulk_action(store(), action));
  EXPECT_TRUE(store().bulk_action(action.id).value() == action);
  reopen();
  EXPECT_TRUE(store().bulk_action(action.id).value() == action);
  BulkAction changed = action;
  changed.status = BulkStatus::kAborted;
  changed.completed_at = now;
  changed.batch.clear();
  changed.filter.is_test = true;
  ASSERT_TRUE(put_bulk_action(store(), changed));
  EXPECT_TRUE(store().bulk_action(action.id).value() == changed);
  BulkAction nameless = action;
  nameless.id = BulkActionId("bulk_x");
  EXPECT_EQ(put_bulk_action(store(), nameless).code(), Code::kInvalid);
  EXPECT_EQ(store().bulk_action(nameless.id).status().code(), Code::kNotFound);
}

TEST_P(StoreConformance, BulkActionsThatArePendingAreFoundOldestFirst) {
  std::vector<BulkAction> actions;
  for (int i = 0; i < 4; ++i) {
    actions.emplace_back().id = new_bulk_action_id(now + seconds(i));
    ASSERT_TRUE(put_bulk_action(store(), actions.back()));
  }
  actions[1].status = BulkStatus::kCompleted;
  ASSERT_TRUE(put_bulk_action(store(), actions[1]));
  reopen();
  EXPECT_EQ(store().pending_bulk_actions(10).value(),
            (std::vector<BulkActionId>{actions[0].id, actions[2].id, actions[3].id}));
  EXPECT_EQ(store().pending_bulk_actions(1).value(), std::vector<BulkActionId>{actions[0].id});
}

TEST_P(StoreConformance, BulkActionsAreListedNewestFirst) {
  std::vector<BulkActionId> ids;
  for (int i = 0; i < 5; ++i) {
    BulkAction action;
    action.id = new_bulk_action_id(now + seconds(i));
    ids.push_back(action.id);
    ASSERT_TRUE(put_bulk_action(store(), action));
  }
  const auto page = [&](const BulkActionId& after, const BulkActionId& before) {
    const BulkActionPage found = store().bulk_actions(after, before, 2).value();
    std::string text;
    for (const BulkAction& action : found.actions) {
      for (std::size_t i = 0; i < ids.size(); ++i) {
        if (ids[i] == action.id) text += std::to_string(i);
      }
    }
    return text + (found.more_before ? "<" : "") + (found.more_after ? ">" : "");
  };
  EXPECT_EQ(page({}, {}), "43>");
  EXPECT_EQ(page(ids[3], {}), "21<>");
  EXPECT_EQ(page(ids[1], {}), "0<");
  EXPECT_EQ(page(ids[0], {}), "<");
  EXPECT_EQ(page({}, ids[1]), "32<>");
  EXPECT_EQ(page({}, ids[3]), "4>");
  EXPECT_EQ(page({}, ids[4]), ">");
}

TEST_P(StoreConformance, RunsAreFoundByTheBulkActionThatCanceledOrMadeThem) {
  const RunId first = enqueued(), second = enqueued(), other = enqueued();
  BulkAction action;
  action.id = new_bulk_action_id(now);
  ASSERT_TRUE(put_bulk_action(store(), action, {first}));
  ASSERT_TRUE(put_bulk_action(store(), action, {second, first, new_run_id(now)}));
  RunFilter filter;
  filter.bulk_action = action.id;
  EXPECT_EQ(ids_of(store().list(filter)->runs), (std::vector<RunId>{second, first}));
  filter.statuses = {RunStatus::kCanceled};
  EXPECT_TRUE(store().list(filter)->runs.empty());
  filter.statuses.clear();
  filter.bulk_action = new_bulk_action_id(now);
  EXPECT_TRUE(store().list(filter)->runs.empty());
}

}  // namespace
}  // namespace perdure::store::conformance
