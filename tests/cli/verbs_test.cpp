// What the client verbs ask of a host, and what they make of its answers.
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "host/cli/run_text.h"
#include "tests/cli/fake_host.h"
#include "tests/cli/perdure_command.h"

namespace perdure::cli {
namespace {

constexpr const char* kTrigger = "POST /api/v1/tasks/hello/trigger";
constexpr const char* kLogs = "GET /perdure/v1/runs/run_1/logs?follow=1&after=0";
constexpr const char* kRun = "GET /perdure/v1/runs/run_1";

std::string log_line(int sequence, const std::string& message) {
  return R"({"sequence":)" + std::to_string(sequence) +
         R"(,"at":"2026-11-23T17:20:31.123Z","attempt":1,"level":"info","source":"task","message":")" + message +
         "\"}\n";
}

class Verbs : public ::testing::Test {
 protected:
  Ended ask(std::vector<std::string> arguments, Given given = {}) {
    given.variables["PERDURE_URL"] = host.url();
    given.variables["PERDURE_API_KEY"] = "tr_prod_x";
    return perdure(std::move(arguments), given);
  }
  FakeHost host;
};

TEST_F(Verbs, TriggerPrintsTheRunsId) {
  host.on(kTrigger, {{.body = R"({"id":"run_1","isCached":false})"}});
  const Ended ended = ask({"trigger", "hello", R"({"name":"Ada"})"});
  EXPECT_EQ(ended.status, kDone) << ended.err;
  EXPECT_EQ(ended.out, "run_1\n");
  EXPECT_EQ(host.requests().at(0).body,
            R"({"payload":"{\"name\":\"Ada\"}","options":{"payloadType":"application/json"}})");
}

TEST_F(Verbs, TriggerWithJsonPrintsTheAnswer) {
  host.on(kTrigger, {{.body = R"({"id":"run_1","isCached":false})"}});
  EXPECT_EQ(ask({"trigger", "hello", "--json"}).out, "{\n  \"id\": \"run_1\",\n  \"isCached\": false\n}\n");
  EXPECT_EQ(host.requests().at(0).body, R"({"options":{"payloadType":"application/json"}})");
}

TEST_F(Verbs, TriggerSendsItsOptions) {
  host.on(kTrigger, {{.body = R"({"id":"run_1"})"}});
  const Ended ended = ask({"trigger",
                           "hello",
                           "--delay",
                           "1h",
                           "--ttl",
                           "10m",
                           "--queue",
                           "q",
                           "--concurrency-key",
                           "ck",
                           "--priority",
                           "5",
                           "--idempotency-key",
                           "k",
                           "--tag",
                           "a",
                           "--tag",
                           "b,c",
                           "--metadata",
                           R"({"m":1})",
                           "--machine",
                           "micro",
                           "--max-attempts",
                           "2",
                           "--max-duration",
                           "1m"});
  EXPECT_EQ(ended.status, kDone) << ended.err;
  EXPECT_EQ(host.requests().at(0).body,
            R"({"options":{"payloadType":"application/json","delay":"1h","ttl":"10m","concurrencyKey":"ck",)"
            R"("idempotencyKey":"k","machine":"micro","queue":"q","priority":5,"maxAttempts":2,"maxDuration":60,)"
            R"("metadata":{"m":1},"tags":["a","b,c"]}})");
}

TEST_F(Verbs, TriggerSendsADebounce) {
  host.on(kTrigger, {{.body = R"({"id":"run_1"})"}});
  const Ended ended = ask({"trigger", "hello", "--debounce", "k", "--debounce-delay", "5s", "--debounce-mode",
                           "trailing", "--debounce-max-delay", "1m"});
  EXPECT_EQ(ended.status, kDone) << ended.err;
  EXPECT_EQ(host.requests().at(0).body,
            R"({"options":{"payloadType":"application/json","debounce":{"key":"k","delay":"5s","mode":"trailing",)"
            R"("maxDelay":"1m"}}})");
  EXPECT_EQ(ask({"trigger", "hello", "--debounce", "k"}).status, kWrongUsage);
  EXPECT_EQ(ask({"trigger", "hello", "--debounce-delay", "5s"}).status, kWrongUsage);
  EXPECT_EQ(ask({"trigger", "hello", "--debounce", "k", "--debounce-delay", "5s", "--debounce-mode", "x"}).status,
            kWrongUsage);
}

TEST_F(Verbs, TriggerReadsThePayloadFromStandardInput) {
  host.on(kTrigger, {{.body = R"({"id":"run_1"})"}});
  EXPECT_EQ(ask({"trigger", "hello", "-"}, {.in = "[1, 2]"}).status, kDone);
  EXPECT_NE(host.requests().at(0).body.find(R"("payload":"[1, 2]")"), std::string::npos);
}

TEST_F(Verbs, TriggerTakesAnyJsonValueAsPayload) {
  host.on(kTrigger, {{.body = R"({"id":"run_1"})"}});
  for (const std::string payload : {"{}", "[]", "[\"a\",\"b\"]", "null", "12", "\"text\""}) {
    EXPECT_EQ(ask({"trigger", "hello", payload}).status, kDone) << payload;
  }
  EXPECT_EQ(ask({"trigger", "hello", "--", "-12"}).status, kDone);
  EXPECT_NE(host.requests().at(2).body.find(R"("payload":"[\"a\",\"b\"]")"), std::string::npos)
      << host.requests()[2].body;
  EXPECT_NE(host.requests().at(0).body.find(R"("payload":"{}")"), std::string::npos) << host.requests()[0].body;
}

TEST_F(Verbs, TriggerRefusesAPayloadThatIsNotJson) {
  const Ended ended = ask({"trigger", "hello", "Ada"});
  EXPECT_EQ(ended.status, kWrongUsage);
  EXPECT_NE(ended.err.find("the payload"), std::string::npos) << ended.err;
  EXPECT_TRUE(host.requests().empty());
}

TEST_F(Verbs, TriggerNamesTheFileThatItCannotRead) {
  const Ended ended = ask({"trigger", "hello", "@/nowhere.json"});
  EXPECT_EQ(ended.status, kWrongUsage);
  EXPECT_NE(ended.err.find("/nowhere.json"), std::string::npos) << ended.err;
}

TEST_F(Verbs, TriggerTakesNoDirectoryForAFile) {
  const std::string directory = std::filesystem::temp_directory_path();
  for (const Ended& ended :
       {ask({"trigger", "hello", "@" + directory}), ask({"trigger", "hello", "1", "--metadata", "@" + directory})}) {
    EXPECT_EQ(ended.status, kWrongUsage);
    EXPECT_NE(ended.err.find("cannot read the file " + directory), std::string::npos) << ended.err;
  }
}

TEST_F(Verbs, AnEmptyArgumentIsNotTakenForNone) {
  EXPECT_EQ(ask({"trigger", "hello", ""}).status, kWrongUsage);
  EXPECT_EQ(ask({"trigger", ""}).status, kWrongUsage);
  EXPECT_EQ(ask({"trigger", "hello", "--idempotency-key", ""}).status, kWrongUsage);
  EXPECT_EQ(ask({"trigger", "hello", "--delay="}).status, kWrongUsage);
  EXPECT_EQ(ask({"tasks", "get", ""}).status, kWrongUsage);
  const Ended ended = ask({"runs", "get", ""});
  EXPECT_EQ(ended.status, kWrongUsage);
  EXPECT_NE(ended.err.find("ID: its value is empty"), std::string::npos) << ended.err;
  EXPECT_TRUE(host.requests().empty());
}

TEST_F(Verbs, TriggerRefusesAPriorityThatIsNoNumberOfSeconds) {
  for (const char* priority : {"nan", "inf", "-1", "x"}) {
    EXPECT_EQ(ask({"trigger", "hello", "1", "--priority", priority}).status, kWrongUsage) << priority;
  }
  EXPECT_TRUE(host.requests().empty());
}

TEST_F(Verbs, OutputThatCannotBeWrittenIsAFailure) {
  host.on("GET /perdure/v1/tasks", {{.body = R"({"data":[]})"}});
  std::istringstream in;
  std::ostringstream out, err;
  out.setstate(std::ios::badbit);  // as when the disk is full
  Console console{.in = in, .out = out, .err = err, .environment = [](const std::string&) { return std::nullopt; }};
  EXPECT_EQ(run({"tasks", "list", "--url", host.url()}, console, client_verbs()), kFailed);
  EXPECT_NE(err.str().find("could not be written"), std::string::npos);
}

TEST_F(Verbs, TriggerTellsTheHostsRefusal) {
  host.on(kTrigger, {{.status = 404, .body = R"({"error":"no task is called hello"})"}});
  const Ended ended = ask({"trigger", "hello"});
  EXPECT_EQ(ended.status, kFailed);
  EXPECT_EQ(ended.err, "perdure: no task is called hello\n");
}

TEST_F(Verbs, TriggerAsksOnceMoreUnderTheSameKeyWhenTheAnswerBreaksOff) {
  host.on(kTrigger, {{.body = R"({"id":)", .breaks_off = true}, {.body = R"({"id":"run_1"})"}});
  const Ended ended = ask({"trigger", "hello"});
  EXPECT_EQ(ended.out, "run_1\n") << ended.err;
  const auto requests = host.requests();
  ASSERT_EQ(requests.size(), 2u);
  const std::string key = requests[0].headers.at("x-trigger-request-idempotency-key");
  EXPECT_EQ(key.size(), 32u);
  EXPECT_EQ(requests[1].headers.at("x-trigger-request-idempotency-key"), key);
}

TEST_F(Verbs, TriggerWaitPrintsTheOutputAsItIsAndTheLogsBesideIt) {
  host.on(kTrigger, {{.body = R"({"id":"run_1"})"}});
  host.on(kLogs, {{.body = log_line(1, "greeting")}});
  host.on(kRun, {{.body = R"({"id":"run_1","status":"COMPLETED","output":{"n":0.10}})"}});
  const Ended ended = ask({"trigger", "hello", "--wait"});
  EXPECT_EQ(ended.status, kDone) << ended.err;
  EXPECT_EQ(ended.out, "{\"n\":0.10}\n");
  EXPECT_NE(ended.err.find("#1 info   greeting"), std::string::npos) << ended.err;
}

TEST_F(Verbs, TriggerWaitEndsWithOneWhenTheRunFails) {
  host.on(kTrigger, {{.body = R"({"id":"run_1"})"}});
  host.on(kLogs, {{.body = ""}});
  host.on(kRun,
          {{.body = R"({"id":"run_1","status":"CRASHED","attemptCount":3,)"
                    R"("error":{"name":"SIGSEGV","message":"segmentation fault","stackTrace":"#0 f at a.cpp:3"}})"}});
  const Ended ended = ask({"trigger", "hello", "--wait"});
  EXPECT_EQ(ended.status, kFailed);
  EXPECT_EQ(ended.out, "");
  EXPECT_EQ(ended.err, "run_1 CRASHED after 3 attempts\nSIGSEGV: segmentation fault\n  #0 f at a.cpp:3\n");
}

TEST_F(Verbs, FollowingGoesOnWhereItWasAfterTheConnectionBroke) {
  host.on(kLogs, {{.body = log_line(1, "one") + log_line(2, "two"), .breaks_off = true}});
  host.on("GET /readyz", {{.body = "{}"}});
  host.on("GET /perdure/v1/runs/run_1/logs?follow=1&after=2", {{.body = log_line(3, "three")}});
  host.on(kRun, {{.body = R"({"status":"COMPLETED"})"}});
  const Ended ended = ask({"runs", "logs", "run_1", "--follow", "--json"});
  EXPECT_EQ(ended.status, kDone) << ended.err;
  EXPECT_EQ(ended.out, log_line(1, "one") + log_line(2, "two") + log_line(3, "three"));
}

TEST_F(Verbs, FollowingGoesOnWhenAHostThatStopsEndedTheStream) {
  host.on(kLogs, {{.body = log_line(1, "one") + "\n" + R"({"error":"the host is stopping"})" + "\n"}});
  host.on("GET /perdure/v1/runs/run_1/logs?follow=1&after=1", {{.body = log_line(2, "two")}});
  host.on(kRun, {{.body = R"({"status":"EXECUTING"})"}, {.body = R"({"status":"COMPLETED"})"}});
  const Ended ended = ask({"runs", "logs", "run_1", "--follow", "--json"});
  EXPECT_EQ(ended.status, kDone) << ended.err;
  EXPECT_EQ(ended.out, log_line(1, "one") + log_line(2, "two"));
}

TEST_F(Verbs, LogsTurnsThePages) {
  std::string one = log_line(7, "one"), two = log_line(9, "two");
  host.on("GET /perdure/v1/runs/run_1/logs?limit=1000&after=0",
          {{.body = R"({"data":[)" + one + R"(],"pagination":{"next":7}})"}});
  host.on("GET /perdure/v1/runs/run_1/logs?limit=1000&after=7",
          {{.body = R"({"data":[)" + two + R"(],"pagination":{}})"}});
  EXPECT_EQ(ask({"runs", "logs", "run_1", "--json"}).out, one + two);
}

TEST_F(Verbs, WatchEndsWithTheRunsStatus) {
  host.on(kLogs, {{.body = ""}});
  host.on(kRun, {{.body = R"({"id":"run_1","status":"COMPLETED","attemptCount":1,"durationMs":1500})"}});
  const Ended ended = ask({"runs", "watch", "run_1"});
  EXPECT_EQ(ended.status, kDone) << ended.err;
  EXPECT_EQ(ended.out, "run_1 COMPLETED after 1 attempt, 1.5s of execution\n");
}

TEST_F(Verbs, ListTurnsThePagesAndFilters) {
  const std::string first = "GET /api/v1/runs?page%5Bsize%5D=100&filter%5Bstatus%5D=FAILED%2CCRASHED&filter%5Btag%5D=a";
  std::string full = R"({"data":[)";
  for (int i = 0; i < 100; ++i) full += (i == 0 ? "" : ",") + std::string(R"({"id":"run_)") + std::to_string(i) + "\"}";
  host.on(first, {{.body = full + R"(],"pagination":{"next":"run_99"}})"}});
  host.on(
      "GET /api/v1/runs?page%5Bsize%5D=20&filter%5Bstatus%5D=FAILED%2CCRASHED&filter%5Btag%5D=a&page%5Bafter%5D=run_99",
      {{.body = R"({"data":[{"id":"run_100"}],"pagination":{}})"}});
  const Ended ended = ask({"runs", "list", "--status", "failed,CRASHED", "--tag", "a", "--limit", "120", "--json"});
  EXPECT_EQ(ended.status, kDone) << ended.err;
  EXPECT_TRUE(ended.out.starts_with("{\"id\":\"run_0\"}\n{\"id\":\"run_1\"}\n")) << ended.out;
  EXPECT_TRUE(ended.out.ends_with("{\"id\":\"run_100\"}\n")) << ended.out;
}

TEST_F(Verbs, TablesHaveColoursOnATerminalOnly) {
  host.on(
      "GET /api/v1/runs?page%5Bsize%5D=25",
      {{.body = R"({"data":[{"id":"run_1","taskIdentifier":"t\u001b[2J","status":"COMPLETED"}],"pagination":{}})"}});
  EXPECT_EQ(ask({"runs", "list"}).out,
            "RUN    TASK      STATUS     CREATED  TOOK  TAGS\nrun_1  t\\x1b[2J  COMPLETED\n");
  EXPECT_NE(ask({"runs", "list"}, {.terminal = true}).out.find("\x1b[32mCOMPLETED"), std::string::npos);
  EXPECT_EQ(ask({"runs", "list"}, {.terminal = true, .color = false}).out.find('\x1b'), std::string::npos);
}

TEST_F(Verbs, AnUnknownRunIsAFailedRequest) {
  host.on("GET /perdure/v1/runs/run_x%2Fy", {{.status = 404, .body = R"({"error":"no run is called run_x/y"})"}});
  const Ended ended = ask({"runs", "get", "run_x/y"});
  EXPECT_EQ(ended.status, kFailed);
  EXPECT_EQ(ended.err, "perdure: no run is called run_x/y\n");
}

TEST_F(Verbs, ReplayPrintsTheNewRunsIdAndSendsOnlyWhatIsGiven) {
  host.on("POST /api/v1/runs/run_1/replay", {{.body = R"({"id":"run_2"})"}});
  const Ended ended = ask({"runs", "replay", "run_1"});
  EXPECT_EQ(ended.status, kDone) << ended.err;
  EXPECT_EQ(ended.out, "run_2\n");
  EXPECT_EQ(host.requests().at(0).body, "{}");
  EXPECT_EQ(ask({"runs", "replay", "run_1", "--payload", "[1]", "--delay", "1h", "--tag", "a", "--json"}).status,
            kDone);
  EXPECT_EQ(host.requests().at(1).body, R"({"payload":"[1]","delay":"1h","tags":["a"]})");
  EXPECT_EQ(ask({"runs", "replay", "run_1", "--payload", "-"}, {.in = "7"}).status, kDone);
  EXPECT_EQ(host.requests().at(2).body, R"({"payload":"7"})");
  EXPECT_EQ(ask({"runs", "replay", "run_1", "--payload", "Ada"}).status, kWrongUsage);
}

TEST_F(Verbs, RescheduleSaysWhenTheRunStarts) {
  host.on("POST /api/v1/runs/run_1/reschedule",
          {{.body = R"({"id":"run_1","delayedUntil":"2026-11-23T17:20:31.123Z"})"}, {.body = R"({"id":"run_1"})"}});
  const Ended ended = ask({"runs", "reschedule", "run_1", "2h"});
  EXPECT_EQ(ended.status, kDone) << ended.err;
  EXPECT_NE(ended.out.find("run_1 starts at 2026-11-2"), std::string::npos) << ended.out;
  EXPECT_EQ(host.requests().at(0).body, R"({"delay":"2h"})");
  EXPECT_EQ(ask({"runs", "reschedule", "run_1", "1s"}).out, "run_1 starts now\n");
}

TEST_F(Verbs, AnIdempotencyKeyIsReset) {
  host.on("POST /api/v1/idempotencyKeys/a%2Fb/reset", {{.body = R"({"id":"a/b"})"}});
  const Ended ended = ask({"idempotency", "reset", "hello", "a/b"});
  EXPECT_EQ(ended.status, kDone) << ended.err;
  EXPECT_EQ(ended.out, "a/b is free: the next trigger of hello with it makes a run\n");
  EXPECT_EQ(host.requests().at(0).body, R"({"taskIdentifier":"hello"})");
}

TEST_F(Verbs, ABatchIsCreatedWithAPayloadOfEachLine) {
  host.on("POST /api/v3/batches", {{.status = 202, .body = R"({"id":"batch_1","runCount":2,"isCached":false})"}});
  host.on("POST /api/v3/batches/batch_1/items", {{.body = R"({"id":"batch_1","sealed":true})"}});
  host.on("GET /api/v2/batches/batch_1", {{.body = R"({"id":"batch_1","processing":{"errors":[]}})"}});
  const Ended ended = ask({"batches", "create", "hello", "-", "--tag", "t"}, {.in = "{\"n\":1}\n\n 2\n"});
  EXPECT_EQ(ended.status, kDone) << ended.err;
  EXPECT_EQ(ended.out, "batch_1\n");
  ASSERT_EQ(host.requests().size(), 3u);
  EXPECT_EQ(host.requests()[0].body, R"({"runCount":2})");
  const FakeRequest items = host.requests()[1];
  EXPECT_EQ(items.headers.at("content-type"), "application/x-ndjson");
  const std::string options = R"("options":{"payloadType":"application/json","tags":["t"]}})";
  EXPECT_EQ(items.body, R"({"index":0,"task":"hello","payload":"{\"n\":1}",)" + options + "\n" +
                            R"({"index":1,"task":"hello","payload":"2",)" + options + "\n");
}

TEST_F(Verbs, ABatchSaysWhichItemsMadeNoRun) {
  host.on("POST /api/v3/batches", {{.status = 202, .body = R"({"id":"batch_1"})"}});
  host.on("POST /api/v3/batches/batch_1/items", {{.body = R"({"sealed":true})"}});
  host.on("GET /api/v2/batches/batch_1",
          {{.body = R"({"processing":{"errors":[{"index":0,"error":"nobody offers it"}]}})"}});
  const Ended ended = ask({"batches", "create", "nope", "-"}, {.in = "1"});
  EXPECT_EQ(ended.status, kFailed);
  EXPECT_EQ(ended.err, "item 0 made no run: nobody offers it\n");
  EXPECT_EQ(ask({"batches", "create", "hello", "-"}, {.in = "1\n{"}).status, kWrongUsage);
  EXPECT_EQ(ask({"batches", "create", "hello", "-"}, {.in = "\n"}).status, kWrongUsage);
}

TEST_F(Verbs, ABatchShowsHowFarItIs) {
  host.on("GET /api/v2/batches/batch_1",
          {{.body = R"({"id":"batch_1","status":"PROCESSING","createdAt":"2026-11-23T13:50:04.909Z","runCount":9,)"
                    R"("progress":{"unfinished":4,"completed":3,"unsuccessful":2,"removed":0}})"}});
  const Ended ended = ask({"batches", "get", "batch_1"});
  EXPECT_EQ(ended.status, kDone) << ended.err;
  EXPECT_NE(ended.out.find("PROCESSING"), std::string::npos) << ended.out;
  EXPECT_NE(ended.out.find("4"), std::string::npos) << ended.out;
}

constexpr const char* kBulk = "POST /api/v1/bulk-actions";
constexpr const char* kBulkOne = "GET /api/v1/bulk-actions/bulk_1";

TEST_F(Verbs, CancelWithFiltersIsABulkActionFollowedToItsEnd) {
  host.on(kBulk, {{.status = 202, .body = R"({"id":"bulk_1"})"}});
  host.on(kBulkOne, {{.body = R"({"type":"CANCEL","status":"PENDING","counts":{"success":2,"failure":0}})"},
                     {.body = R"({"type":"CANCEL","status":"COMPLETED","counts":{"success":5,"failure":0}})"}});
  const std::vector<std::string> arguments{"runs",    "cancel", "--status", "queued,DELAYED",
                                           "--task",  "hello",  "--tag",    "a",
                                           "--queue", "q",      "--since",  "1970-01-01"};
  const Ended ended = ask(arguments, {.terminal = true});
  EXPECT_EQ(ended.status, kDone) << ended.err;
  EXPECT_EQ(ended.out, "bulk_1 canceled 5\n");
  EXPECT_NE(ended.err.find("canceled 2 so far"), std::string::npos) << ended.err;
  EXPECT_EQ(host.requests().at(0).body,
            R"({"action":"cancel","filter":{"status":["QUEUED","DELAYED"],"taskIdentifier":["hello"],"tag":["a"],)"
            R"("queue":["q"],"from":["0"]}})");
  EXPECT_EQ(ask(arguments).err, "");
}

TEST_F(Verbs, ReplayWithFiltersIsABulkAction) {
  host.on(kBulk, {{.status = 202, .body = R"({"id":"bulk_1"})"}});
  host.on(kBulkOne, {{.body = R"({"type":"REPLAY","status":"COMPLETED","counts":{"success":5,"failure":1}})"}});
  const Ended ended = ask({"runs", "replay", "--status", "FAILED", "--tag", "a", "--bulk-action", "bulk_0"});
  EXPECT_EQ(ended.status, kFailed);
  EXPECT_EQ(ended.out, "bulk_1 replayed 5, 1 not\n");
  EXPECT_EQ(host.requests().at(0).body,
            R"({"action":"replay","filter":{"status":["FAILED"],"tag":["a"],"bulkAction":["bulk_0"]}})");
}

TEST_F(Verbs, CancelAndReplayTakeARunOrFilters) {
  for (const std::vector<std::string>& wrong :
       std::vector<std::vector<std::string>>{{"runs", "cancel"},
                                             {"runs", "cancel", "run_1", "--status", "QUEUED"},
                                             {"runs", "replay"},
                                             {"runs", "replay", "run_1", "--status", "FAILED"},
                                             {"runs", "replay", "--status", "FAILED", "--payload", "1"},
                                             {"runs", "replay", "--status", "FAILED", "--delay", "1h"}}) {
    const Ended ended = ask(wrong);
    EXPECT_EQ(ended.status, kWrongUsage) << wrong[1];
    EXPECT_NE(ended.err.find("not both"), std::string::npos) << ended.err;
  }
  EXPECT_EQ(ask({"runs", "cancel", "--since", "yesterday"}).status, kWrongUsage);
  EXPECT_TRUE(host.requests().empty());
}

TEST_F(Verbs, BulkShowsAndAbortsBulkActions) {
  const std::string action =
      R"({"id":"bulk_1","type":"CANCEL","status":"ABORTED","name":"n","counts":{"success":5,"failure":1}})";
  host.on("GET /api/v1/bulk-actions?page%5Bsize%5D=25", {{.body = R"({"data":[)" + action + R"(],"pagination":{}})"}});
  host.on("POST /api/v1/bulk-actions/bulk_1/abort", {{.body = R"({"id":"bulk_1"})"}});
  host.on(kBulkOne, {{.body = action}});
  for (const std::vector<std::string>& verb : std::vector<std::vector<std::string>>{
           {"bulk", "list"}, {"bulk", "get", "bulk_1"}, {"bulk", "abort", "bulk_1"}}) {
    const Ended ended = ask(verb);
    EXPECT_EQ(ended.status, kDone) << ended.err;
    EXPECT_NE(ended.out.find("canceled 5, 1 not"), std::string::npos) << ended.out;
  }
  EXPECT_EQ(ask({"bulk", "list", "--json"}).out, action + "\n");
}

TEST_F(Verbs, ListGoesOnBehindAnEmptyPage) {
  host.on("GET /api/v1/runs?page%5Bsize%5D=25", {{.body = R"({"data":[],"pagination":{"next":"run_5"}})"}});
  host.on("GET /api/v1/runs?page%5Bsize%5D=25&page%5Bafter%5D=run_5",
          {{.body = R"({"data":[{"id":"run_4"}],"pagination":{}})"}});
  EXPECT_EQ(ask({"runs", "list", "--json"}).out, "{\"id\":\"run_4\"}\n");
}

TEST(RunText, DurationsAreShort) {
  EXPECT_EQ(short_duration(340), "340ms");
  EXPECT_EQ(short_duration(1250), "1.2s");
  EXPECT_EQ(short_duration(123'000), "2m03s");
  EXPECT_EQ(short_duration(3'900'000), "1h05m");
  EXPECT_EQ(short_duration(266'400'000), "3d02h");
}

TEST_F(Verbs, PluginsListShowsWhoseGlobalHooksAreInForceWhenThereAreAny) {
  const std::string plain = R"({"name":"greetings","state":"serving","file":"g.so","tasks":["hello"]})";
  host.on("GET /perdure/v1/plugins", {{.body = R"({"data":[)" + plain + "]}"}});
  EXPECT_EQ(ask({"plugins", "list"}).out.find("HOOKS"), std::string::npos);
  host.on("GET /perdure/v1/plugins",
          {{.body = R"({"data":[{"name":"audit","state":"serving","file":"a.so","tasks":[],"globalHooks":["middleware",
"on_complete"]},{"name":"greetings","state":"serving","file":"g.so","tasks":["hello"],"surroundedBy":["audit"]}]})"}});
  const std::string shown = ask({"plugins", "list"}).out;
  EXPECT_NE(shown.find("HOOKS"), std::string::npos) << shown;
  EXPECT_NE(shown.find("global middleware, on_complete"), std::string::npos) << shown;
  EXPECT_NE(shown.find("of audit"), std::string::npos) << shown;
}

}  // namespace
}  // namespace perdure::cli
