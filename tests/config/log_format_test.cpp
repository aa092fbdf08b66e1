// What a log line looks like.
#include <gtest/gtest.h>
#include <spdlog/details/log_msg.h>

#include "host/telemetry/line_format.h"
#include "host/telemetry/log.h"

namespace perdure::telemetry {
namespace {

std::string formatted(spdlog::formatter& format, std::string_view message) {
  const spdlog::log_clock::time_point at{std::chrono::milliseconds(1'795'454'431'123)};
  spdlog::memory_buf_t out;
  format.format({at, {}, "perdure", spdlog::level::warn, {message.data(), message.size()}}, out);
  return {out.data(), out.size()};
}

TEST(JsonLog, IsOneObjectALine) {
  EXPECT_EQ(formatted(*json_format(), "two\n\"lines\""),
            "{\"at\":\"2026-11-23T17:20:31.123Z\",\"level\":\"warn\",\"message\":\"two\\n\\\"lines\\\"\"}\n");
}

TEST(JsonLog, CarriesTheFieldsOfARun) {
  const LogLine line({.run = "run_1", .attempt = 2, .task = "hello"});
  const std::string text = formatted(*json_format(), "m");
  EXPECT_NE(text.find(R"(,"run":"run_1","attempt":2,"task":"hello"})"), std::string::npos) << text;
}

TEST(JsonLog, StaysUtf8WhateverIsLogged) {
  std::string out;
  append_json_string(out, "ok \xC3\xA9 \xFF \xED\xA0\x80\x01");
  EXPECT_EQ(out, "\"ok \xC3\xA9 \xEF\xBF\xBD \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\\u0001\"");
}

TEST(TextLog, EndsWithTheFieldsThatAreThere) {
  const LogLine line({.run = "run_1", .task = "hello"});
  const std::string text = formatted(*text_format(), "attempt crashed");
  EXPECT_TRUE(text.ends_with(".123 warn  attempt crashed  run=run_1 task=hello\n")) << text;
}

TEST(TextLog, HasNoFieldsOutsideALine) {
  { const LogLine line({.run = "run_1"}); }
  EXPECT_TRUE(formatted(*text_format(), "m").ends_with("warn  m\n"));
}

TEST(LogOptions, NameTheWordsTheyDoNotKnow) {
  EXPECT_FALSE(log_options("loud", "auto"));
  EXPECT_FALSE(log_options("info", "xml"));
  const auto options = log_options("debug", "json");
  ASSERT_TRUE(options);
  EXPECT_EQ(options->level, spdlog::level::debug);
  EXPECT_EQ(options->format, Format::kJson);
}

}  // namespace
}  // namespace perdure::telemetry
