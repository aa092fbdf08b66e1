// The verbs about queues: what they ask of a host, and what they make of its answers.
#include <gtest/gtest.h>

#include "tests/cli/fake_host.h"
#include "tests/cli/perdure_command.h"

namespace perdure::cli {
namespace {

const std::string kMail =
    R"({"id":"queue_x","name":"mail","type":"custom","running":2,"queued":7,"paused":true,"concurrencyLimit":3,)"
    R"("version":"V1","concurrency":{"current":3,"base":5,"override":3,"overriddenAt":"2026-11-23T13:34:33.808Z",)"
    R"("overriddenBy":null},"queue":"mail","oldestQueuedAt":"2020-01-01T00:00:00.000Z",)"
    R"("rateLimit":{"limit":10,"periodMs":60000}})";
const std::string kOwn =
    R"({"id":"queue_y","name":"a/b","type":"task","running":0,"queued":0,"paused":false,"concurrencyLimit":null,)"
    R"("version":"V1","concurrency":{"current":null,"base":null,"override":null,"overriddenAt":null,)"
    R"("overriddenBy":null},"queue":"task/a/b"})";

class QueueVerbs : public ::testing::Test {
 protected:
  Ended ask(std::vector<std::string> arguments, Given given = {}) {
    given.variables["PERDURE_URL"] = host.url();
    given.variables["PERDURE_API_KEY"] = "tr_prod_x";
    return perdure(std::move(arguments), given);
  }
  FakeHost host;
};

std::string page(const std::string& queues, int current, int pages) {
  return R"({"data":[)" + queues + R"(],"pagination":{"currentPage":)" + std::to_string(current) + R"(,"totalPages":)" +
         std::to_string(pages) + R"(,"count":2}})";
}

TEST_F(QueueVerbs, ListShowsEveryPageAsATable) {
  host.on("GET /api/v1/queues?page=1&perPage=100", {{.body = page(kMail, 1, 2)}});
  host.on("GET /api/v1/queues?page=2&perPage=100", {{.body = page(kOwn, 2, 2)}});
  const Ended ended = ask({"queues", "list"});
  EXPECT_EQ(ended.status, kDone) << ended.err;
  EXPECT_NE(ended.out.find("QUEUE     STATE   QUEUED  OLDEST"), std::string::npos) << ended.out;
  EXPECT_NE(ended.out.find("3 (instead of 5)"), std::string::npos) << ended.out;
  EXPECT_NE(ended.out.find("10 in 1m00s"), std::string::npos) << ended.out;
  EXPECT_NE(ended.out.find("task/a/b  open    0"), std::string::npos) << ended.out;
}

TEST_F(QueueVerbs, ListWithJsonPrintsAQueueALine) {
  host.on("GET /api/v1/queues?page=1&perPage=100", {{.body = page(kMail + "," + kOwn, 1, 1)}});
  EXPECT_EQ(ask({"queues", "list", "--json"}).out, kMail + "\n" + kOwn + "\n");
}

TEST_F(QueueVerbs, ListOfNoneSaysWhyOnATerminal) {
  host.on("GET /api/v1/queues?page=1&perPage=100", {{.body = page("", 1, 0)}});
  EXPECT_NE(ask({"queues", "list"}, {.terminal = true}).out.find("No queues"), std::string::npos);
  EXPECT_EQ(ask({"queues", "list"}).out, "");
}

TEST_F(QueueVerbs, GetFindsATasksOwnQueueAndANamedOne) {
  host.on("GET /api/v1/queues/a%252Fb?type=task", {{.body = kOwn}});
  host.on("GET /api/v1/queues/mail?type=custom", {{.body = kMail}});
  const Ended own = ask({"queues", "get", "task/a/b"});
  EXPECT_EQ(own.status, kDone) << own.err;
  EXPECT_NE(own.out.find("limit  none\n"), std::string::npos) << own.out;
  const Ended named = ask({"queues", "get", "mail"});
  EXPECT_NE(named.out.find("state  paused\nqueued  7\n"), std::string::npos) << named.out;
  EXPECT_EQ(ask({"queues", "get", "mail", "--json"}).out.front(), '{');
}

TEST_F(QueueVerbs, GetWithKeysListsThemAll) {
  host.on("GET /perdure/v1/queues/mail/keys?limit=1000&type=custom",
          {{.body = R"({"data":[{"concurrencyKey":"a b","queued":1,"running":0}]})"}});
  host.on("GET /perdure/v1/queues/mail/keys?limit=1000&type=custom&after=a%20b", {{.body = R"({"data":[]})"}});
  const Ended ended = ask({"queues", "get", "mail", "--keys"});
  EXPECT_EQ(ended.status, kDone) << ended.err;
  EXPECT_EQ(ended.out, "KEY  QUEUED  RUNNING\na b  1       0\n");
}

TEST_F(QueueVerbs, PauseResumeLimitAndResetSayWhatTheyWant) {
  for (const char* path : {"pause", "concurrency/override", "concurrency/reset"}) {
    host.on("POST /api/v1/queues/mail/" + std::string(path), {{.body = kMail}});
  }
  for (const std::vector<std::string>& verb :
       std::vector<std::vector<std::string>>{{"pause"}, {"resume"}, {"limit"}, {"reset"}}) {
    std::vector<std::string> arguments{"queues", verb[0], "mail"};
    if (verb[0] == "limit") arguments.emplace_back("3");
    const Ended ended = ask(arguments);
    EXPECT_EQ(ended.status, kDone) << ended.err;
    EXPECT_NE(ended.out.find("limit  3 (instead of 5)"), std::string::npos) << ended.out;
  }
  std::vector<std::string> bodies;
  for (const FakeRequest& request : host.requests()) bodies.push_back(request.body);
  EXPECT_EQ(bodies,
            (std::vector<std::string>{R"({"type":"custom","action":"pause"})", R"({"type":"custom","action":"resume"})",
                                      R"({"type":"custom","concurrencyLimit":3})", R"({"type":"custom"})"}));
}

TEST_F(QueueVerbs, AnUnknownQueueIsToldWhereToLook) {
  host.on("POST /api/v1/queues/none/pause", {{.status = 404, .body = R"({"error":"queue-not-found"})"}});
  const Ended ended = ask({"queues", "pause", "none"});
  EXPECT_EQ(ended.status, kFailed);
  EXPECT_NE(ended.err.find("queue-not-found"), std::string::npos) << ended.err;
  EXPECT_NE(ended.err.find("perdure queues list"), std::string::npos) << ended.err;
}

TEST_F(QueueVerbs, ALimitThatIsNoneIsWrongUsage) {
  for (const char* limit : {"-1", "x", "100001"}) {
    EXPECT_EQ(ask({"queues", "limit", "mail", "--", limit}).status, kWrongUsage) << limit;
  }
  EXPECT_TRUE(host.requests().empty());
}

TEST_F(QueueVerbs, ATriggerMayNameAQueueWithItsLimit) {
  host.on("POST /api/v1/tasks/hello/trigger", {{.body = R"({"id":"run_1"})"}});
  EXPECT_EQ(ask({"trigger", "hello", "--queue", "paid", "--queue-limit", "7"}).status, kDone);
  EXPECT_NE(host.requests().at(0).body.find(R"("queue":{"name":"paid","concurrencyLimit":7})"), std::string::npos);
  EXPECT_EQ(ask({"trigger", "hello", "--queue-limit", "7"}).status, kWrongUsage) << "of which queue?";
}

TEST_F(QueueVerbs, EveryHelpHasAnExample) {
  for (const char* verb : {"list", "get", "pause", "resume", "limit", "reset"}) {
    const Ended ended = perdure({"queues", verb, "--help"});
    EXPECT_EQ(ended.status, kDone);
    EXPECT_NE(ended.out.find("perdure queues " + std::string(verb)), std::string::npos) << ended.out;
  }
}

}  // namespace
}  // namespace perdure::cli
