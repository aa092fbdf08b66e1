// What changes of a run beside its status: metadata, tags, streams, children.
#include <algorithm>
#include <thread>

#include "tests/store/conformance/suite.h"

namespace perdure::store::conformance {
namespace {

using enum MetadataChange;

std::vector<std::string> texts(const Result<std::vector<StreamChunk>>& chunks) {
  std::vector<std::string> all;
  for (const StreamChunk& chunk : chunks.value()) all.push_back(chunk.text);
  return all;
}

std::string listed(Store& store, const std::string& tag) {
  RunFilter filter;
  filter.tags = {tag};
  std::string ids;
  const Result<RunPage> page = store.list(filter);
  for (const Run& run : page.value().runs) ids += run.id.text() + " ";
  return ids;
}

// ---- Metadata -------------------------------------------------------------------------------------------------------

TEST_P(StoreConformance, MetadataBeginsAsTriggeredAndIsChangedInEveryStatus) {
  const RunId bare = enqueued("bare");
  EXPECT_EQ(store().metadata(bare).value(), "{}");
  EXPECT_FALSE(run(bare).metadata_changed);
  cancel(store(), bare, now).value();
  NewRun created = new_run();
  created.options.metadata = R"({"a": 1})";
  const RunId id = enqueued(std::move(created));
  EXPECT_EQ(store().metadata(id).value(), R"({"a": 1})");
  ASSERT_TRUE(change_metadata(store(), id, {{kSet, "queued", "true"}}));
  const Claim claim = claim_one();
  EXPECT_TRUE(claim.run.metadata_changed);
  ASSERT_TRUE(change_metadata(store(), id, {{kIncrement, "a", "1"}, {kAppend, "l", "[]"}}));
  succeed(claim);
  ASSERT_TRUE(change_metadata(store(), id, {{kSet, "final", "true"}}));
  EXPECT_EQ(store().metadata(id).value(), R"({"a":2,"queued":true,"l":[[]],"final":true})");
  EXPECT_EQ(run(id).options.metadata, R"({"a": 1})") << "what it was triggered with is kept";
  EXPECT_EQ(status(id), RunStatus::kCompleted);
}

TEST_P(StoreConformance, OfMetadataOperationsThatDoNotFitNoneHappens) {
  const RunId id = enqueued();
  ASSERT_TRUE(change_metadata(store(), id, {{kSet, "a", "1"}}));
  EXPECT_EQ(change_metadata(store(), id, {{kSet, "a", "2"}, {kAppend, "a", "1"}}).code(), Code::kInvalid);
  const std::string large = '"' + std::string(kMostMetadata, 'x') + '"';
  EXPECT_EQ(change_metadata(store(), id, {{kSet, "b", large}}).code(), Code::kInvalid);
  EXPECT_EQ(store().metadata(id).value(), R"({"a":1})");
  EXPECT_EQ(change_metadata(store(), new_run_id(now), {{kSet, "a", "1"}}).code(), Code::kNotFound);
  EXPECT_EQ(change_metadata(store(), RunId("x"), {{kSet, "a", "1"}}).code(), Code::kNotFound);
  EXPECT_EQ(store().metadata(new_run_id(now)).status().code(), Code::kNotFound);
}

TEST_P(StoreConformance, AFirstChangeOfMetadataThatIsRefusedLosesNothing) {
  NewRun created = new_run();
  created.options.metadata = R"({"a":1})";
  const RunId id = enqueued(std::move(created));
  EXPECT_EQ(change_metadata(store(), id, {{kAppend, "a", "1"}}).code(), Code::kInvalid);
  ASSERT_TRUE(change_metadata(store(), id, {{kSet, "b", "2"}}));
  EXPECT_EQ(store().metadata(id).value(), R"({"a":1,"b":2})");
  reopen();
  EXPECT_EQ(store().metadata(id).value(), R"({"a":1,"b":2})");
}

TEST_P(StoreConformance, ChangesOfMetadataByManyThreadsLoseNothing) {
  constexpr int kThreads = 8, kChanges = 200;
  const RunId id = enqueued();
  const Claim claim = claim_one();
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kChanges; ++i) {
        const std::string item = std::to_string(thread * kChanges + i);
        EXPECT_TRUE(change_metadata(store(), id, {{kAppend, "items", item}, {kIncrement, "count", "1"}}));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  succeed(claim);
  const std::string metadata = store().metadata(id).value();
  EXPECT_TRUE(metadata.ends_with(",\"count\":1600}")) << metadata.substr(metadata.size() - 40);
  for (int i = 0; i < kThreads * kChanges; ++i) {
    const std::string item = std::to_string(i);
    const bool is_there = metadata.find("," + item + ",") != std::string::npos ||
                          metadata.find("[" + item + ",") != std::string::npos ||
                          metadata.find("," + item + "]") != std::string::npos;
    EXPECT_TRUE(is_there) << item;
  }
}

TEST_P(StoreConformance, ChangedMetadataIsThereAfterOpeningAgain) {
  if (!factory().can_reopen()) GTEST_SKIP() << "the engine cannot be opened again";
  const RunId id = enqueued();
  std::string expected = "{\"l\":[";
  for (int i = 0; i < 700; ++i) {
    ASSERT_TRUE(change_metadata(store(), id, {{kAppend, "l", std::to_string(i)}}));
    expected += (i > 0 ? "," : "") + std::to_string(i);
    if (i % 100 == 50) reopen();
    EXPECT_EQ(store().metadata(id).value(), expected + "]}");
  }
  reopen();
  EXPECT_EQ(store().metadata(id).value(), expected + "]}");
  EXPECT_TRUE(run(id).metadata_changed);
}

TEST_P(StoreConformance, MetadataTagsAndStreamsThatAreDurableSurviveALossOfPower) {
  if (!factory().can_lose_power()) GTEST_SKIP() << "the engine cannot lose power";
  const RunId id = enqueued();
  ASSERT_TRUE(change_metadata(store(), id, {{kSet, "a", "1"}}));
  ASSERT_TRUE(add_tags(store(), id, {"tag"}));
  ASSERT_TRUE(append_stream(store(), {.run = id, .name = "s", .chunks = {"one"}, .now = now}));
  ASSERT_TRUE(synced(store()));
  lose_power();
  EXPECT_EQ(store().metadata(id).value(), R"({"a":1})");
  EXPECT_EQ(run(id).options.tags, std::vector<std::string>{"tag"});
  EXPECT_EQ(texts(store().read_stream(id, "s", 0, 10)), std::vector<std::string>{"one"});
}

// ---- Tags -----------------------------------------------------------------------------------------------------------

TEST_P(StoreConformance, TagsAreAddedAllOrNoneAndTheIndexFollows) {
  NewRun created = new_run();
  created.options.tags = {"first"};
  const RunId id = enqueued(std::move(created));
  EXPECT_EQ(add_tags(store(), id, {"second", "first", "second"}).value(), 1u);
  const Claim claim = claim_one();
  EXPECT_EQ(claim.run.options.tags, (std::vector<std::string>{"first", "second"}));
  EXPECT_EQ(add_tags(store(), id, {"third"}).value(), 1u);
  succeed(claim);
  EXPECT_EQ(add_tags(store(), id, {"third"}).value(), 0u);
  EXPECT_EQ(run(id).options.tags, (std::vector<std::string>{"first", "second", "third"}));
  for (const char* tag : {"first", "second", "third"}) EXPECT_EQ(listed(store(), tag), id.text() + " ");
  std::vector<std::string> many;
  for (int i = 0; i < 8; ++i) many.push_back("more" + std::to_string(i));
  EXPECT_EQ(add_tags(store(), id, many).status().code(), Code::kInvalid);
  EXPECT_EQ(add_tags(store(), id, {"good", ""}).status().code(), Code::kInvalid);
  EXPECT_EQ(add_tags(store(), id, {"good", std::string(129, 'x')}).status().code(), Code::kInvalid);
  EXPECT_EQ(listed(store(), "more0") + listed(store(), "good"), "");
  many.pop_back();
  EXPECT_EQ(add_tags(store(), id, many).value(), 7u);
  EXPECT_EQ(add_tags(store(), new_run_id(now), {"a"}).status().code(), Code::kNotFound);
}

TEST_P(StoreConformance, ARunKeepsItsPlaceInTheQueueWhenTagsAndMetadataChange) {
  const RunId first = enqueued();
  const RunId second = enqueued();
  now += seconds(1);
  ASSERT_TRUE(add_tags(store(), first, {"tag"}));
  ASSERT_TRUE(change_metadata(store(), first, {{kSet, "a", "1"}}));
  reopen();
  EXPECT_EQ(ids_of(claim(1)), std::vector<RunId>{first});
  EXPECT_EQ(ids_of(claim(1)), std::vector<RunId>{second});
}

// ---- Streams --------------------------------------------------------------------------------------------------------

TEST_P(StoreConformance, AStreamIsReadFromItsStartOrAfterASequence) {
  const RunId id = enqueued();
  const Claim claim = claim_one();
  EXPECT_EQ(texts(store().read_stream(id, "lines", 0, 10)), std::vector<std::string>{});
  ASSERT_TRUE(append_stream(store(), {.run = id, .name = "lines", .chunks = {"a", "b"}, .now = now}));
  const Time later = now += seconds(1);
  ASSERT_TRUE(append_stream(store(), {.run = id, .name = "lines", .chunks = {"", "d"}, .now = now}));
  ASSERT_TRUE(append_stream(store(), {.run = id, .name = "line", .chunks = {"other"}, .now = now}));
  succeed(claim);
  ASSERT_TRUE(append_stream(store(), {.run = id, .name = "lines", .chunks = {"e"}, .now = now}));
  EXPECT_EQ(texts(store().read_stream(id, "lines", 0, 10)), (std::vector<std::string>{"a", "b", "", "d", "e"}));
  EXPECT_EQ(texts(store().read_stream(id, "lines", 1, 2)), (std::vector<std::string>{"b", ""}));
  EXPECT_EQ(texts(store().read_stream(id, "lines", 5, 10)), std::vector<std::string>{});
  EXPECT_EQ(texts(store().read_stream(id, "lines", UINT64_MAX, 10)), std::vector<std::string>{});
  const StreamChunk third = store().read_stream(id, "lines", 2, 1).value().at(0);
  EXPECT_EQ(third, (StreamChunk{3, later, ""}));
  const std::vector<StreamInfo> expected = {{"line", 1, 5 + kChunkCost}, {"lines", 5, 4 + 5 * kChunkCost}};
  EXPECT_EQ(store().streams(id).value(), expected);
  EXPECT_EQ(store().streams(new_run_id(now)).status().code(), Code::kNotFound);
  EXPECT_EQ(store().read_stream(new_run_id(now), "lines", 0, 1).status().code(), Code::kNotFound);
}

TEST_P(StoreConformance, AStreamGoesOnWhereItWasAfterOpeningAgain) {
  const RunId id = enqueued();
  claim_one();
  ASSERT_TRUE(append_stream(store(), {.run = id, .name = "s", .chunks = {"a", "b"}, .now = now}));
  reopen();
  ASSERT_TRUE(append_stream(store(), {.run = id, .name = "s", .chunks = {"c"}, .now = now}));
  EXPECT_EQ(texts(store().read_stream(id, "s", 0, 10)), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(store().streams(id).value(), (std::vector<StreamInfo>{{"s", 3, 3 + 3 * kChunkCost}}));
}

TEST_P(StoreConformance, WhatAStreamMustNotTakeIsRefusedWhole) {
  const RunId id = enqueued();
  const auto code = [&](const std::string& name, std::vector<std::string> chunks, std::uint64_t limit = 1u << 30) {
    return append_stream(store(), {.run = id, .name = name, .chunks = std::move(chunks), .now = now, .limit = limit})
        .code();
  };
  EXPECT_EQ(code("", {"a"}), Code::kInvalid);
  EXPECT_EQ(code(std::string(129, 'n'), {"a"}), Code::kInvalid);
  EXPECT_EQ(code("s", {"a", std::string(kMostChunk + 1, 'x')}), Code::kInvalid);
  EXPECT_EQ(code("s", {std::string(kMostChunk, 'x')}), Code::kOk);
  EXPECT_EQ(code("t", {"a"}, kMostChunk + 2 * kChunkCost), Code::kInvalid) << "the limit is for all streams together";
  EXPECT_EQ(code("t", {"a"}, kMostChunk + 2 * kChunkCost + 1), Code::kOk);
  for (std::size_t i = 2; i < kMostStreams; ++i) ASSERT_EQ(code("n" + std::to_string(i), {""}), Code::kOk);
  EXPECT_EQ(code("one more", {""}), Code::kInvalid);
  EXPECT_EQ(code("s", {"goes on"}), Code::kOk);
  EXPECT_EQ(store().streams(id).value().size(), kMostStreams);
  EXPECT_EQ(append_stream(store(), {.run = new_run_id(now), .name = "s", .chunks = {"a"}, .now = now}).code(),
            Code::kNotFound);
}

TEST_P(StoreConformance, OnePageOfAStreamIsBoundedInBytes) {
  const RunId id = enqueued();
  for (int i = 0; i < 6; ++i) {
    const std::string half(kStreamPage / 2, static_cast<char>('a' + i));
    ASSERT_TRUE(append_stream(store(), {.run = id, .name = "s", .chunks = {half}, .now = now}));
  }
  std::uint64_t after = 0;
  for (int i = 0; i < 3; ++i) {
    const std::vector<StreamChunk> page = store().read_stream(id, "s", after, 100).value();
    ASSERT_EQ(page.size(), 2u);
    after = page.back().sequence;
  }
  EXPECT_EQ(after, 6u);
}

// ---- Children -------------------------------------------------------------------------------------------------------

TEST_P(StoreConformance, ChildrenKnowTheirParentAndTheParentItsChildren) {
  const RunId parent = enqueued("parent");
  std::vector<RunId> children;
  for (int i = 0; i < 5; ++i) {
    NewRun child = new_run("child");
    child.parent = child.root = parent;
    child.depth = 1;
    child.call = static_cast<std::uint64_t>(i) + 1;
    children.push_back(enqueued(std::move(child)));
    now += milliseconds(1);
  }
  reopen();
  EXPECT_EQ(run(children[0]).parent, parent);
  EXPECT_EQ(run(children[0]).root, parent);
  EXPECT_EQ(run(children[0]).depth, 1u);
  EXPECT_EQ(run(parent).parent, RunId());
  EXPECT_EQ(store().children(parent, {}, 100).value(), children);
  EXPECT_EQ(store().children(parent, children[1], 2).value(), (std::vector<RunId>{children[2], children[3]}));
  EXPECT_EQ(store().children(parent, children[4], 100).value(), std::vector<RunId>{});
  EXPECT_EQ(store().children(children[0], {}, 100).value(), std::vector<RunId>{});
  EXPECT_EQ(store().children(new_run_id(now), {}, 100).status().code(), Code::kNotFound);
}

TEST_P(StoreConformance, TheSameCallOfALaterAttemptGetsTheSameChild) {
  const RunId parent = enqueued("parent");
  const auto call = [&](std::uint64_t number, const std::string& task, const std::string& key = {}) {
    NewRun child = new_run(task);
    child.parent = child.root = parent;
    child.call = number;
    child.options.idempotency_key = key;
    return enqueue(store(), std::move(child));
  };
  const Enqueued first = call(1, "child").value();
  EXPECT_FALSE(first.existing);
  const Enqueued again = call(1, "child").value();
  EXPECT_EQ(again.id, first.id);
  EXPECT_TRUE(again.existing && again.same_request);
  EXPECT_EQ(call(1, "another").status().code(), Code::kConflict);
  EXPECT_NE(call(2, "child").value().id, first.id);
  EXPECT_EQ(store().children(parent, {}, 10).value().size(), 2u);

  // A call that an idempotency key answered is answered so for good, whatever becomes of the key.
  const Enqueued keyed = call(3, "child", "key").value();
  const Enqueued found = call(4, "child", "key").value();
  EXPECT_EQ(found.id, keyed.id);
  now += std::chrono::hours(24 * 365);
  reopen();
  EXPECT_EQ(call(4, "child", "key").value().id, keyed.id);
  EXPECT_NE(call(5, "child", "key").value().id, keyed.id);
}

}  // namespace
}  // namespace perdure::store::conformance
