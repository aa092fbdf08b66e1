// What a plugin said of its tasks, checked for meaning.
#include "host/catalog/task_table.h"

#include <gtest/gtest.h>

namespace perdure::catalog {
namespace {

const store::VersionId kVersion("0123");

process::Manifest manifest_of(std::vector<process::Manifest::Task> tasks) {
  process::Manifest manifest;
  manifest.plugin = "greetings";
  manifest.tasks = std::move(tasks);
  return manifest;
}

std::string refusal(std::vector<process::Manifest::Task> tasks) {
  const auto read = read_tasks(manifest_of(std::move(tasks)), kVersion);
  return read ? "" : std::string(read.status().message());
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(TaskTable, ReadsEachTaskWithItsOptionsInTheOrderOfTheManifest) {
  const auto tasks =
      read_tasks(manifest_of({{"hello", R"({"retry":{"maxAttempts":5}})", {"cleanup"}}, {"bye", "{}", {}}}), kVersion);
  ASSERT_TRUE(tasks) << tasks.status().message();
  ASSERT_EQ(tasks->size(), 2u);
  EXPECT_EQ((*tasks)[0].id.text(), "hello");
  EXPECT_EQ((*tasks)[0].options.retry.max_attempts, 5);
  EXPECT_EQ((*tasks)[0].hooks, std::vector<std::string>{"cleanup"});
  EXPECT_EQ((*tasks)[0].plugin, "greetings");
  EXPECT_EQ((*tasks)[0].version, kVersion);
  EXPECT_EQ((*tasks)[1].id.text(), "bye");
  EXPECT_EQ((*tasks)[1].options.retry.max_attempts, 3);
}

TEST(TaskTable, CompilesThePayloadSchemaOnceAndRefusesOneThatIsNone) {
  const auto tasks =
      read_tasks(manifest_of({{"hello", R"({"payloadSchema":{"type":"string"}})", {}}, {"bye", "{}", {}}}), kVersion);
  ASSERT_TRUE(tasks) << tasks.status().message();
  ASSERT_NE((*tasks)[0].payload_schema, nullptr);
  EXPECT_TRUE((*tasks)[0].payload_schema->check("1"));
  EXPECT_EQ((*tasks)[1].payload_schema, nullptr);
  EXPECT_TRUE(contains(refusal({{"hello", R"({"payloadSchema":{"properties":{"name":{"type":"text"}}}})", {}}}),
                       "task \"hello\": option payloadSchema/properties/name/type must be one of"));
}

TEST(TaskTable, NamesAnIdThatIsNone) {
  EXPECT_TRUE(contains(refusal({{"two words", "{}", {}}}), "'two words' is not 1 to 128 characters"));
  EXPECT_TRUE(contains(refusal({{"", "{}", {}}}), "is not 1 to 128 characters"));
  EXPECT_TRUE(contains(refusal({{std::string(129, 'a'), "{}", {}}}), "is not 1 to 128 characters"));
  EXPECT_EQ(refusal({{std::string(128, 'a'), "{}", {}}}), "");
}

TEST(TaskTable, NamesATaskThatIsThereTwice) {
  EXPECT_TRUE(contains(refusal({{"a", "{}", {}}, {"a", "{}", {}}}), "the task 'a' twice"));
}

TEST(TaskTable, NamesTheTaskAndThePathOfAWrongOption) {
  const std::string why = refusal({{"good", "{}", {}}, {"bad", R"({"retry":{"maxAttempts":0}})", {}}});
  EXPECT_TRUE(contains(why, "bad")) << why;
  EXPECT_TRUE(contains(why, "maxAttempts")) << why;
}

TEST(TaskTable, KnowsEveryHookThatStandsAroundATask) {
  using process::Hook;
  process::Manifest manifest = manifest_of({{"hello", "{}", {"cleanup"}}, {"bye", "{}", {}}});
  manifest.hooks = {{true, {"middleware", "on_complete"}}, {false, {"catch_error", "of_a_newer_minor"}}};
  const auto tasks = read_tasks(manifest, kVersion);
  ASSERT_TRUE(tasks) << tasks.status().message();
  const process::HookSet of_all{Hook::kMiddleware, Hook::kOnComplete, Hook::kCatchError};
  EXPECT_EQ((*tasks)[0].around, of_all.either({Hook::kCleanup}));
  EXPECT_EQ((*tasks)[1].around, of_all);
}

TEST(TaskTable, RefusesAPluginWithoutTasksUnlessItHasGlobalHooks) {
  EXPECT_TRUE(contains(refusal({}), "registers no task"));
  process::Manifest manifest = manifest_of({});
  manifest.hooks = {{false, {"on_complete"}}};
  EXPECT_FALSE(read_tasks(manifest, kVersion));
  manifest.hooks.push_back({true, {}});
  EXPECT_FALSE(read_tasks(manifest, kVersion));
  manifest.hooks.push_back({true, {"on_complete"}});
  const auto tasks = read_tasks(manifest, kVersion);
  ASSERT_TRUE(tasks) << tasks.status().message();
  EXPECT_TRUE(tasks->empty());
}

}  // namespace
}  // namespace perdure::catalog
