// What `perdure schedules …` asks of a host, and what it shows.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/cli/fake_host.h"
#include "tests/cli/perdure_command.h"

namespace perdure::cli {
namespace {

constexpr const char* kShow = "GET /perdure/v1/schedules/sched_1";
constexpr const char* kWhole = R"({"id":"sched_1","type":"IMPERATIVE","task":"report","active":true,
  "deduplicationKey":"k","externalId":"u 1","generator":{"type":"CRON","expression":"30 9 * * 1","description":
  "At 09:30 on Monday"},"timezone":"Europe/Paris","nextRun":"2026-11-30T08:30:00.000Z","window":"30m",
  "catchUp":"all","overlap":"skip","lastDue":"2026-11-23T08:30:00.000Z","lastRunId":"run_9",
  "backfill":{"next":"2026-01-05T08:30:00.000Z","until":"2026-02-01T00:00:00.000Z"},
  "upcoming":[{"due":"2026-11-30T08:30:00.000Z","firesAt":"2026-11-30T08:41:07.123Z"}]})";

class Schedules : public ::testing::Test {
 protected:
  Ended ask(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "schedules");
    return perdure(std::move(arguments),
                   {.variables = {{"PERDURE_URL", host.url()}, {"PERDURE_API_KEY", "tr_prod_x"}}});
  }
  FakeHost host;
};

bool has(const std::string& text, std::string_view words) { return text.find(words) != std::string::npos; }

TEST_F(Schedules, ListShowsPatternAndNextTimeInTheSchedulesTimeZone) {
  host.on("GET /perdure/v1/schedules?perPage=100&page=1", {{.body = "{\"data\":[" + std::string(kWhole) + "]}"}});
  const Ended ended = ask({"list"});
  EXPECT_EQ(ended.status, kDone) << ended.err;
  EXPECT_TRUE(has(ended.out, "SCHEDULE")) << ended.out;
  EXPECT_TRUE(has(ended.out, "30 9 * * 1  Europe/Paris  active  Mon 2026-11-30 09:30  k")) << ended.out;
  EXPECT_TRUE(ask({"list", "--json"}).out.starts_with("{\"id\":\"sched_1\""));
}

TEST_F(Schedules, ListAsksForAsManyPagesAsItTakes) {
  std::string page = "{\"data\":[";
  for (int i = 0; i < 100; ++i) page += (i == 0 ? "" : ",") + std::string(R"({"id":"sched_1"})");
  page += "]}";
  host.on("GET /perdure/v1/schedules?perPage=100&page=1", {{.body = page}});
  host.on("GET /perdure/v1/schedules?perPage=100&page=2",
          {{.body = R"({"data":[{"id":"sched_2"},{"id":"sched_3"}]})"}});
  const auto lines = [&](const std::string& limit) {
    const std::string out = ask({"list", "--json", "--limit", limit}).out;
    return std::count(out.begin(), out.end(), '\n');
  };
  EXPECT_EQ(lines("1000"), 102);
  EXPECT_EQ(lines("101"), 101);
  EXPECT_EQ(lines("3"), 3);
}

TEST_F(Schedules, GetShowsWhatTheScheduleIsAndItsNextTimes) {
  host.on(kShow, {{.body = kWhole}});
  const Ended ended = ask({"get", "sched_1"});
  EXPECT_EQ(ended.status, kDone) << ended.err;
  for (const char* words : {"sched_1 active", "30 9 * * 1  (At 09:30 on Monday)", "Europe/Paris", "30m", "skip", "u 1",
                            "Mon 2026-11-23 09:30", "run_9", "Mon 2026-01-05 09:30 until Sun 2026-02-01 01:00",
                            "DUE, Europe/Paris", "Mon 2026-11-30 09:30  2026-11-30 08:41:07"}) {
    EXPECT_TRUE(has(ended.out, words)) << words << "\n" << ended.out;
  }
  EXPECT_TRUE(has(ask({"get", "sched_1", "--json"}).out, "\"lastRunId\": \"run_9\""));
  const Ended unknown = ask({"get", "sched_2"});
  EXPECT_EQ(unknown.status, kFailed);
}

TEST_F(Schedules, CreateSendsWhatIsGivenAndShowsTheSchedule) {
  host.on("POST /api/v1/schedules", {{.body = R"({"id":"sched_1"})"}});
  host.on(kShow, {{.body = kWhole}});
  const Ended ended = ask({"create", "report", "30 9 * * 1", "--timezone", "Europe/Paris", "--window", "30m", "--key",
                           "k", "--external-id", "u 1", "--catch-up", "all", "--overlap", "skip"});
  EXPECT_EQ(ended.status, kDone) << ended.err;
  EXPECT_EQ(host.requests().at(0).body,
            R"({"task":"report","cron":"30 9 * * 1","deduplicationKey":"k","timezone":"Europe/Paris","window":"30m",)"
            R"("externalId":"u 1","catchUp":"all","overlap":"skip"})");
  EXPECT_TRUE(has(ended.out, "sched_1 active")) << ended.out;
}

TEST_F(Schedules, CreateWithoutAKeyIsTheSameScheduleWhenItIsDoneAgain) {
  host.on("POST /api/v1/schedules", {{.body = R"({"id":"sched_1"})"}});
  host.on(kShow, {{.body = kWhole}});
  for (int i = 0; i < 2; ++i) ask({"create", "report", "@daily", "--external-id", "u"});
  ask({"create", "report", "@daily", "--external-id", "v"});
  const auto requests = host.requests();
  EXPECT_TRUE(has(requests.at(0).body, R"("deduplicationKey":"report @daily UTC u")")) << requests[0].body;
  EXPECT_EQ(requests.at(2).body, requests.at(0).body);
  EXPECT_NE(requests.at(4).body, requests.at(0).body);
}

TEST_F(Schedules, CreateTellsWhyTheHostRefuses) {
  host.on("POST /api/v1/schedules", {{.status = 422, .body = R"({"error":"no time zone \"Mars\""})"}});
  const Ended ended = ask({"create", "report", "@daily", "--timezone", "Mars"});
  EXPECT_EQ(ended.status, kFailed);
  EXPECT_EQ(ended.err, "perdure: no time zone \"Mars\"\n");
  EXPECT_EQ(ask({"create", "report"}).status, kWrongUsage);
}

TEST_F(Schedules, UpdateKeepsWhatIsNotNamed) {
  host.on(kShow, {{.body = kWhole}});
  host.on("PUT /api/v1/schedules/sched_1", {{.body = R"({"id":"sched_1"})"}});
  const Ended ended = ask({"update", "sched_1", "--cron", "0 8 * * *", "--window", "none"});
  EXPECT_EQ(ended.status, kDone) << ended.err;
  EXPECT_EQ(host.requests().at(1).body,
            R"({"task":"report","cron":"0 8 * * *","timezone":"Europe/Paris","window":"","externalId":"u 1",)"
            R"("catchUp":"all","overlap":"skip"})");
}

TEST_F(Schedules, ActivateDeactivateAndDeleteSayWhatTheyDid) {
  host.on("POST /api/v1/schedules/sched_1/activate", {{.body = kWhole}});
  host.on("POST /api/v1/schedules/sched_1/deactivate", {{.body = kWhole}});
  host.on("DELETE /api/v1/schedules/sched_1", {{.body = R"({"id":"sched_1"})"}});
  EXPECT_EQ(ask({"activate", "sched_1"}).out, "sched_1 is active, next on Mon 2026-11-30 09:30, Europe/Paris\n");
  EXPECT_TRUE(has(ask({"deactivate", "sched_1"}).out, "sched_1 is inactive"));
  EXPECT_EQ(ask({"delete", "sched_1"}).out, "sched_1 is deleted; its runs stay\n");
  EXPECT_EQ(ask({"delete", "sched_1", "--json"}).out, "{\n  \"id\": \"sched_1\"\n}\n");
  EXPECT_EQ(ask({"delete", "sched_2"}).status, kFailed);
}

TEST_F(Schedules, BackfillSendsTheRange) {
  host.on("POST /perdure/v1/schedules/sched_1/backfill", {{.body = R"({"id":"sched_1","dueTimes":7})"}});
  const Ended ended = ask({"backfill", "sched_1", "2026-11-01", "2026-11-08"});
  EXPECT_EQ(ended.status, kDone) << ended.err;
  EXPECT_TRUE(ended.out.starts_with("7 due times of sched_1 are being fired")) << ended.out;
  EXPECT_EQ(host.requests().at(0).body, R"({"from":"2026-11-01","to":"2026-11-08"})");
}

TEST_F(Schedules, NextAsksTheHostForASchedulesTimes) {
  host.on("GET /perdure/v1/schedules/sched_1/upcoming?count=2",
          {{.body = R"({"cron":"@daily","description":"At 00:00 every day","timezone":"UTC","upcoming":[
            {"due":"2026-11-30T00:00:00.000Z","firesAt":"2026-11-30T00:10:00.000Z"}]})"}});
  const Ended ended = ask({"next", "sched_1", "--count", "2"});
  EXPECT_TRUE(has(ended.out, "@daily  At 00:00 every day")) << ended.out;
  EXPECT_TRUE(has(ended.out, "Mon 2026-11-30 00:00  2026-11-30 00:10:00")) << ended.out;
}

TEST_F(Schedules, NextOfAPatternNeedsNoHost) {
  const Ended ended = ask({"next", "0 12 29 2 *", "--timezone", "Asia/Kathmandu", "--count", "2"});
  EXPECT_EQ(ended.status, kDone) << ended.err;
  EXPECT_TRUE(has(ended.out, "0 12 29 2 *  At 12:00 on day 29 of the month in February")) << ended.out;
  EXPECT_TRUE(has(ended.out, "-02-29 12:00  ")) << ended.out;
  EXPECT_TRUE(has(ended.out, "-02-29 06:15:00")) << ended.out;
  EXPECT_TRUE(has(ask({"next", "@daily", "--json"}).out, "\"timezone\": \"UTC\""));
  EXPECT_TRUE(host.requests().empty());
}

TEST_F(Schedules, NextOfAPatternThatIsNoneIsWrongUsage) {
  const Ended ended = ask({"next", "61 * * * *"});
  EXPECT_EQ(ended.status, kWrongUsage);
  EXPECT_TRUE(has(ended.err, "\"61\" in its minute field is wrong")) << ended.err;
  EXPECT_TRUE(has(ask({"next", "@daily", "--timezone", "Europe/Pari"}).err, "such as Europe/Paris"));
}

}  // namespace
}  // namespace perdure::cli
