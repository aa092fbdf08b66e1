// Keys and values: what goes in comes out, keys sort as meant, and no bytes whatever do harm.
#include "store/rocks/records.h"
#include "store/rocks/timer_time.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "store/rocks/keys.h"
#include "store/rocks/queue_records.h"
#include "store/rocks/schedule_record.h"
#include "store/rocks/token_record.h"

namespace perdure::store::rocks {
namespace {

Time at(std::int64_t milliseconds) { return Time{Duration{milliseconds}}; }

Wait a_wait() {
  Wait wait;
  wait.call = 7;
  wait.mode = WaitMode::kAny;
  wait.members = {{WaitpointKind::kTime, {}, {}},
                  {WaitpointKind::kRun, RunId("run_01hf7uaq017av5q07r86010f4"), {}},
                  {WaitpointKind::kToken, {}, TokenId("waitpoint_01hf7uaq017av5q07r86010f4")}};
  wait.evicted = true;
  wait.first = 1;
  return wait;
}

RunRecord full_record() {
  RunRecord record;
  store::Run& run = record.run;
  run.id = RunId("run_01hf7uaq017av5q07r86010f1");
  run.task = TaskId("resize");
  run.status = RunStatus::kExecuting;
  run.queue = QueueName("images");
  run.concurrency_key = "tenant \xc3\xa9";
  run.priority = Duration(-5000);
  run.created_at = at(1'700'000'000'000);
  run.updated_at = at(1'700'000'000'900);
  run.started_at = at(1'700'000'000'100);
  run.finished_at = at(1'699'999'999'999);  // clocks go back
  run.ready_at = at(1'700'000'000'300);
  run.expires_at = at(1'800'000'000'000);
  run.attempts = 3;
  run.host_losses = 1;
  run.executed = Duration(1234);
  run.version = VersionId(std::string(64, 'b'));
  run.options.max_attempts = 7;
  run.options.max_duration = Duration(60'000);
  run.options.ttl = Duration(0);
  run.options.machine = "large-1x";
  run.options.idempotency_key = "key";
  run.options.idempotency_shown = "shown";
  run.options.tags = {"a", "", std::string("b\0c", 3)};
  run.options.metadata = R"({"a":1})";
  run.options.payload_type = "application/json";
  run.options.payload_notes = R"({"values":{"at":["Date"]}})";
  run.options.is_test = true;
  run.failure = Failure{FailureKind::kCrashed, "SIGSEGV", "crashed", "at f()", R"({"signal":11})"};
  run.origin = "run_0";
  run.debounce_key = "dk";
  run.debounce_until = at(1'700'000'009'000);
  run.parent = RunId("run_01hf7uaq017av5q07r86010f2");
  run.root = RunId("run_01hf7uaq017av5q07r86010f3");
  run.depth = 2;
  run.metadata_changed = true;
  run.machine = "0.5/300000000";
  run.schedule = ScheduleId("sched_01hf7uaq017av5q07r86010f4");
  run.scheduled_for = at(1'699'999'980'000);
  Attempt attempt;
  attempt.run = run.id;
  attempt.number = 3;
  attempt.status = AttemptStatus::kFailed;
  attempt.started_at = at(1'700'000'000'500);
  attempt.ended_at = at(1'700'000'000'900);
  attempt.version = VersionId(std::string(64, 'c'));
  attempt.token = "0123456789abcdef";
  attempt.pid = -1;
  attempt.failure = Failure{FailureKind::kStalled, "", "stalled", "", ""};
  attempt.usage = {Duration(400), std::chrono::microseconds(99), 1u << 30, 17, 4};
  attempt.machine = "small-2x";
  attempt.evictions = 2;
  record.wait = a_wait();
  record.attempt = attempt;
  record.events = 20;
  record.recent = {{19, at(5), "attempt_started", RunStatus::kExecuting, 3, ""},
                   {20, at(-5), "of my own", RunStatus::kExecuting, 0, R"({"x":"y"})"}};
  return record;
}

TEST(Records, ARunComesBackAsItWas) {
  const RunRecord record = full_record();
  const Result<RunRecord> back = decode_run(*pack(record.run.id), encode(record));
  ASSERT_TRUE(back) << back.status().message();
  EXPECT_EQ(*back, record);
}

TEST(Records, ARunWithNothingOptionalComesBackAsItWas) {
  RunRecord record;
  record.run.id = full_record().run.id;
  const Result<RunRecord> back = decode_run(*pack(record.run.id), encode(record));
  ASSERT_TRUE(back) << back.status().message();
  EXPECT_EQ(*back, record);
}

TEST(Records, AnAttemptSharesVersionAndFailureWithItsRun) {
  RunRecord record = full_record();
  record.attempt->version = record.run.version;
  record.attempt->failure = record.run.failure;
  const std::string bytes = encode(record);
  EXPECT_LT(bytes.size() + 60, encode(full_record()).size()) << "they are stored twice";
  const Result<RunRecord> back = decode_run(*pack(record.run.id), bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, record);
}

TEST(Records, OlderAttemptsEventsAndLogsComeBackAsTheyWere) {
  const RunRecord record = full_record();
  const Result<Attempt> attempt = decode_attempt(record.run.id, encode(*record.attempt));
  ASSERT_TRUE(attempt);
  EXPECT_EQ(*attempt, *record.attempt);
  std::vector<TimelineEvent> events;
  ASSERT_TRUE(decode_events(encode(record.recent), events));
  EXPECT_EQ(events, record.recent);
  const std::vector<LogEntry> entries = {{4, at(1), 1, LogLevel::kTrace, LogSource::kTask, "a", "{}"},
                                         {5, at(2), 1, LogLevel::kError, LogSource::kHost, std::string("\0\n", 2), ""}};
  std::vector<LogEntry> after_four;
  ASSERT_TRUE(decode_logs(encode(entries), 4, 10, after_four));
  EXPECT_EQ(after_four, std::vector<LogEntry>{entries[1]});
}

TEST(Records, ALongerTailOfANewerVersionIsIgnored) {
  const RunRecord record = full_record();
  const Result<RunRecord> back = decode_run(*pack(record.run.id), encode(record) + "what a newer version added");
  ASSERT_TRUE(back) << back.status().message();
  EXPECT_EQ(*back, record);
  const KeyRecord key{{1, 2}, at(3)};
  const Result<KeyRecord> key_back = decode_key(encode(key) + "more");
  ASSERT_TRUE(key_back);
  EXPECT_EQ(*key_back, key);
}

Waiting a_waiting() {
  Waiting waiting;
  waiting.task = TaskId("resize");
  waiting.queue = QueueName("q");
  waiting.concurrency_key = "k";
  waiting.order = at(300);
  waiting.ready_at = at(64);
  waiting.version = VersionId("v9");
  waiting.priority = Duration(40);
  return waiting;
}

TEST(Records, AWaitingRunsEntryComesBackAsItWas) {
  for (const char* version : {"v9", ""}) {
    Waiting waiting = a_waiting();
    waiting.version = VersionId(version);
    if (waiting.version->empty()) waiting.wait = a_wait();
    const Result<Waiting> back = decode_waiting(encode(waiting));
    ASSERT_TRUE(back) << back.status().message();
    EXPECT_EQ(*back, waiting);
  }
}

TEST(Records, AWaitingRunsEntryFromBeforeVersionsWereKeptThereIsReadWithoutOne) {
  using std::string_literals::operator""s;
  const std::string old = "\x01\x06resize\x01q\x01k\xd8\x04\x01\x80\x01\x00"s;
  const Result<Waiting> back = decode_waiting(old);
  ASSERT_TRUE(back) << back.status().message();
  Waiting expected = a_waiting();
  expected.version.reset();
  expected.priority.reset();
  EXPECT_EQ(*back, expected);
  EXPECT_EQ(encode(a_waiting()), old + "\x02v9\x50\0\0"s) << "code from before it reads the new ones too";
}

TEST(Records, AWaitingRunsEntryFromBeforePrioritiesWereKeptThereIsReadWithoutOne) {
  using std::string_literals::operator""s;
  const Result<Waiting> back = decode_waiting("\x01\x06resize\x01q\x01k\xd8\x04\x01\x80\x01\x00\x02v9"s);
  ASSERT_TRUE(back) << back.status().message();
  Waiting expected = a_waiting();
  expected.priority.reset();
  EXPECT_EQ(*back, expected);
}

TEST(Records, AWaitingRunsEntryFromBeforeCalendarTimesWereKnownThereIsOneOfADuration) {
  using std::string_literals::operator""s;
  const Result<Waiting> back = decode_waiting("\x01\x06resize\x01q\x01k\xd8\x04\x01\x80\x01\x00\x02v9\x50"s);
  ASSERT_TRUE(back) << back.status().message();
  EXPECT_EQ(*back, a_waiting());
  Waiting calendar = a_waiting();
  calendar.calendar = true;
  EXPECT_EQ(decode_waiting(encode(calendar)).value(), calendar);
}

TEST(Records, TheStandOfTheClockComesBackAsItWas) {
  const ClockRecord record{{"boot", Duration(-5)}, Duration(86'400'000)};
  const Result<ClockRecord> back = decode_clock(encode(record));
  ASSERT_TRUE(back) << back.status().message();
  EXPECT_EQ(*back, record);
  EXPECT_EQ(decode_clock("\x02").status().code(), Code::kCorruption);
  EXPECT_EQ(decode_clock("").status().code(), Code::kCorruption);
}

TEST(Records, EndsOfDurationsAreStoredInTimerTimeAndTheOthersAsTheyAre) {
  RunRecord record = full_record();
  record.run.status = RunStatus::kDelayed;
  record.run.started_at.reset();
  const Duration ahead(3'600'000);
  RunRecord stored = decode_run(*pack(record.run.id), encode_timed(record, ahead)).value();
  EXPECT_EQ(stored.run.ready_at, *record.run.ready_at + ahead);
  EXPECT_EQ(stored.run.expires_at, *record.run.expires_at + ahead);
  EXPECT_EQ(stored.run.debounce_until, *record.run.debounce_until + ahead);
  to_wall(stored.run, ahead);
  EXPECT_EQ(stored, record);
  record.run.calendar = true;
  stored = decode_run(*pack(record.run.id), encode_timed(record, ahead)).value();
  EXPECT_EQ(stored.run.ready_at, record.run.ready_at);
  EXPECT_EQ(stored.run.expires_at, record.run.expires_at);
  record.run.status = RunStatus::kCanceled;
  EXPECT_EQ(encode_timed(record, ahead), encode(record));
}

TEST(Records, WhatIsStoredOfAQueueComesBackAsItWas) {
  QueueSettings settings;
  std::vector<QueueSettings> all{settings};
  settings.declared.emplace();
  all.push_back(settings);
  settings.declared->rate = RateLimit{7, Duration(60'000)};
  all.push_back(settings);
  settings.declared->concurrency = 0;
  settings.triggered = 3;
  settings.override_to = 100'000;
  settings.overridden_at = at(1'700'000'000'000);
  settings.paused = true;
  all.push_back(settings);
  for (const QueueSettings& each : all) {
    const Result<QueueSettings> back = decode_queue(encode(each));
    ASSERT_TRUE(back) << back.status().message();
    EXPECT_EQ(*back, each);
  }
  const RateWindow window(Duration(1000), {{at(1), at(3), 2}, {at(900), at(900), 1}});
  const Result<RateWindow> back = decode_window(encode(window));
  ASSERT_TRUE(back) << back.status().message();
  EXPECT_EQ(*back, window);
}

Schedule full_schedule() {
  Schedule schedule;
  schedule.id = ScheduleId("sched_01hf7uaq017av5q07r86010f4");
  schedule.type = ScheduleType::kDeclarative;
  schedule.task = TaskId("report");
  schedule.rule = {"*/5 * * * *", "Europe/Berlin", "50%", CatchUp::kNone, Overlap::kQueueOne};
  schedule.active = false;
  schedule.deduplication_key = "key";
  schedule.external_id = "user";
  schedule.declared_by = "mail";
  schedule.created_at = at(1);
  schedule.updated_at = at(2);
  schedule.next_due = at(3);
  schedule.next_at = at(4);
  schedule.last_due = at(5);
  schedule.last_run = RunId("run_01hf7uaq017av5q07r86010f1");
  schedule.waiting = at(6);
  schedule.backfill = Backfill{at(7), at(8)};
  schedule.revision = 9;
  return schedule;
}

TEST(Records, AScheduleComesBackAsItWasAndNothingLess) {
  const Schedule schedule = full_schedule();
  const PackedId id = *pack(schedule.id);
  const std::string bytes = encode(schedule);
  EXPECT_EQ(decode_schedule(id, bytes).value(), schedule);
  EXPECT_EQ(decode_schedule(id, bytes + "more").value(), schedule) << "a newer version's fields";
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(decode_schedule(id, bytes.substr(0, size)).status().code(), Code::kCorruption) << size;
  }
  Schedule bare;
  bare.id = schedule.id;
  EXPECT_EQ(decode_schedule(id, encode(bare)).value(), bare);
}

Token full_token() {
  Token token;
  token.id = TokenId("waitpoint_01hf7uaq017av5q07r86010f4");
  token.status = TokenStatus::kWaiting;
  token.created_at = at(1);
  token.timeout_at = at(2000);
  token.completed_at = at(3);
  token.output = R"({"a":"\u0000"})";
  token.tags = {"a", std::string("b\0c", 3)};
  token.idempotency_key = "key";
  token.key_expires_at = at(4000);
  token.run = RunId("run_01hf7uaq017av5q07r86010f1");
  token.attempt = 3;
  return token;
}

TEST(Records, ATokenComesBackAsItWasAndNothingLess) {
  const Token token = full_token();
  const PackedId id = *pack(token.id);
  const std::string bytes = encode(token, Duration(50));
  EXPECT_TRUE(decode_token(id, bytes, Duration(50)).value() == token);
  EXPECT_TRUE(decode_token(id, bytes + "more", Duration(50)).value() == token) << "a newer version's fields";
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(decode_token(id, bytes.substr(0, size), Duration(50)).status().code(), Code::kCorruption) << size;
  }
}

// Found by fuzzing: adding up what damaged bytes hold overflowed.
TEST(Records, TimesBeyondAllTimesWrapInsteadOfOverflowing) {
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
  const Token token = full_token();
  const PackedId id = *pack(token.id);
  const Token moved = decode_token(id, encode(token, Duration(0)), Duration(kLeast)).value();
  EXPECT_EQ(moved.timeout_at, at(kLeast + 2000));
  EXPECT_EQ(decode_token(id, encode(moved, Duration(kLeast)), Duration(0)).value(), token);

  const RateWindow window(Duration(1000), {{at(kLeast), at(5), 2}, {at(-1), at(kLeast), 1}});
  EXPECT_EQ(decode_window(encode(window)).value(), window);

  RunRecord record = full_record();
  record.run.status = RunStatus::kDelayed;
  record.run.created_at = at(kLeast);
  EXPECT_EQ(decode_run(*pack(record.run.id), encode(record)).value(), record);
  RunRecord stored = decode_run(*pack(record.run.id), encode_timed(record, Duration(kLeast))).value();
  to_wall(stored.run, Duration(kLeast));
  EXPECT_EQ(stored, record);
}

TEST(Records, ATokensTimesMoveWithTimerTimeWhereTheyEndDurations) {
  Token token = full_token();
  const PackedId id = *pack(token.id);
  const auto read_later = [&] { return decode_token(id, encode(token, Duration(0)), Duration(10)).value(); };
  EXPECT_EQ(read_later().timeout_at, at(1990));
  EXPECT_EQ(read_later().key_expires_at, at(3990));
  token.calendar = true;
  EXPECT_EQ(read_later().timeout_at, at(2000));
  token.calendar = false;
  token.status = TokenStatus::kTimedOut;
  EXPECT_EQ(read_later().timeout_at, at(2000)) << "it is over";
  for (const bool calendar : {false, true}) {
    const std::string bytes = encode(TokenTimeout{at(7), calendar}, Duration(5));
    EXPECT_EQ(decode_token_timeout(bytes, Duration(5)).value(), (TokenTimeout{at(7), calendar}));
    EXPECT_EQ(decode_token_timeout(bytes, Duration(4)).value().at, calendar ? at(7) : at(8));
    EXPECT_EQ(decode_token_timeout(bytes.substr(0, 2), Duration(0)).status().code(), Code::kCorruption);
  }
}

TEST(Records, AnotherVersionByteIsRefused) {
  std::string bytes = encode(full_record());
  bytes[0] = 2;
  const Result<RunRecord> back = decode_run({}, bytes);
  ASSERT_FALSE(back);
  EXPECT_EQ(back.status().code(), Code::kCorruption);
}

void decode_everything(const std::string& bytes) {
  std::vector<TimelineEvent> events;
  std::vector<LogEntry> entries;
  (void)decode_run({}, bytes);
  (void)decode_attempt(RunId("run"), bytes);
  (void)decode_events(bytes, events);
  (void)decode_logs(bytes, 0, 100, entries);
  (void)decode_waiting(bytes);
  (void)decode_key(bytes);
  (void)decode_finished(bytes);
  (void)decode_token({}, bytes, Duration(1));
  (void)decode_token_timeout(bytes, Duration(1));
}

TEST(Records, EveryCutIsRefused) {
  const std::string bytes = encode(full_record());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_run({}, std::string_view(bytes).substr(0, size))) << size;
  }
}

TEST(Records, HostileBytesDoNoHarm) {
  const std::uint64_t seed = std::random_device{}();
  std::cout << "seed " << seed << std::endl;
  std::mt19937_64 random(seed);
  const std::string good = encode(full_record());
  for (int i = 0; i < 200'000; ++i) {
    std::string bytes = good;
    if (i % 2 == 0) {
      for (std::uint64_t flips = 1 + random() % 4; flips > 0; --flips) {
        bytes[random() % bytes.size()] = static_cast<char>(random());
      }
    } else {
      bytes.resize(random() % 64);
      for (char& byte : bytes) byte = static_cast<char>(random());
      if (!bytes.empty() && random() % 2 == 0) bytes[0] = 1;
    }
    decode_everything(bytes);
  }
}

TEST(Keys, ARunIdComesBackAsItWas) {
  for (int i = 0; i < 1000; ++i) {
    const RunId id = new_run_id(at(1'700'000'000'000 + i));
    const std::optional<PackedId> packed = pack(id);
    ASSERT_TRUE(packed) << id.text();
    EXPECT_EQ(unpack(*packed), id);
  }
  EXPECT_EQ(unpack(*pack(RunId("run_vvvvvvvvvvvvvvvvvvvvvvvvv"))).text(), "run_vvvvvvvvvvvvvvvvvvvvvvvvv");
}

TEST(Keys, WhatIsNoRunIdHasNoKey) {
  for (const char* text :
       {"", "run_", "run_01hf7uaq017av5q07r86010f", "run_01hf7uaq017av5q07r86010f12", "abc_01hf7uaq017av5q07r86010f1",
        "run_01hf7uaq017av5q07r86010fw", "run_01HF7UAQ017AV5Q07R86010F1"}) {
    EXPECT_FALSE(pack(RunId(text))) << text;
  }
}

TEST(Keys, SortAsTheIdsAndNumbersInThem) {
  std::mt19937_64 random(1);
  std::vector<RunId> ids;
  for (int i = 0; i < 500; ++i) ids.push_back(new_run_id(at(static_cast<std::int64_t>(random() % 1'000'000'000))));
  std::vector<RunId> by_key = ids;
  std::sort(ids.begin(), ids.end());
  std::sort(by_key.begin(), by_key.end(),
            [](const RunId& a, const RunId& b) { return run_key(*pack(a)).text() < run_key(*pack(b)).text(); });
  EXPECT_EQ(by_key, ids);
  const PackedId id{1, 2};
  EXPECT_LT(attempt_key(id, 255).text(), attempt_key(id, 256).text());
  EXPECT_LT(log_key(id, 0xffffffff).text(), log_key(id, 0x100000000).text());
  EXPECT_EQ(u64_at_end(log_key(id, std::numeric_limits<std::uint64_t>::max() - 1)),
            std::numeric_limits<std::uint64_t>::max() - 1);
}

TEST(Keys, DueTimesSortAlsoBefore1970) {
  const PackedId id = *pack(new_schedule_id(at(1)));
  EXPECT_EQ(pack(unpack_schedule(id)), id);
  EXPECT_LT(fired_key(id, at(-5)), fired_key(id, at(-4)));
  EXPECT_LT(fired_key(id, at(-1)), fired_key(id, at(0)));
  EXPECT_LT(fired_key(id, at(255)), fired_key(id, at(256)));
  EXPECT_TRUE(std::string_view(fired_key(id, at(0))).starts_with(fired_prefix(id)));
  EXPECT_FALSE(pack(ScheduleId("run_01hf7uaq017av5q07r86010f1")));
}

TEST(Keys, NoTasksPrefixIsAnothersBeginning) {
  const PackedId id{1, 2};
  EXPECT_FALSE(std::string_view(task_key(TaskId("echo2"), id)).starts_with(task_prefix(TaskId("echo"))));
  EXPECT_FALSE(
      std::string_view(task_key(TaskId(std::string("echo\0", 5)), id)).starts_with(task_prefix(TaskId("echo"))));
  EXPECT_EQ(run_in_key(task_key(TaskId("echo"), id), task_prefix(TaskId("echo")).size()), id);
}

}  // namespace
}  // namespace perdure::store::rocks
