// When the client makes a call again, and after which pause. No network, no clock.
#include <gtest/gtest.h>

#include <chrono>

#include <perdure/client/pacing.hpp>

using namespace std::chrono_literals;

namespace perdure::client::detail {
namespace {

constexpr Instant kNow{1'800'000'000'000ms};

HttpResponse answered(int status, std::map<std::string, std::string> headers = {}) {
  return {.status = status, .headers = std::move(headers), .body = "", .attempts = 1};
}

TEST(Pacing, FollowsTheContractsPausesAndGivesUpAfterFiveTries) {
  const Options options;
  EXPECT_EQ(pause_after(options, 1, {}, kNow, 0.9), 1000ms);
  EXPECT_EQ(pause_after(options, 2, {}, kNow, 0.9), 1600ms);
  EXPECT_EQ(pause_after(options, 3, {}, kNow, 0.9), 2560ms);
  EXPECT_EQ(pause_after(options, 4, {}, kNow, 0.9), 4096ms);
  EXPECT_EQ(pause_after(options, 5, {}, kNow, 0.9), std::nullopt);
}

TEST(Pacing, WaitsForTheResetOfARateLimitAndUpToASecondMore) {
  const Options options;
  EXPECT_EQ(pause_after(options, 1, kNow + 3s, kNow, 0), 3000ms);
  EXPECT_EQ(pause_after(options, 1, kNow + 3s, kNow, 0.5), 3500ms);
  EXPECT_EQ(pause_after(options, 1, kNow - 3s, kNow, 0), 0ms);
  EXPECT_EQ(pause_after(options, 1, kNow + 2min, kNow, 0), std::nullopt);
}

TEST(Pacing, ReadsTheResetFromTheHeadersOf429And503Only) {
  EXPECT_EQ(reset_of(answered(429, {{"x-ratelimit-reset", "1800000005000"}}), kNow), kNow + 5s);
  EXPECT_EQ(reset_of(answered(429, {{"x-ratelimit-reset", "soon"}, {"retry-after", "2"}}), kNow), kNow + 2s);
  EXPECT_EQ(reset_of(answered(503, {{"retry-after", "1"}}), kNow), kNow + 1s);
  EXPECT_EQ(reset_of(answered(500, {{"retry-after", "1"}}), kNow), std::nullopt);
}

TEST(Pacing, RepeatsByStatusUnlessTheHostDecides) {
  for (const int status : {408, 409, 429, 500, 502, 503, 507}) {
    EXPECT_TRUE(is_retried(answered(status), Repeat::kAnyTime)) << status;
    EXPECT_FALSE(is_retried(answered(status, {{"x-should-retry", "false"}}), Repeat::kAnyTime)) << status;
  }
  for (const int status : {301, 400, 401, 403, 404, 413, 422}) {
    EXPECT_FALSE(is_retried(answered(status), Repeat::kAnyTime)) << status;
    EXPECT_TRUE(is_retried(answered(status, {{"x-should-retry", "true"}}), Repeat::kAnyTime)) << status;
  }
}

TEST(Pacing, RepeatsWhatMustNotBeDoneTwiceOnlyWhenItWasNotDone) {
  EXPECT_TRUE(is_retried(answered(503), Repeat::kUnlessDone));
  EXPECT_TRUE(is_retried(answered(429), Repeat::kUnlessDone));
  EXPECT_FALSE(is_retried(answered(500), Repeat::kUnlessDone));
  EXPECT_TRUE(is_retried(NoResponse{.unsent = true}, Repeat::kUnlessDone));
  EXPECT_FALSE(is_retried(NoResponse{.timed_out = true}, Repeat::kUnlessDone));
  EXPECT_TRUE(is_retried(NoResponse{.timed_out = true}, Repeat::kAnyTime));
  EXPECT_FALSE(is_retried(NoResponse{.hopeless = true, .unsent = true}, Repeat::kAnyTime));
}

TEST(Pacing, AsksAHostThatIsAwayMoreAndMoreSeldom) {
  EXPECT_EQ(patient_pause(1), 100ms);
  EXPECT_EQ(patient_pause(2), 130ms);
  EXPECT_EQ(patient_pause(3), 169ms);
  EXPECT_EQ(patient_pause(1'000'000), 10s);
}

}  // namespace
}  // namespace perdure::client::detail
