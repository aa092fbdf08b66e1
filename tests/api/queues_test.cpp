// Queues over HTTP, to the letter of the public contract.
#include <boost/json/serialize.hpp>

#include "host/api/queue_id.h"
#include "tests/api/api_test.h"

namespace perdure::api {
namespace {

class Queues : public ApiTest {
 protected:
  store::RunId make_run_in(const std::string& queue, const std::string& key = {}) {
    return engine->make_run("echo", [&](store::NewRun& run) {
      run.queue = store::QueueName(queue);
      run.concurrency_key = key;
    });
  }
  std::vector<std::string> names(const std::string& target) {
    std::vector<std::string> names;
    const boost::json::value page = get(target).json();
    for (const auto& queue : page.at("data").as_array()) names.push_back(text_at(queue, "name"));
    return names;
  }
};

TEST_F(Queues, ShowsAQueueWithAllThatTheContractAsksFor) {
  engine->store().limit_queue(store::QueueName("task/echo"), 3);
  engine->make_run();
  engine->make_run();
  engine->claim();
  const Answer answer = get("/api/v1/queues/echo?type=task");
  ASSERT_EQ(answer.status, 200) << answer.body;
  const auto queue = answer.json();
  EXPECT_EQ(text_at(queue, "id"), queue_id(store::QueueName("task/echo")));
  EXPECT_EQ(text_at(queue, "name"), "echo");
  EXPECT_EQ(text_at(queue, "type"), "task");
  EXPECT_EQ(at(queue, "running"), 1);
  EXPECT_EQ(at(queue, "queued"), 1);
  EXPECT_EQ(at(queue, "paused"), false);
  EXPECT_EQ(at(queue, "concurrencyLimit"), 3);
  EXPECT_EQ(text_at(queue, "version"), "V1");
  EXPECT_EQ(boost::json::serialize(at(queue, "concurrency")),
            R"({"current":3,"base":3,"override":null,"overriddenAt":null,"overriddenBy":null})");
  EXPECT_EQ(text_at(queue, "queue"), "task/echo");
  EXPECT_EQ(text_at(queue, "oldestQueuedAt").size(), 24u);
}

TEST_F(Queues, AQueueWithoutALimitSaysNullAndOneWithoutRunsHasNoOldest) {
  engine->store().declare_queues({{store::QueueName("mail"), {{}, store::RateLimit{10, store::Duration(60'000)}}}},
                                 false);
  const auto queue = get("/api/v1/queues/mail?type=custom").json();
  EXPECT_TRUE(queue.at("concurrencyLimit").is_null());
  EXPECT_EQ(text_at(queue, "type"), "custom");
  EXPECT_FALSE(queue.as_object().contains("oldestQueuedAt"));
  EXPECT_EQ(boost::json::serialize(at(queue, "rateLimit")), R"({"limit":10,"periodMs":60000})");
}

TEST_F(Queues, AreFoundByTheirIdWhichIsTheDefault) {
  const std::string name = "a/b c\xc3\xa9";
  make_run_in(name);
  const std::string id = queue_id(store::QueueName(name));
  EXPECT_EQ(id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789", 6), std::string::npos) << id;
  EXPECT_EQ(text_at(get("/api/v1/queues/" + id).json(), "name"), name);
  EXPECT_EQ(text_at(get("/api/v1/queues/" + id + "?type=id").json(), "name"), name);
  EXPECT_EQ(get("/api/v1/queues/mail").status, 404) << "no id";
}

TEST_F(Queues, SlashesInANameArriveEncodedTwice) {
  make_run_in("a/b c");
  engine->make_run("team/report");
  EXPECT_EQ(text_at(get("/api/v1/queues/a%252Fb%20c?type=custom").json(), "name"), "a/b c");
  EXPECT_EQ(text_at(get("/api/v1/queues/team%252Freport?type=task").json(), "name"), "team/report");
  EXPECT_EQ(text_at(get("/api/v1/queues/team%2Freport?type=task").json(), "name"), "team/report");
}

TEST_F(Queues, AnUnknownQueueIsNotFoundInTheContractsWords) {
  for (const Answer& answer :
       {get("/api/v1/queues/none?type=custom"),
        post("/api/v1/queues/none/pause", R"({"type":"task","action":"pause"})"),
        post("/api/v1/queues/none/concurrency/override", R"({"type":"custom","concurrencyLimit":1})"),
        post("/api/v1/queues/none/concurrency/reset", R"({"type":"custom"})"),
        post("/api/v1/queues/x/concurrency/reset"), get("/perdure/v1/queues/none/keys?type=custom")}) {
    EXPECT_EQ(answer.status, 404);
    EXPECT_EQ(answer.error(), "queue-not-found");
  }
}

TEST_F(Queues, ArePausedAndResumed) {
  make_run_in("mail");
  const Answer paused = post("/api/v1/queues/mail/pause", R"({"type":"custom","action":"pause"})");
  ASSERT_EQ(paused.status, 200) << paused.body;
  EXPECT_EQ(at(paused.json(), "paused"), true);
  EXPECT_TRUE(engine->store().queue(store::QueueName("mail"))->settings.paused);
  const Answer resumed = post("/api/v1/queues/mail/pause", R"({"type":"custom","action":"resume"})");
  EXPECT_EQ(at(resumed.json(), "paused"), false);
  EXPECT_FALSE(engine->store().queue(store::QueueName("mail"))->settings.paused);
}

TEST_F(Queues, LimitsAreOverriddenAndReset) {
  engine->store().limit_queue(store::QueueName("task/echo"), 5);
  const Answer overridden = post("/api/v1/queues/echo/concurrency/override", R"({"type":"task","concurrencyLimit":3})");
  ASSERT_EQ(overridden.status, 200) << overridden.body;
  EXPECT_EQ(at(overridden.json(), "concurrencyLimit"), 3);
  EXPECT_EQ(at(overridden.json(), "concurrency.base"), 5);
  EXPECT_EQ(at(overridden.json(), "concurrency.override"), 3);
  EXPECT_EQ(text_at(overridden.json(), "concurrency.overriddenAt").size(), 24u);
  const Answer zero = post("/api/v1/queues/echo/concurrency/override", R"({"type":"task","concurrencyLimit":0})");
  EXPECT_EQ(at(zero.json(), "concurrencyLimit"), 0);
  const Answer reset = post("/api/v1/queues/echo/concurrency/reset", R"({"type":"task"})");
  EXPECT_EQ(at(reset.json(), "concurrencyLimit"), 5);
  EXPECT_TRUE(at(reset.json(), "concurrency.override").is_null());
}

TEST_F(Queues, WhatABodyMayNotSayIsRefused) {
  make_run_in("mail");
  for (const char* body : {"", "{}", "[]", "{", R"({"type":"custom","action":"stop"})",
                           R"({"type":"all","action":"pause"})", R"({"type":null,"action":"pause"})"}) {
    EXPECT_EQ(post("/api/v1/queues/mail/pause", body).status, 400) << body;
  }
  for (const char* body : {R"({"type":"custom"})", R"({"type":"custom","concurrencyLimit":-1})",
                           R"({"type":"custom","concurrencyLimit":1.5})", R"({"type":"custom","concurrencyLimit":"3"})",
                           R"({"type":"custom","concurrencyLimit":100001})"}) {
    EXPECT_EQ(post("/api/v1/queues/mail/concurrency/override", body).status, 400) << body;
  }
  EXPECT_EQ(get("/api/v1/queues/mail?type=named").status, 400);
  EXPECT_EQ(engine->store().queue(store::QueueName("mail"))->settings, store::QueueSettings());
}

TEST_F(Queues, AreListedByNameInNumberedPages) {
  const auto none = get("/api/v1/queues").json();
  EXPECT_EQ(boost::json::serialize(none), R"({"data":[],"pagination":{"currentPage":1,"totalPages":0,"count":0}})");
  for (const char* name : {"c", "a", "b", "task/echo", "d"}) make_run_in(name);
  EXPECT_EQ(names("/api/v1/queues"), (std::vector<std::string>{"a", "b", "c", "d", "echo"}));
  EXPECT_EQ(names("/api/v1/queues?page=2&perPage=2"), (std::vector<std::string>{"c", "d"}));
  EXPECT_EQ(boost::json::serialize(get("/api/v1/queues?page=3&perPage=2").json().at("pagination")),
            R"({"currentPage":3,"totalPages":3,"count":5})");
  EXPECT_TRUE(names("/api/v1/queues?page=4&perPage=2").empty());
  for (const char* query : {"page=0", "perPage=0", "perPage=101", "page=x"}) {
    EXPECT_EQ(get(std::string("/api/v1/queues?") + query).status, 400) << query;
  }
}

TEST_F(Queues, TellHowManyRunsEachConcurrencyKeyHas) {
  for (const char* key : {"b", "a", "b", ""}) make_run_in("mail", key);
  engine->claim();
  EXPECT_EQ(boost::json::serialize(get("/perdure/v1/queues/mail/keys?type=custom").json().at("data")),
            R"([{"concurrencyKey":"","queued":1,"running":0},{"concurrencyKey":"a","queued":1,"running":0},)"
            R"({"concurrencyKey":"b","queued":1,"running":1}])");
  EXPECT_EQ(get("/perdure/v1/queues/mail/keys?type=custom&after=a").json().at("data").as_array().size(), 1u);
  EXPECT_EQ(get("/perdure/v1/queues/mail/keys?type=custom&limit=2").json().at("data").as_array().size(), 2u);
  EXPECT_EQ(get("/perdure/v1/queues/mail/keys?type=custom&limit=0").status, 400);
}

TEST_F(Queues, ATriggerMayNameAQueueAndItsLimit) {
  EXPECT_EQ(trigger(R"({"options":{"queue":{"name":"paid","concurrencyLimit":7}}})").status, 200);
  EXPECT_EQ(engine->last_trigger().queue, store::QueueName("paid"));
  EXPECT_EQ(engine->last_trigger().queue_limit, 7u);
  EXPECT_EQ(at(get("/api/v1/queues/paid?type=custom").json(), "concurrencyLimit"), 7);
  EXPECT_EQ(trigger(R"({"options":{"queue":{"name":"paid"}}})").status, 200);
  EXPECT_FALSE(engine->last_trigger().queue_limit);
  for (const char* limit : {"-1", "1.5", "\"7\"", "100001"}) {
    EXPECT_EQ(trigger(R"({"options":{"queue":{"name":"paid","concurrencyLimit":)" + std::string(limit) + "}}}").status,
              422)
        << limit;
  }
}

TEST(QueueId, IsReadBackOrRefused) {
  for (const char* name : {"a", "task/echo", "abcde", "\xff\x01 /"}) {
    EXPECT_EQ(queue_with_id(queue_id(store::QueueName(name))), store::QueueName(name));
  }
  for (const char* id : {"queue_A", "mail", "queue_1", "queue_zz"}) EXPECT_FALSE(queue_with_id(id)) << id;
}

}  // namespace
}  // namespace perdure::api
