// The hostile tasks of the fixtures beside a healthy neighbour: each hurts its own attempt and nothing else.
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <string_view>
#include <vector>

#include "tests/process/supervised.h"

namespace perdure::process::test {
namespace {

using std::chrono::milliseconds;
using store::FailureKind;

constexpr auto kSuccess = static_cast<FailureKind>(0);

struct Hostile {
  const char* task;
  std::vector<FailureKind> ends;  // any of these
  const char* payload = "{}";
};
std::ostream& operator<<(std::ostream& out, const Hostile& hostile) { return out << hostile.task; }

class HostileTest : public testing::TestWithParam<Hostile>, public Supervised {
 protected:
  HostileTest()
      : Supervised([](SupervisorOptions& adjusted) {
          adjusted.heartbeat_interval = milliseconds(100);
          adjusted.stall_after = milliseconds(1500);
          adjusted.timeout_grace = milliseconds(100);
          adjusted.term_grace = milliseconds(100);
          adjusted.memory_control = MemoryControl::kAuto;
        }) {
    EXPECT_EQ(load(PERDURE_HOSTILE_PLUGIN), "");
  }
};

TEST_P(HostileTest, HurtsOnlyItself) {
#ifdef PERDURE_SANITIZE_THREAD
  if (GetParam().task == std::string_view("double-free")) GTEST_SKIP() << "this sanitizer's allocator lets it pass";
#endif
  const Told& told = run(GetParam().task, GetParam().payload, [](AttemptSpec& spec) {
    spec.max_duration = store::Duration(5000);
    spec.machine = {"", 1, std::uint64_t{512} << 20};
  });
  const std::string message = told.result.failure ? told.result.failure->message : told.result.output;
  EXPECT_NE(std::ranges::find(GetParam().ends, told.kind()), GetParam().ends.end()) << message;
  EXPECT_FALSE(is_alive(told.pid));
  const Told& healthy = run("print", R"({"lines":1})");
  EXPECT_FALSE(healthy.result.failure) << healthy.result.failure->message;
}

INSTANTIATE_TEST_SUITE_P(
    HostileTest, HostileTest,
    testing::Values(
        Hostile{"null-dereference", {FailureKind::kCrashed}}, Hostile{"abort", {FailureKind::kCrashed}},
        Hostile{"stack-overflow", {FailureKind::kCrashed}}, Hostile{"double-free", {FailureKind::kCrashed}},
        Hostile{"allocate-without-end", {FailureKind::kOutOfMemory}},
        Hostile{"infinite-loop", {FailureKind::kMaxDurationExceeded}},
        Hostile{"ignore-sigterm", {FailureKind::kMaxDurationExceeded}},
        Hostile{"fork-bomb", {kSuccess}, R"({"doublings":5})"},
        Hostile{"close-descriptors", {FailureKind::kExitedWithoutResult, FailureKind::kProtocolError}},
        Hostile{"write-descriptors", {FailureKind::kProtocolError}}, Hostile{"stop-itself", {FailureKind::kStalled}},
        Hostile{"exit-0", {FailureKind::kExitedWithoutResult}}, Hostile{"exit-3", {FailureKind::kExitedWithoutResult}},
        Hostile{"large-output", {FailureKind::kOutputTooLarge}},
        Hostile{"nested-output", {FailureKind::kOutputInvalid}}, Hostile{"invalid-utf8", {FailureKind::kOutputInvalid}},
        Hostile{"not-json", {FailureKind::kOutputInvalid}},
        Hostile{"log-flood", {kSuccess, FailureKind::kMaxDurationExceeded}, R"({"lines":200000})"},
        Hostile{"kill-parent", {kSuccess, FailureKind::kHostLost}},
        Hostile{"longjmp",
                {FailureKind::kCrashed, FailureKind::kTaskError, FailureKind::kMaxDurationExceeded,
                 FailureKind::kExitedWithoutResult, FailureKind::kProtocolError}},
        Hostile{"throw-int", {FailureKind::kTaskError}}, Hostile{"throw-across", {FailureKind::kTaskError}},
        Hostile{"throw-in-thread", {FailureKind::kCrashed}}, Hostile{"terminate", {FailureKind::kCrashed}},
        Hostile{"bad-alloc", {FailureKind::kOutOfMemory}}),
    [](const auto& each) {
      std::string name = each.param.task;
      std::erase(name, '-');
      return name;
    });

}  // namespace
}  // namespace perdure::process::test
