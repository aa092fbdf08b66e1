// Attempts that use more memory than their machine has, by each mechanism that limits it; and those that do not.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <filesystem>
#include <thread>

#include "host/os/cgroup.h"
#include "host/os/process.h"
#include "host/os/process_memory.h"
#include "host/os/process_tree.h"
#include "tests/process/supervised.h"

namespace perdure::process::test {
namespace {

using store::FailureKind;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kLimit = 128 * kMiB;

void on_128_mib(AttemptSpec& spec) { spec.machine = {"", 1, kLimit}; }
// A process that takes memory at full speed is not guarded in its first milliseconds, and later on a busy machine.
void on_256_mib(AttemptSpec& spec) { spec.machine = {"", 1, 2 * kLimit}; }
void on_64_mib(AttemptSpec& spec) { spec.machine = {"", 1, kLimit / 2}; }

std::uint64_t number_in(const std::string& details, const char* key) {
  return boost::json::parse(details).at(key).to_number<std::uint64_t>();
}

// The cgroup directories that this process's supervisors have now.
std::size_t cgroup_directories() {
  std::string why;
  const auto own = os::own_cgroup(why);
  if (!own) return 0;
  const std::string ours = "perdure." + std::to_string(getpid()) + ".";
  std::size_t count = 0;
  for (const std::string& name : os::cgroups_in(own->directory)) count += name.starts_with(ours) ? 1 : 0;
  return count;
}

// A page in which the memory plugin counts what it takes, and the path under which it finds that.
os::UniqueFd& taken_file() {
  static os::UniqueFd file = [] {
    os::UniqueFd made(memfd_create("taken", MFD_CLOEXEC));
    EXPECT_EQ(ftruncate(made.get(), sizeof(long)), 0);
    return made;
  }();
  return file;
}
std::string page_of_taken() {
  return "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(taken_file().get());
}
std::uint64_t taken() {
  std::uint64_t mebibytes = 0;
  EXPECT_EQ(pread(taken_file().get(), &mebibytes, sizeof mebibytes, 0), static_cast<ssize_t>(sizeof mebibytes));
  return mebibytes;
}

class MemoryTest : public testing::TestWithParam<MemoryControl>, public Supervised {
 protected:
  MemoryTest()
      : Supervised([](SupervisorOptions& adjusted) {
          adjusted.memory_control = GetParam();
          adjusted.cancel_grace = kPatience;
          adjusted.further_environment = {"PERDURE_TEST_TAKEN=" + page_of_taken()};
        }) {}

  void SetUp() override {
    if (supervisor->memory_in_force().mechanism == MemoryMechanism::kNone) {
      GTEST_SKIP() << "no memory cgroups here: " << supervisor->memory_in_force().why_not_better;
    }
    ASSERT_EQ(load(fixture("memory")), "");
  }

  static std::string mechanism() { return GetParam() == MemoryControl::kCgroup ? "cgroup" : "watchdog"; }

  // A guard that gets no processor when it wants it may be late, on a machine that is full.
  static bool is_never_late() {
    bool hurries = false;
    std::thread([&] { hurries = os::hurry_this_thread(); }).join();
    return hurries;
  }

  static void expect_out_of_memory(const Told& told, std::uint64_t limit = kLimit) {
    ASSERT_EQ(told.kind(), FailureKind::kOutOfMemory) << (told.result.failure ? told.result.failure->message : "");
    const std::string& details = told.result.failure->details;
    EXPECT_EQ(number_in(details, "limit"), limit) << details;
    const std::uint64_t peak = number_in(details, "peak");
    EXPECT_GE(peak, limit * 9 / 10) << details;
    if (is_never_late()) {
      EXPECT_LE(peak, limit * 11 / 10) << details;
    }
    EXPECT_EQ(boost::json::parse(details).at("mechanism").as_string(), mechanism());
    EXPECT_GE(told.result.usage.peak_memory, limit * 9 / 10);
  }
};

TEST_P(MemoryTest, AnAttemptThatTakesMemoryWithoutEndIsOutOfMemory) {
  const Told& told = run("endless", "null", on_256_mib);
  expect_out_of_memory(told, 2 * kLimit);
  EXPECT_NE(told.result.failure->message.find("1 vCPU, 256 MiB"), std::string::npos) << told.result.failure->message;
  EXPECT_FALSE(is_alive(told.pid));
}

TEST_P(MemoryTest, TheProcessesOfAnAttemptCountTogether) { expect_out_of_memory(run("among_four", "200", on_128_mib)); }

TEST_P(MemoryTest, TheProcessesOfAnAttemptCountTogetherAlsoWhenTheyTakeItAllAtOnce) {
  const std::uint64_t before = taken();
  expect_out_of_memory(run("among_four_at_once", "200", on_128_mib));
  if (is_never_late()) {
    EXPECT_LE(taken() - before, kLimit / kMiB * 11 / 10);
  }
}

TEST_P(MemoryTest, PagesThatItsProcessesNoLongerShareCountForEachOfThem) {
  expect_out_of_memory(run("unshare_among_four", "60", on_128_mib));
}

TEST_P(MemoryTest, FourProcessesThatUseLessTogetherGoOn) {
  const AttemptHandle attempt = start("among_four", "64", on_128_mib);
  until([&] { return os::tree_of(of(attempt).pid).size() == 4; }, "its processes");
  supervisor->stop(attempt, StopReason::kCanceled);
  EXPECT_FALSE(released(attempt).result.failure);
}

TEST_P(MemoryTest, AnAttemptWhoseDaemonTakesTooMuchIsOutOfMemory) {
  expect_out_of_memory(run("in_a_daemon", "null", on_256_mib), 2 * kLimit);
}

TEST_P(MemoryTest, AnAttemptWhoseChildWasKilledForItIsOutOfMemoryWhateverItSays) {
  expect_out_of_memory(run("in_a_child", "null", on_256_mib), 2 * kLimit);
}

TEST_P(MemoryTest, AnInnocentNeighbourIsUntouched) {
  const AttemptHandle neighbour = start("hold", "100", on_128_mib);
  logged(neighbour);
  expect_out_of_memory(run("endless", "null", on_256_mib), 2 * kLimit);
  EXPECT_TRUE(is_alive(of(neighbour).pid));
  supervisor->stop(neighbour, StopReason::kCanceled);
  EXPECT_FALSE(released(neighbour).result.failure);
}

TEST_P(MemoryTest, ManyAtOnceAreEachJudgedByTheirOwnMachine) {
  std::vector<AttemptHandle> small, large;
  for (int i = 0; i < 4; i++) {
    small.push_back(start("hold", "200", on_128_mib));
    large.push_back(start("hold", "200", [](AttemptSpec& spec) { spec.machine = {"", 1, 2 * kLimit}; }));
  }
  for (const AttemptHandle each : small) expect_out_of_memory(released(each));
  for (const AttemptHandle each : large) {
    logged(each);
    supervisor->stop(each, StopReason::kCanceled);
    EXPECT_FALSE(released(each).result.failure);
  }
}

TEST_P(MemoryTest, MemoryThatIsGivenBackMayBeTakenAgain) {
  EXPECT_FALSE(run("twice", "100", on_128_mib).result.failure);
}

TEST_P(MemoryTest, AFailedAllocationSaysWhatTheLimitWas) {
  const Told& told = run("throw_bad_alloc", "null", on_128_mib);
  ASSERT_EQ(told.kind(), FailureKind::kOutOfMemory);
  EXPECT_EQ(number_in(told.result.failure->details, "limit"), kLimit);
}

TEST_P(MemoryTest, AKillFromOutsideIsNotForWantOfMemory) {
  const AttemptHandle attempt = start("hold", "10", on_128_mib);
  logged(attempt);
  until([&] { return os::tree_of(of(attempt).pid).size() == 1; }, "its process");
  kill(of(attempt).pid, SIGKILL);
  EXPECT_EQ(released(attempt).kind(), FailureKind::kCrashed);
}

TEST_P(MemoryTest, APeakIsTheAttemptsOwnInAProcessThatServesMany) {
  const auto again = [](AttemptSpec& spec) {
    on_128_mib(spec);
    spec.recycle_after = 10;
  };
  const Told first = run("take_and_return", "100", again);
  const Told second = run("take_and_return", "40", again);
  for (const Told* each : {&first, &second}) {
    ASSERT_FALSE(each->result.failure) << each->result.failure->message << ' ' << each->result.failure->details;
  }
  EXPECT_EQ(first.pid, second.pid);
  EXPECT_LT(second.result.usage.peak_memory, 80 * kMiB);
  if (GetParam() == MemoryControl::kCgroup) {
    EXPECT_GE(first.result.usage.peak_memory, 100 * kMiB);
    EXPECT_GE(second.result.usage.peak_memory, 40 * kMiB);
  }
}

TEST_P(MemoryTest, AProcessDoesNotServeOnAnotherMachineThanItsOwn) {
  const auto on = [](std::uint64_t memory) {
    return [memory](AttemptSpec& spec) {
      spec.machine = {"", 1, memory};
      spec.recycle_after = 10;
    };
  };
  const Told first = run("take_and_return", "40", on(kLimit / 2));
  const Told second = run("take_and_return", "100", on(kLimit));
  EXPECT_NE(first.pid, second.pid);
  EXPECT_FALSE(second.result.failure);
}

TEST_P(MemoryTest, AProcessThatRanOutOfMemoryServesNoMore) {
  const auto again = [](AttemptSpec& spec) {
    on_128_mib(spec);
    spec.recycle_after = 10;
  };
  const Told first = run("throw_bad_alloc", "null", again);
  const Told second = run("pid", "null", again);
  EXPECT_NE(std::to_string(first.pid), second.result.output);
}

TEST_P(MemoryTest, ATaskIsToldItsLimit) {
  const Told& told = run("usage", "null", on_128_mib);
  EXPECT_EQ(number_in(told.result.output, "memoryLimitBytes"), kLimit);
}

TEST_P(MemoryTest, NothingIsLeftBehind) {
  (void)run("endless", "null", on_128_mib);
  const std::size_t descriptors = descriptor_count();
  for (int i = 0; i < 5; i++) (void)run("endless", "null", on_64_mib);
  EXPECT_LE(descriptor_count(), descriptors + 4);  // spares come and go
  supervisor.reset();
  EXPECT_EQ(cgroup_directories(), 0u);
}

INSTANTIATE_TEST_SUITE_P(By, MemoryTest, testing::Values(MemoryControl::kCgroup, MemoryControl::kWatchdog),
                         [](const auto& given) {
                           return given.param == MemoryControl::kCgroup ? "Cgroup" : "Watchdog";
                         });

class MemoryLeftovers : public testing::Test {
 protected:
  // The directory of a host that is gone, of one attempt with a process that sleeps; nothing where none can be made.
  std::optional<std::string> leave(const std::string& name) {
    std::string why;
    const auto own = os::own_cgroup(why);
    if (!own) return std::nullopt;
    const std::string directory = own->directory + "/" + name;
    if (mkdir(directory.c_str(), 0755) != 0 || mkdir((directory + "/0").c_str(), 0755) != 0) return std::nullopt;
    const os::Command sleeper{.path = "/bin/sleep", .arguments = {"600"}, .environment = {}, .descriptors = {}};
    sleepers_.push_back(os::spawn(sleeper));
    auto group = os::Cgroup::make({own->version, directory + "/0"});
    return group && group->add(sleepers_.back()) ? std::optional(directory) : std::nullopt;
  }

  std::vector<pid_t> sleepers_;
};

TEST_F(MemoryLeftovers, OfAHostThatWasKilledAreRemovedByTheNext) {
  const auto left = leave("perdure.999999999.1.0.0");
  if (!left) GTEST_SKIP() << "no cgroup can be made here";
  Supervised next([](SupervisorOptions& options) { options.memory_control = MemoryControl::kCgroup; });
  os::reap(sleepers_.front());  // it was killed
  next.until([&] { return !std::filesystem::exists(*left); }, "the directory to be removed");
}

TEST_F(MemoryLeftovers, OfOtherHostsWithAttemptsThatWaitForTheirNextOneStay) {
  const auto left = leave("perdure.999999999.1.0.7");
  const auto ours = leave("perdure.999999999.1.1.0");
  if (!left || !ours) GTEST_SKIP() << "no cgroup can be made here";
  {
    Supervised next([](SupervisorOptions& options) { options.memory_control = MemoryControl::kCgroup; });
    os::reap(sleepers_.back());
    next.until([&] { return !std::filesystem::exists(*ours); }, "its own to be removed");
    EXPECT_EQ(waitpid(sleepers_.front(), nullptr, WNOHANG), 0) << "it was killed";
  }
  ASSERT_EQ(kill(sleepers_.front(), SIGKILL), 0);
  os::reap(sleepers_.front());
  Supervised next([](SupervisorOptions& options) { options.memory_control = MemoryControl::kCgroup; });
  next.until([&] { return !std::filesystem::exists(*left); }, "it to be removed once it is empty");
}

class UsageTest : public testing::Test, public Supervised {
 protected:
  void SetUp() override { ASSERT_EQ(load(fixture("memory")), ""); }
};

TEST_F(UsageTest, AnAttemptOfMoreThanAMomentTellsWhatItUsed) {
  const Told& told = run("work_for_100_ms");
  ASSERT_FALSE(told.result.failure);
  EXPECT_GE(told.result.usage.cpu, std::chrono::milliseconds(10));
  EXPECT_LE(told.result.usage.cpu, told.result.usage.duration + std::chrono::milliseconds(1));  // it is in whole ones
  EXPECT_GT(told.result.usage.peak_memory, kMiB);
  EXPECT_GT(told.result.usage.voluntary_switches + told.result.usage.involuntary_switches, 0u);
}

TEST_F(UsageTest, TheProcessorTimeOfEarlierAttemptsIsNotCounted) {
  const auto again = [](AttemptSpec& spec) { spec.recycle_after = 10; };
  for (int i = 0; i < 3; i++) {
    const Told& told = run("work_for_100_ms", "null", again);
    EXPECT_LT(told.result.usage.cpu, told.result.usage.duration * 3 / 2);  // each begins where the one before ended
  }
}

}  // namespace
}  // namespace perdure::process::test
