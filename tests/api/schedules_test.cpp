// Schedules over HTTP: the contract's shapes and refusals, and Perdure's own members and routes.
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <chrono>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include "tests/api/api_test.h"

namespace perdure::api {
namespace {

namespace json = boost::json;

class Schedules : public ApiTest {
 protected:
  [[nodiscard]] Answer create(const std::string& body) const { return post("/api/v1/schedules", body); }
  [[nodiscard]] std::string made(const std::string& key = "k", const std::string& more = {}) const {
    const Answer answer =
        create(R"({"task":"echo","cron":"*/5 * * * *","deduplicationKey":")" + key + "\"" + more + "}");
    EXPECT_EQ(answer.status, 200) << answer.body;
    return text_at(answer.json(), "id");
  }
  [[nodiscard]] Answer put(const std::string& id, const std::string& body) const {
    return ask(request_text("PUT", "/api/v1/schedules/" + id, body));
  }
  [[nodiscard]] Answer remove(const std::string& id) const {
    return ask(request_text("DELETE", "/api/v1/schedules/" + id, {}));
  }
  [[nodiscard]] json::value show(const std::string& id) const { return get("/api/v1/schedules/" + id).json(); }
  [[nodiscard]] json::value show_whole(const std::string& id) const {
    return get("/perdure/v1/schedules/" + id).json();
  }
  // One that a task declares.
  [[nodiscard]] std::string declared() const {
    store::Schedule schedule;
    schedule.id = store::new_schedule_id(wall_clock_now());
    schedule.type = store::ScheduleType::kDeclarative;
    schedule.task = store::TaskId("echo");
    schedule.rule.pattern = "@daily";
    schedule.declared_by = "greetings";
    std::promise<std::string> problem;
    engine->store().put_schedule(
        schedule, [&](const store::Result<store::Schedule>& stored) { problem.set_value(stored.status().message()); });
    EXPECT_EQ(problem.get_future().get(), "");
    return schedule.id.text();
  }
  static store::Time wall_clock_now() {
    return std::chrono::time_point_cast<store::Duration>(std::chrono::system_clock::now());
  }
};

TEST_F(Schedules, OneThatIsMadeIsAnsweredInTheContractsShape) {
  const Answer answer = create(R"({"task":"echo","cron":"30 9 * * MON","deduplicationKey":"dk","externalId":"u1",
      "timezone":"Europe/Paris"})");
  EXPECT_EQ(answer.status, 200) << answer.body;
  const json::value schedule = answer.json();
  EXPECT_TRUE(text_at(schedule, "id").starts_with("sched_"));
  EXPECT_EQ(text_at(schedule, "id").find('_', 6), std::string::npos);
  EXPECT_EQ(text_at(schedule, "type"), "IMPERATIVE");
  EXPECT_EQ(text_at(schedule, "task"), "echo");
  EXPECT_EQ(at(schedule, "active"), json::value(true));
  EXPECT_EQ(text_at(schedule, "deduplicationKey"), "dk");
  EXPECT_EQ(text_at(schedule, "externalId"), "u1");
  EXPECT_EQ(text_at(schedule, "timezone"), "Europe/Paris");
  EXPECT_EQ(json::serialize(at(schedule, "generator")),
            R"({"type":"CRON","expression":"30 9 * * MON","description":"At 09:30 on Monday"})");
  EXPECT_EQ(text_at(schedule, "nextRun"), text_at(schedule, "nextRunEffectiveAt"));
  EXPECT_TRUE(text_at(schedule, "nextRun").ends_with(":30:00.000Z"));
  EXPECT_EQ(json::serialize(at(schedule, "environments")), R"([{"id":"env_local","type":"PRODUCTION"}])");
  EXPECT_EQ(at(schedule, "window"), json::value(nullptr)) << "clients know another shape of it";
  EXPECT_EQ(show(text_at(schedule, "id")), schedule);
}

TEST_F(Schedules, AKnownDeduplicationKeyChangesThatScheduleAndAnswersIt) {
  const std::string id = made("k", R"(,"externalId":"u1","timezone":"Asia/Tokyo")");
  const Answer again = create(R"({"task":"team/report","cron":"@daily","deduplicationKey":"k"})");
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(text_at(again.json(), "id"), id);
  EXPECT_EQ(text_at(again.json(), "task"), "team/report");
  EXPECT_EQ(text_at(again.json(), "timezone"), "UTC");
  EXPECT_EQ(at(again.json(), "externalId"), json::value(nullptr));
  EXPECT_NE(made("other"), id);
}

TEST_F(Schedules, AnUpdateReturnsWhatIsLeftOutToItsDefault) {
  const std::string id = made("k", R"(,"externalId":"u1","timezone":"Asia/Tokyo","window":"30m","overlap":"skip")");
  const Answer updated = put(id, R"({"task":"echo","cron":"0 0 L * *"})");
  EXPECT_EQ(updated.status, 200) << updated.body;
  EXPECT_EQ(text_at(updated.json(), "generator.expression"), "0 0 L * *");
  EXPECT_EQ(text_at(updated.json(), "timezone"), "UTC");
  EXPECT_EQ(at(updated.json(), "externalId"), json::value(nullptr));
  EXPECT_EQ(text_at(updated.json(), "deduplicationKey"), "k");
  EXPECT_EQ(at(show_whole(id), "window"), json::value(nullptr));
  EXPECT_EQ(text_at(show_whole(id), "overlap"), "allow");
}

TEST_F(Schedules, ABodyOfAnotherShapeIs400) {
  for (const char* body :
       {"", "{", "[]", "\"x\"", "{}", R"({"task":"echo","cron":"@daily"})", R"({"task":"echo","deduplicationKey":"k"})",
        R"({"cron":"@daily","deduplicationKey":"k"})", R"({"task":1,"cron":"@daily","deduplicationKey":"k"})",
        R"({"task":"echo","cron":["@daily"],"deduplicationKey":"k"})",
        R"({"task":"echo","cron":"@daily","deduplicationKey":" "})",
        R"({"task":"echo","cron":"@daily","deduplicationKey":"k","timezone":5})",
        R"({"task":"echo","cron":"@daily","deduplicationKey":"k","externalId":{}})"}) {
    const Answer answer = create(body);
    EXPECT_EQ(answer.status, 400) << body << answer.body;
    EXPECT_EQ(answer.header("x-should-retry"), "false");
  }
  EXPECT_EQ(create(R"({"task":"echo","cron":"@daily","deduplicationKey":")" + std::string(2049, 'k') + "\"}").status,
            400);
  EXPECT_EQ(create(R"({"task":"echo","cron":"@daily","deduplicationKey":"k","externalId":null})").status, 200);
}

TEST_F(Schedules, AWrongPatternTimeZoneWindowOrTaskIs422AndNothingIsStored) {
  const std::pair<const char*, const char*> cases[] = {
      {R"("task":"echo","cron":"61 * * * *")", "\"61\" in its minute field is wrong"},
      {R"("task":"echo","cron":"0 0 * * * *")", "there are no seconds"},
      {R"("task":"echo","cron":"0 0 30 2 *")", "would never fire"},
      {R"("task":"echo","cron":"@daily","timezone":"Europe/Pari")", "there is no time zone \"Europe/Pari\""},
      {R"("task":"echo","cron":"@daily","timezone":"../etc/passwd")", "there is no time zone"},
      {R"("task":"echo","cron":"@daily","window":"101%")", "\"101%\" is no window"},
      {R"("task":"nobody","cron":"@daily")", "nobody"},
      {R"("task":"echo","cron":"@daily","overlap":"maybe")", "\"overlap\" must be one of allow, skip, queue_one"},
      {R"("task":"echo","cron":"@daily","catchUp":"some")", "\"catchUp\" must be one of none, latest, all"},
  };
  for (const auto& [members, words] : cases) {
    const Answer answer = create("{" + std::string(members) + R"(,"deduplicationKey":"k"})");
    EXPECT_EQ(answer.status, 422) << answer.body;
    EXPECT_NE(text_at(answer.json(), "error").find(words), std::string::npos) << answer.body;
  }
  EXPECT_EQ(at(get("/api/v1/schedules").json(), "pagination.count"), json::value(0));
}

TEST_F(Schedules, AnUnknownIdIs404) {
  for (const std::string id : {"sched_00000000000000000000000000000", "sched_x", "run_1", "x"}) {
    EXPECT_EQ(get("/api/v1/schedules/" + id).status, 404);
    EXPECT_EQ(get("/perdure/v1/schedules/" + id).status, 404);
    EXPECT_EQ(get("/perdure/v1/schedules/" + id + "/upcoming").status, 404);
    EXPECT_EQ(put(id, R"({"task":"echo","cron":"@daily"})").status, 404);
    EXPECT_EQ(remove(id).status, 404);
    EXPECT_EQ(post("/api/v1/schedules/" + id + "/activate").status, 404);
    EXPECT_EQ(post("/api/v1/schedules/" + id + "/deactivate").status, 404);
    EXPECT_EQ(post("/perdure/v1/schedules/" + id + "/backfill", R"({"from":"2026-01-01","to":"2026-01-02"})").status,
              404);
  }
}

TEST_F(Schedules, AnInactiveOneIsShownWithItsNextRunAndCanBeActivated) {
  const std::string id = made();
  const Answer stopped = post("/api/v1/schedules/" + id + "/deactivate");
  EXPECT_EQ(stopped.status, 200);
  EXPECT_EQ(at(stopped.json(), "active"), json::value(false));
  EXPECT_TRUE(at(stopped.json(), "nextRun").is_string());
  EXPECT_EQ(at(show(id), "active"), json::value(false));
  EXPECT_EQ(at(post("/api/v1/schedules/" + id + "/activate").json(), "active"), json::value(true));
}

TEST_F(Schedules, OneThatIsDeletedAnswersItsIdAndIsGone) {
  const std::string id = made();
  const Answer deleted = remove(id);
  EXPECT_EQ(deleted.status, 200);
  EXPECT_EQ(deleted.body, "{\"id\":\"" + id + "\"}");
  EXPECT_EQ(get("/api/v1/schedules/" + id).status, 404);
  EXPECT_EQ(remove(id).status, 404);
}

TEST_F(Schedules, OneThatATaskDeclaresIsReadOnly) {
  const std::string id = declared();
  EXPECT_EQ(text_at(show(id), "type"), "DECLARATIVE");
  EXPECT_EQ(at(show(id), "deduplicationKey"), json::value(nullptr));
  EXPECT_EQ(text_at(show_whole(id), "declaredBy"), "greetings");
  const Answer updated = put(id, R"({"task":"echo","cron":"@hourly"})");
  EXPECT_EQ(updated.status, 422);
  EXPECT_NE(updated.body.find("declared by the task"), std::string::npos) << updated.body;
  EXPECT_EQ(remove(id).status, 422);
  EXPECT_EQ(text_at(show(id), "generator.expression"), "@daily");
}

TEST_F(Schedules, AListIsNumberedPagesNewestFirst) {
  EXPECT_EQ(get("/api/v1/schedules").body, R"({"data":[],"pagination":{"currentPage":1,"totalPages":0,"count":0}})");
  std::vector<std::string> ids;
  for (int i = 0; i < 45; ++i) ids.push_back(made("k" + std::to_string(i)));
  const auto page = [&](const std::string& query) { return get("/api/v1/schedules" + query).json(); };
  const json::value first = page("");
  EXPECT_EQ(at(first, "data").as_array().size(), 20u);
  EXPECT_EQ(text_at(at(first, "data").as_array()[0], "id"), ids.back());
  EXPECT_EQ(json::serialize(at(first, "pagination")), R"({"currentPage":1,"totalPages":3,"count":45})");
  const json::value last = page("?page=3");
  EXPECT_EQ(at(last, "data").as_array().size(), 5u);
  EXPECT_EQ(text_at(at(last, "data").as_array()[4], "id"), ids.front());
  EXPECT_EQ(at(page("?page=4"), "data").as_array().size(), 0u);
  EXPECT_EQ(json::serialize(at(page("?page=2&perPage=40"), "pagination")),
            R"({"currentPage":2,"totalPages":2,"count":45})");
  for (const char* wrong : {"?page=0", "?page=x", "?perPage=0", "?perPage=101", "?page=99999999999999999999"}) {
    EXPECT_EQ(get("/api/v1/schedules" + std::string(wrong)).status, 400) << wrong;
  }
}

TEST_F(Schedules, PerduresOwnRoutesShowAllThatIsKnown) {
  const std::string id = made("k", R"(,"window":"50%","overlap":"queue_one","catchUp":"all")");
  const json::value whole = show_whole(id);
  EXPECT_EQ(text_at(whole, "window"), "50%");
  EXPECT_EQ(text_at(whole, "overlap"), "queue_one");
  EXPECT_EQ(text_at(whole, "catchUp"), "all");
  ASSERT_EQ(at(whole, "upcoming").as_array().size(), 5u);
  const json::value next = at(whole, "upcoming").as_array()[0];
  EXPECT_EQ(text_at(next, "due"), text_at(whole, "nextRun"));
  EXPECT_EQ(text_at(next, "firesAt"), text_at(whole, "nextRunEffectiveAt"));
  EXPECT_EQ(text_at(get("/perdure/v1/schedules").json().at("data").at(0), "window"), "50%");
}

TEST_F(Schedules, UpcomingTimesAreOfAScheduleOrOfAPattern) {
  const std::string id = made();
  const json::value times = get("/perdure/v1/schedules/" + id + "/upcoming?count=2&after=2026-01-01T00:01:00Z").json();
  EXPECT_EQ(json::serialize(at(times, "upcoming")),
            R"([{"due":"2026-01-01T00:05:00.000Z","firesAt":"2026-01-01T00:05:00.000Z"},)"
            R"({"due":"2026-01-01T00:10:00.000Z","firesAt":"2026-01-01T00:10:00.000Z"}])");
  const Answer preview = get(
      "/perdure/v1/upcoming?cron=30%202%20*%20*%20*&timezone=Europe%2FParis&after=2026-03-29T00%3A00%3A00Z&count=1");
  EXPECT_EQ(preview.body, R"({"cron":"30 2 * * *","description":"At 02:30 every day","timezone":"Europe/Paris",)"
                          R"("upcoming":[{"due":"2026-03-29T01:00:00.000Z","firesAt":"2026-03-29T01:00:00.000Z"}]})");
  EXPECT_EQ(get("/perdure/v1/upcoming").status, 400);
  EXPECT_EQ(get("/perdure/v1/upcoming?cron=x").status, 422);
  EXPECT_EQ(get("/perdure/v1/upcoming?cron=@daily&count=1001").status, 400);
}

TEST_F(Schedules, ABackfillAnswersHowManyTimesAreDue) {
  const std::string id = made();
  const std::string path = "/perdure/v1/schedules/" + id + "/backfill";
  const Answer begun = post(path, R"({"from":"2026-01-01T00:00:00Z","to":"2026-01-01T01:00:00+00:00"})");
  EXPECT_EQ(begun.body, "{\"id\":\"" + id + "\",\"dueTimes\":13}");
  for (const char* wrong : {"", "{}", R"({"from":"2026-01-01"})", R"({"from":"yesterday","to":"2026-01-01"})",
                            R"({"from":"2026-01-02","to":"2026-01-01"})", R"({"from":1,"to":2})"}) {
    EXPECT_EQ(post(path, wrong).status, 400) << wrong;
  }
  EXPECT_EQ(post(path, R"({"from":"2026-01-01T00:01:00Z","to":"2026-01-01T00:02:00Z"})").status, 422) << "none is due";
}

TEST_F(Schedules, TimeZonesAreListedUtcFirstAndWithoutAKey) {
  const Answer answer = ask("GET /api/v1/timezones HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  EXPECT_EQ(answer.status, 200);
  const json::array zones = at(answer.json(), "timezones").as_array();
  ASSERT_GT(zones.size(), 300u);
  EXPECT_EQ(zones[0], "UTC");
  EXPECT_EQ(zones[1], "Africa/Abidjan");
  const json::array others = at(get("/api/v1/timezones?excludeUtc=true").json(), "timezones").as_array();
  EXPECT_EQ(others.size() + 1, zones.size());
  EXPECT_EQ(others[0], "Africa/Abidjan");
  EXPECT_EQ(ask("GET /api/v1/schedules HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").status, 401);
}

TEST_F(Schedules, ATaskShowsWhatItDeclares) {
  catalog::Snapshot snapshot = *engine->catalog();
  snapshot.tasks.at(store::TaskId("echo")).options.cron = {
      .pattern = "@daily", .timezone = "Asia/Tokyo", .window = "1h"};
  engine->set_catalog(std::move(snapshot));
  EXPECT_EQ(json::serialize(at(get("/perdure/v1/tasks/echo").json(), "cron")),
            R"({"generator":{"type":"CRON","expression":"@daily","description":"At 00:00 every day"},)"
            R"("timezone":"Asia/Tokyo","window":"1h","catchUp":"latest","overlap":"allow"})");
  EXPECT_EQ(at(get("/perdure/v1/tasks/team%2Freport").json(), "cron"), json::value(nullptr));
}

TEST_F(Schedules, WhileTheDiskIsFullNothingIsMadeAndReadsGoOn) {
  const std::string id = made();
  engine->break_store(store::Status::no_space("the disk is full"));
  EXPECT_EQ(create(R"({"task":"echo","cron":"@daily","deduplicationKey":"new"})").status, 507);
  EXPECT_EQ(get("/api/v1/schedules/" + id).status, 200);
}

}  // namespace
}  // namespace perdure::api
