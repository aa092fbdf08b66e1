// Every enum value has a name of its own, and names are read back.
#include <gtest/gtest.h>

#include <set>
#include <string_view>

#include "store/model/failure.h"
#include "store/model/run.h"
#include "store/model/schedule.h"
#include "store/model/status.h"

namespace perdure::store {
namespace {

TEST(Names, EveryRunStatusIsReadBackFromItsName) {
  std::set<std::string_view> names;
  for (auto status = RunStatus::kPendingVersion; status <= RunStatus::kExpired;
       status = static_cast<RunStatus>(static_cast<int>(status) + 1)) {
    EXPECT_EQ(parse_status(status_name(status)), status);
    EXPECT_TRUE(names.insert(status_name(status)).second);
  }
  EXPECT_EQ(names.size(), 13u);
  EXPECT_EQ(status_name(RunStatus::kPendingVersion), "PENDING_VERSION");
  EXPECT_EQ(status_name(RunStatus::kSystemFailure), "SYSTEM_FAILURE");
  EXPECT_FALSE(parse_status("queued"));
  EXPECT_FALSE(parse_status(""));
}

TEST(Names, OnlyStatusesFromCompletedOnAreFinal) {
  EXPECT_FALSE(is_final(RunStatus::kWaiting));
  EXPECT_TRUE(is_final(RunStatus::kCompleted));
  EXPECT_TRUE(is_final(RunStatus::kExpired));
}

TEST(Names, EveryFailureHasACodeThatIsReadBack) {
  for (auto kind = FailureKind::kTaskError; kind <= FailureKind::kCanceled;
       kind = static_cast<FailureKind>(static_cast<int>(kind) + 1)) {
    EXPECT_NE(failure_code(kind), "UNKNOWN");
    // An abort is shown as the error it is.
    const FailureKind shown = kind == FailureKind::kAborted ? FailureKind::kTaskError : kind;
    EXPECT_EQ(parse_failure_code(failure_code(kind)), shown);
  }
  EXPECT_EQ(failure_code(FailureKind::kPayloadInvalid), "TASK_PAYLOAD_INVALID");
  EXPECT_FALSE(parse_failure_code("SEGFAULT"));
}

TEST(Names, WhatAScheduleDoesIsReadBackFromItsName) {
  for (const CatchUp each : {CatchUp::kNone, CatchUp::kLatest, CatchUp::kAll}) {
    EXPECT_EQ(parse_catch_up(catch_up_name(each)), each);
  }
  for (const Overlap each : {Overlap::kAllow, Overlap::kSkip, Overlap::kQueueOne, Overlap::kCancelPrevious}) {
    EXPECT_EQ(parse_overlap(overlap_name(each)), each);
  }
  EXPECT_FALSE(parse_catch_up("LATEST"));
  EXPECT_FALSE(parse_overlap(""));
  EXPECT_EQ(schedule_type_name(ScheduleType::kDeclarative), "DECLARATIVE");
  EXPECT_EQ(schedule_type_name(ScheduleType::kImperative), "IMPERATIVE");
}

TEST(Names, CodesLevelsSourcesAndAttemptStatusesAreNamed) {
  EXPECT_EQ(code_name(Code::kNoSpace), "no_space");
  EXPECT_EQ(code_name(Code::kOk), "ok");
  EXPECT_EQ(attempt_status_name(AttemptStatus::kLost), "LOST");
  EXPECT_EQ(log_level_name(LogLevel::kWarn), "warn");
  EXPECT_EQ(log_source_name(LogSource::kStderr), "stderr");
}

}  // namespace
}  // namespace perdure::store
