// What attempts log and print: all of it, in order, up to the limits, and at nobody else's cost.
#include <gtest/gtest.h>

#include <algorithm>

#include "host/process/output_capture.h"
#include "tests/process/supervised.h"

namespace perdure::process::test {
namespace {

using store::LogLevel;
using store::LogSource;

class OutputTest : public testing::Test, public Supervised {
 protected:
  OutputTest() { load_behaviours(); }

  static std::vector<std::string> lines(const Told& told, LogSource source) {
    std::vector<std::string> found;
    for (const store::LogEntry& entry : told.logs) {
      if (entry.source == source) found.push_back(entry.message);
    }
    return found;
  }
};

TEST_F(OutputTest, PrintedLinesAreToldBeforeTheResult) {
  const Told& told = run("print");
  EXPECT_EQ(lines(told, LogSource::kStdout), (std::vector<std::string>{"first line", "to stdout"}));
  EXPECT_EQ(lines(told, LogSource::kStderr), (std::vector<std::string>{"to stderr"}));
  EXPECT_FALSE(told.out_of_order);
}

TEST_F(OutputTest, TheLastWordsOfACrashAreKept) {
  EXPECT_EQ(lines(run("print_and_crash"), LogSource::kStderr), (std::vector<std::string>{"last words"}));
}

TEST_F(OutputTest, BytesThatAreNoTextAreReplaced) {
  EXPECT_EQ(lines(run("print_bytes"), LogSource::kStdout), (std::vector<std::string>{"bad \xef\xbf\xbd byte"}));
}

TEST_F(OutputTest, ALongLineComesInPieces) {
  const auto pieces = lines(run("print_long_line", "40000"), LogSource::kStdout);
  ASSERT_EQ(pieces.size(), 3u);
  EXPECT_EQ(pieces[0].size(), kMaxLine);
  EXPECT_EQ(pieces[0].size() + pieces[1].size() + pieces[2].size(), 40000u);
}

TEST_F(OutputTest, LogLinesKeepLevelFieldsAndOrder) {
  const Told& told = run("log_lines", "3");
  ASSERT_EQ(told.logs.size(), 3u);
  EXPECT_EQ(told.logs[2].message, "line 2");
  EXPECT_EQ(told.logs[2].level, LogLevel::kWarn);
  EXPECT_EQ(told.logs[2].source, LogSource::kTask);
  EXPECT_EQ(told.logs[2].fields, R"({"n":1})");
  EXPECT_EQ(told.logs[2].attempt, 1u);
}

TEST_F(OutputTest, OutputOverTheLimitIsCutWithOneNote) {
  const Told& told = run("chatter", "5000000");
  EXPECT_EQ(told.result.output, "\"done\"");
  const auto notes = lines(told, LogSource::kHost);
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_NE(notes[0].find("wrote more than 1000000 bytes"), std::string::npos);
  EXPECT_EQ(told.logs.back().source, LogSource::kHost);
  EXPECT_GT(lines(told, LogSource::kStdout).size(), 5000u);
}

TEST_F(OutputTest, LogLinesOverTheLimitAreCutWithOneNote) {
  const Told& told = run("log_lines", "200000");
  EXPECT_FALSE(told.result.failure);
  EXPECT_LT(told.logs.size(), 100'000u);
  EXPECT_GT(told.logs.size(), 5'000u);
  EXPECT_EQ(std::ranges::count_if(told.logs, [](const auto& each) { return !each.message.starts_with("line "); }), 1);
}

TEST_F(OutputTest, AChattyAttemptStarvesNobody) {
  const AttemptHandle chatty = start("chatter_for_ever");
  logged(chatty);
  for (int i = 0; i < 20; i++) EXPECT_EQ(run("echo", "1").result.output, "1");
  supervisor->stop(chatty, StopReason::kShutdown);
  released(chatty);
}

}  // namespace
}  // namespace perdure::process::test
