// GET /api/v1/runs.
#include "tests/api/api_test.h"

namespace perdure::api {
namespace {

class List : public ApiTest {
 protected:
  // The ids on the page, newest first.
  [[nodiscard]] std::vector<std::string> ids(const std::string& query) const {
    std::vector<std::string> found;
    const Answer answer = get("/api/v1/runs?" + query);
    EXPECT_EQ(answer.status, 200) << answer.body;
    const auto page = answer.json();
    for (const auto& run : page.at("data").as_array()) found.push_back(text_at(run, "id"));
    return found;
  }
  // Runs created a second apart, oldest first.
  std::vector<std::string> make_runs(int count, const std::string& task = "echo") {
    std::vector<std::string> made;
    for (int i = 0; i < count; ++i) {
      made.push_back(engine
                         ->make_run(task,
                                    [this](store::NewRun& run) {
                                      run.now = clock_;
                                      run.id = store::new_run_id(clock_);
                                      clock_ += std::chrono::seconds(1);
                                    })
                         .text());
    }
    return made;
  }

  store::Time clock_{std::chrono::milliseconds(1'700'000'000'000)};
};

const std::string kSize = "page%5Bsize%5D=";

TEST_F(List, OfNothingIsAnEmptyPage) { EXPECT_EQ(get("/api/v1/runs").body, R"({"data":[],"pagination":{}})"); }

TEST_F(List, HasTheContractsItems) {
  make_runs(1);
  const auto item = get("/api/v1/runs").json().at("data").at(0);
  for (const char* field : {"id", "taskIdentifier", "status", "isQueued", "isTest", "createdAt", "updatedAt", "tags",
                            "costInCents", "baseCostInCents", "durationMs", "env.id", "env.name"}) {
    EXPECT_FALSE(at(item, field).is_null()) << field;
  }
  for (const char* absent : {"payload", "output", "error", "depth", "relatedRuns"}) {
    EXPECT_TRUE(at(item, absent).is_null()) << absent;
  }
}

TEST_F(List, WalksPagesForthAndBack) {
  const std::vector<std::string> made = make_runs(5);
  const auto page = [this](const std::string& query) { return get("/api/v1/runs?" + kSize + "2" + query).json(); };
  const auto first = page("");
  EXPECT_EQ(text_at(first, "data") + text_at(first.at("data").at(0), "id"), "(no text)" + made[4]);
  EXPECT_TRUE(at(first, "pagination.previous").is_null());
  const auto second = page("&page%5Bafter%5D=" + text_at(first, "pagination.next"));
  EXPECT_EQ(text_at(second.at("data").at(0), "id"), made[2]);
  EXPECT_EQ(text_at(second.at("data").at(1), "id"), made[1]);
  const auto third = page("&page%5Bafter%5D=" + text_at(second, "pagination.next"));
  EXPECT_EQ(third.at("data").as_array().size(), 1u);
  EXPECT_TRUE(at(third, "pagination.next").is_null());
  const auto back = page("&page%5Bbefore%5D=" + text_at(third, "pagination.previous"));
  EXPECT_EQ(back.at("data"), second.at("data"));
}

TEST_F(List, FiltersByStatusTaskAndTag) {
  const std::vector<std::string> made = make_runs(3);
  const std::string other = make_runs(1, "team/report")[0];
  engine->succeed(engine->claim(), "1");
  EXPECT_EQ(ids("filter%5Bstatus%5D=COMPLETED").size(), 1u);
  EXPECT_EQ(ids("filter%5Bstatus%5D=COMPLETED%2CQUEUED").size(), 4u);
  EXPECT_EQ(ids("filter[taskIdentifier]=team%2Freport"), std::vector<std::string>{other});
  EXPECT_EQ(ids("filter[taskIdentifier]=nothing").size(), 0u);
  engine->make_run("echo", [](store::NewRun& run) { run.options.tags = {"a", "b"}; });
  EXPECT_EQ(ids("filter[tag]=b%2Cc").size(), 1u);
  EXPECT_EQ(ids("filter[tag]=c").size(), 0u);
}

TEST_F(List, FiltersByQueueVersionMachineAndTest) {
  make_runs(2);
  const std::string one = engine
                              ->make_run("echo",
                                         [](store::NewRun& run) {
                                           run.queue = store::QueueName("q");
                                           run.options.machine = "micro";
                                           run.options.is_test = true;
                                         })
                              .text();
  EXPECT_EQ(ids("filter[queue]=q"), std::vector<std::string>{one});
  EXPECT_EQ(ids("filter[queue]=task%2Fecho").size(), 2u);
  EXPECT_EQ(ids("filter[machine]=micro,small-1x"), std::vector<std::string>{one});
  EXPECT_EQ(ids("filter[isTest]=true"), std::vector<std::string>{one});
  EXPECT_EQ(ids("filter[isTest]=false").size(), 2u);
  EXPECT_EQ(ids("filter[version]=" + std::string(64, 'a')).size(), 0u);
  engine->claim();
  EXPECT_EQ(ids("filter[version]=" + std::string(64, 'a')).size(), 1u);
}

TEST_F(List, FiltersByTimeOfCreation) {
  const std::vector<std::string> made = make_runs(3);
  EXPECT_EQ(ids("filter[createdAt][from]=1700000001000"), (std::vector<std::string>{made[2], made[1]}));
  EXPECT_EQ(ids("filter[createdAt][to]=2023-11-14T22:13:20.000Z"), std::vector<std::string>{made[0]});
  EXPECT_EQ(ids("filter[createdAt][period]=1h").size(), 0u);
  EXPECT_EQ(ids("filter[createdAt][period]=2000w").size(), 3u);
}

TEST_F(List, CountsARunInItsBackoffAsQueued) {
  const store::RunId retried = engine->make_run();
  const store::Claim claim = engine->claim();
  engine->fail(claim, {}, store::RetryAt{claim.run.created_at + std::chrono::hours(1)});
  const store::RunId delayed =
      engine->make_run("echo", [](store::NewRun& run) { run.delayed_until = run.now + std::chrono::hours(1); });
  EXPECT_EQ(ids("filter[status]=QUEUED"), std::vector<std::string>{retried.text()});
  EXPECT_EQ(ids("filter[status]=DELAYED"), std::vector<std::string>{delayed.text()});
  EXPECT_EQ(ids("filter[status]=DELAYED,QUEUED").size(), 2u);
}

TEST_F(List, OfDelayedRunsHasWholePagesAmongRunsInBackoff) {
  std::vector<std::string> delayed;
  for (int i = 0; i < 12; ++i) {
    make_runs(1);
    const store::Claim claim = engine->claim();
    engine->fail(claim, {}, store::RetryAt{claim.run.created_at + std::chrono::hours(1'000'000)});
    delayed.insert(delayed.begin(), engine
                                        ->make_run("echo",
                                                   [this](store::NewRun& run) {
                                                     run.now = clock_;
                                                     run.id = store::new_run_id(clock_);
                                                     run.delayed_until = clock_ + std::chrono::hours(1'000'000);
                                                     clock_ += std::chrono::seconds(1);
                                                   })
                                        .text());
  }
  std::vector<std::string> walked;
  std::string query = kSize + "5&filter[status]=DELAYED";
  std::string cursor;
  std::string last_first;
  do {
    const auto page = get("/api/v1/runs?" + query + cursor).json();
    for (const auto& run : page.at("data").as_array()) walked.push_back(text_at(run, "id"));
    last_first = text_at(page.at("data").at(0), "id");
    cursor = at(page, "pagination.next").is_null() ? "" : "&page[after]=" + text_at(page, "pagination.next");
  } while (!cursor.empty());
  EXPECT_EQ(walked, delayed);
  const auto back = get("/api/v1/runs?" + query + "&page[before]=" + last_first).json();
  EXPECT_EQ(back.at("data").as_array().size(), 5u);
  EXPECT_EQ(text_at(back.at("data").at(0), "id"), delayed[5]);
  EXPECT_EQ(text_at(back, "pagination.previous"), delayed[5]);
}

TEST_F(List, HasNoRunsInAnyRegionWhateverElseIsAsked) {
  make_runs(1);
  const std::string region = "filter[region]=eu";
  for (const std::string& query : {region, region + "&filter[createdAt][period]=1h",
                                   "filter[createdAt][from]=0&" + region + "&filter[createdAt][to]=2030-01-01"}) {
    const Answer answer = get("/api/v1/runs?" + query);
    EXPECT_EQ(answer.status, 200) << query;
    EXPECT_TRUE(answer.json().at("data").as_array().empty()) << query;
  }
}

TEST_F(List, RefusesWrongFiltersInTheContractsShape) {
  const Answer answer = get("/api/v1/runs?filter%5Bstatus%5D=BAD%2CQUEUED%2CWORSE");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.body,
            R"({"error":"Query Error","details":[{"code":"custom","message":"Invalid status values: BAD, WORSE",)"
            R"("path":["filter[status]"]}]})");
  for (const std::string query :
       {"page[size]=0", "page[size]=101", "page[size]=x", "page[after]=abc", "filter[createdAt][from]=yesterday",
        "filter[createdAt][period]=long", "filter[batch]=b", "filter[moon]=eu", "filter[bulkAction]=b",
        "filter[isTest]=x", "filter[whatever]=1", "status=FAILED", "limit=1"}) {
    EXPECT_EQ(get("/api/v1/runs?" + query).status, 400) << query;
  }
  EXPECT_EQ(get("/api/v1/runs?filter%5Btag%5D=").status, 200);
}

}  // namespace
}  // namespace perdure::api
