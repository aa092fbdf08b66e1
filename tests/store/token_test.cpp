// What a waitpoint token may be created and completed with, and the words of one that timed out.
#include "store/model/token.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace perdure::store {
namespace {

TEST(Token, AStatusIsReadBackFromItsName) {
  for (const TokenStatus each : {TokenStatus::kWaiting, TokenStatus::kCompleted, TokenStatus::kTimedOut}) {
    EXPECT_EQ(parse_token_status(token_status_name(each)), each);
  }
  EXPECT_EQ(token_status_name(TokenStatus::kTimedOut), "TIMED_OUT");
  EXPECT_FALSE(parse_token_status("waiting"));
  EXPECT_FALSE(parse_token_status(""));
}

TEST(Token, OneThatTimedOutSaysWhen) {
  EXPECT_EQ(token_timeout_error(Time(Duration(1'795'440'874'838))),
            R"({"code":"TRIGGER_WAITPOINT_TIMEOUT","message":"Waitpoint timed out at 2026-11-23T13:34:34.838Z"})");
}

TEST(Token, ItHasAtMostTenTagsOfAtMost128Characters) {
  EXPECT_TRUE(check_token(std::vector<std::string>(10, std::string(128, 't')), ""));
  EXPECT_EQ(check_token(std::vector<std::string>(11, "t"), "").message(), "a token has at most 10 tags, not 11");
  EXPECT_EQ(check_token({std::string(129, 't')}, "").message(), "a tag has 1 to 128 characters, not 129");
  EXPECT_EQ(check_token({""}, "").code(), Code::kInvalid);
}

TEST(Token, ItsKeyHasAtMost2048Bytes) {
  EXPECT_TRUE(check_token({}, std::string(2048, 'k')));
  EXPECT_EQ(check_token({}, std::string(2049, 'k')).message(), "an idempotency key has at most 2048 bytes, not 2049");
}

TEST(Token, ItIsCompletedWithJsonOrWithNothing) {
  EXPECT_TRUE(check_token_value(""));
  EXPECT_TRUE(check_token_value("null"));
  EXPECT_TRUE(check_token_value(R"({"approved":true})"));
  EXPECT_EQ(check_token_value("{").code(), Code::kInvalid);
  EXPECT_EQ(check_token_value('"' + std::string(kLargestTokenValue, 'x') + '"').code(), Code::kInvalid);
}

}  // namespace
}  // namespace perdure::store
