// The core file of an attempt that crashes and asked for one: what a debugger finds in it, and how large it may be.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "tests/process/supervised.h"

namespace perdure::process::test {
namespace {

namespace fs = std::filesystem;

// Made before the supervisor is told of it.
struct Folder {
  Folder() {
    char made[] = "/tmp/perdure-core-test-XXXXXX";
    here = mkdtemp(made);
  }
  ~Folder() { fs::remove_all(here); }
  fs::path here;
};

class CoreTest : public testing::Test, public Folder, public Supervised {
 protected:
  explicit CoreTest(std::uint64_t size = std::uint64_t{1} << 30, const char* folder = "cores")
      : Supervised([&](SupervisorOptions& adjusted) {
          adjusted.backtrace_executable = PERDURE_TEST_BACKTRACE;
          adjusted.cores = here / folder;
          adjusted.core_size = size;
          adjusted.cores_size = size;
        }) {
    load_behaviours();
  }

  boost::json::object core_of(const Told& told) {
    EXPECT_EQ(told.kind(), store::FailureKind::kCrashed);
    const auto details = boost::json::parse(told.result.failure->details).as_object();
    const auto* core = details.if_contains("core");
    return core != nullptr ? core->as_object() : boost::json::object();
  }
  boost::json::object core_of(const std::string& task, const std::string& payload = "null", std::uint32_t number = 3) {
    return core_of(run(task, payload, [number](AttemptSpec& spec) {
      spec.keep_core = true;
      spec.number = number;
    }));
  }
  // What gdb says of it.
  std::string gdb(const boost::json::object& core, const std::string& command) {
    const std::string line = "gdb -q -batch -nx -ex '" + command + "' " + options.zygote_executable + " " +
                             std::string(core.at("path").as_string()) + " 2>&1";
    FILE* pipe = popen(line.c_str(), "r");
    std::string said;
    char piece[4096];
    for (std::size_t got = 0; (got = fread(piece, 1, sizeof piece, pipe)) > 0;) said.append(piece, got);
    pclose(pipe);
    return said;
  }
};

TEST_F(CoreTest, ShowsADebuggerTheSignalTheStackAndTheMemory) {
  const auto core = core_of("null_write");
  ASSERT_TRUE(core.contains("path")) << boost::json::value(core);
  EXPECT_EQ(core.at("complete"), true);
  EXPECT_TRUE(core.at("path").as_string().ends_with("run_0000000000000000000000000-3.core"));
  if (std::system("gdb --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "no gdb here";
  const std::string said = gdb(core, "backtrace");
  EXPECT_NE(said.find("SIGSEGV"), std::string::npos) << said;
  EXPECT_NE(said.find("<signal handler called>"), std::string::npos) << said;
  EXPECT_NE(said.find("write_to_null"), std::string::npos) << said;
  EXPECT_NE(said.find("null_write"), std::string::npos) << said;
}

TEST_F(CoreTest, HasEveryThread) {
  const auto core = core_of("crash_in_thread");
  ASSERT_TRUE(core.contains("path")) << boost::json::value(core);
  if (std::system("gdb --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "no gdb here";
  const std::string said = gdb(core, "info threads");
  EXPECT_NE(said.find("* 1 "), std::string::npos) << said;
  EXPECT_NE(said.find("  2 "), std::string::npos) << said;
}

TEST_F(CoreTest, IsNotKeptUnlessAskedForAndTheBacktraceIsThereEitherWay) {
  EXPECT_TRUE(core_of(run("null_write")).empty());
  EXPECT_FALSE(fs::exists(options.cores));
  const Told& asked = run("null_write", "null", [](AttemptSpec& spec) { spec.keep_core = true; });
  EXPECT_FALSE(core_of(asked).empty());
  EXPECT_NE(asked.result.failure->stack.find("write_to_null(int)"), std::string::npos);
}

class SmallCoreTest : public CoreTest {
 protected:
  SmallCoreTest() : CoreTest(64 << 10) {}
};

TEST_F(SmallCoreTest, IsCutWhereItMayBeNoLarger) {
  const auto core = core_of("null_write");
  ASSERT_TRUE(core.contains("path")) << boost::json::value(core);
  EXPECT_EQ(core.at("complete"), false);
  EXPECT_LE(core.at("bytes").to_number<std::uint64_t>(), 64u << 10);
}

TEST_F(SmallCoreTest, GivesWayToTheNextOneWhenAllTogetherAreTooLarge) {
  const std::string first(core_of("null_write", "null", 1).at("path").as_string());
  std::ofstream(options.cores + "/run_0000000000000000000000000-9.core.part") << "another writes this now";
  const std::string second(core_of("null_write", "null", 2).at("path").as_string());
  EXPECT_FALSE(fs::exists(first));
  EXPECT_TRUE(fs::exists(second));
  EXPECT_TRUE(fs::exists(options.cores + "/run_0000000000000000000000000-9.core.part"));
}

class NoPlaceForCoresTest : public CoreTest {
 protected:
  NoPlaceForCoresTest() : CoreTest(1 << 20, "not/there") {}
};

TEST_F(NoPlaceForCoresTest, IsSaidOnTheAttemptAndTheBacktraceIsThere) {
  const Told& told = run("null_write", "null", [](AttemptSpec& spec) { spec.keep_core = true; });
  const auto core = core_of(told);
  ASSERT_TRUE(core.contains("error")) << boost::json::value(core);
  EXPECT_NE(core.at("error").as_string().find("/not/there"), std::string::npos) << core.at("error");
  EXPECT_NE(told.result.failure->stack.find("write_to_null(int)"), std::string::npos);
}

}  // namespace
}  // namespace perdure::process::test
