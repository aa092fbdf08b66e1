// Plugins that are loaded beside another one, for their global hooks: who has them, from when on, and what becomes of
// one that does not get on with the other.
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "tests/process/supervised.h"

namespace perdure::process::test {
namespace {

namespace fs = std::filesystem;

void hang_briefly(SupervisorOptions& options) { options.load_timeout = std::chrono::milliseconds(2000); }

class SurroundingsTest : public testing::Test, public Supervised {
 protected:
  SurroundingsTest() : Supervised(hang_briefly) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    load_behaviours();
  }
  ~SurroundingsTest() override { fs::remove_all(folder_); }

  // A copy of the companion that behaves as it is called.
  Beside companion(const std::string& name) {
    const fs::path copy = folder_ / (name + ".so");
    fs::copy_file(fixture("companion"), copy, fs::copy_options::skip_existing);
    return {store::VersionId(name), copy};
  }

  // Asks for it, and waits for what comes of it.
  Surroundings surround(std::vector<Beside> plugins) {
    answers_.clear();
    supervisor->surround(version, std::move(plugins), [this](Surroundings around) { answers_.push_back(around); });
    EXPECT_TRUE(answers_.empty()) << "surround() calls back from within";
    until([this] { return !answers_.empty(); }, "an answer");
    return answers_.empty() ? Surroundings{} : answers_.front();
  }

  [[nodiscard]] std::vector<std::int32_t> zygotes() const { return supervisor->zygote_pids(version); }
  static bool has_loaded(std::int32_t pid, const std::string& name) {
    std::ifstream maps("/proc/" + std::to_string(pid) + "/maps");
    const std::string text{std::istreambuf_iterator<char>(maps), {}};
    return text.find("/" + name + ".so") != std::string::npos;
  }
  void only_one_zygote() {
    until([this] { return zygotes().size() == 1; }, "the old zygote to leave");
  }

  const fs::path folder_ = fs::temp_directory_path() / ("perdure-companions-" + std::to_string(getpid()));
  std::vector<Surroundings> answers_;
};

TEST_F(SurroundingsTest, APluginWithNothingButGlobalHooksLoads) {
  version = store::VersionId("alone");
  ASSERT_EQ(load(fixture("companion")), "");
  EXPECT_TRUE(manifest.tasks.empty());
  EXPECT_TRUE(manifest.has_global_hooks());
  ASSERT_EQ(manifest.hooks.size(), 1u);
  EXPECT_EQ(manifest.hooks[0].hooks, std::vector<std::string>{"on_start_attempt"});
}

TEST_F(SurroundingsTest, AttemptsThatStartFromThenOnHaveItBesideThemAndTheOldZygoteLeaves) {
  const std::int32_t old = zygotes().at(0);
  const Surroundings around = surround({companion("first"), companion("second")});
  EXPECT_EQ(around.in_force, (std::vector<store::VersionId>{store::VersionId("first"), store::VersionId("second")}));
  EXPECT_TRUE(around.left_out.empty());
  EXPECT_EQ(around.isolation, "fork");
  only_one_zygote();
  EXPECT_NE(zygotes().at(0), old);
  EXPECT_TRUE(has_loaded(zygotes().at(0), "first"));
  EXPECT_TRUE(has_loaded(zygotes().at(0), "second"));
  const AttemptHandle attempt = start("until_cancelled");
  logged(attempt);
  EXPECT_TRUE(has_loaded(of(attempt).pid, "second"));
  supervisor->stop(attempt, StopReason::kCanceled);
  released(attempt);
}

TEST_F(SurroundingsTest, AnAttemptThatExecutesStaysAsItIs) {
  const AttemptHandle attempt = start("until_cancelled");
  logged(attempt);
  const std::int32_t old = zygotes().at(0);
  surround({companion("first")});
  EXPECT_EQ(run("echo", "1").result.output, "1");
  EXPECT_EQ(zygotes().size(), 2u);
  EXPECT_TRUE(is_alive(old));
  EXPECT_FALSE(has_loaded(of(attempt).pid, "first"));
  supervisor->stop(attempt, StopReason::kCanceled);
  EXPECT_EQ(released(attempt).kind(), store::FailureKind::kCanceled);
  only_one_zygote();
}

TEST_F(SurroundingsTest, OthersMayTakeItsPlaceAndNoneAtAll) {
  surround({companion("first")});
  EXPECT_EQ(surround({companion("second")}).in_force, std::vector<store::VersionId>{store::VersionId("second")});
  only_one_zygote();
  EXPECT_FALSE(has_loaded(zygotes().at(0), "first"));
  EXPECT_TRUE(has_loaded(zygotes().at(0), "second"));
  EXPECT_TRUE(surround({}).in_force.empty());
  only_one_zygote();
  EXPECT_FALSE(has_loaded(zygotes().at(0), "second"));
  EXPECT_EQ(run("echo", "1").result.output, "1");
}

TEST_F(SurroundingsTest, AskingForWhatIsInForceStartsNothing) {
  surround({companion("first")});
  only_one_zygote();
  const auto before = zygotes();
  EXPECT_EQ(surround({companion("first")}).in_force.size(), 1u);
  EXPECT_EQ(zygotes(), before);
}

TEST_F(SurroundingsTest, OnlyTheLastThatWasAskedForComesIntoForce) {
  supervisor->surround(version, {companion("first")}, [](const Surroundings&) { ADD_FAILURE() << "it was replaced"; });
  EXPECT_EQ(surround({companion("second")}).in_force, std::vector<store::VersionId>{store::VersionId("second")});
  only_one_zygote();
  EXPECT_TRUE(has_loaded(zygotes().at(0), "second"));
}

TEST_F(SurroundingsTest, AZygoteThatDiesIsReplacedByOneWithTheSame) {
  surround({companion("first")});
  only_one_zygote();
  const std::int32_t first = zygotes().at(0);
  kill(first, SIGKILL);
  until([&] { return zygotes().size() == 1 && zygotes()[0] != first; }, "another zygote");
  EXPECT_EQ(run("echo", "1").result.output, "1");
  EXPECT_TRUE(has_loaded(zygotes().at(0), "first"));
}

struct Misfit {
  const char* name;
  const char* why;  // part of it
  friend std::ostream& operator<<(std::ostream& out, const Misfit& misfit) { return out << misfit.name; }
};
class MisfitTest : public SurroundingsTest, public testing::WithParamInterface<Misfit> {};

TEST_P(MisfitTest, IsLeftOutAndTheOthersServe) {
  const Surroundings around = surround({companion("first"), companion(GetParam().name)});
  EXPECT_EQ(around.in_force, std::vector<store::VersionId>{store::VersionId("first")});
  ASSERT_EQ(around.left_out.size(), 1u);
  EXPECT_EQ(around.left_out[0].version, store::VersionId(GetParam().name));
  EXPECT_NE(around.left_out[0].why.find(GetParam().why), std::string::npos) << around.left_out[0].why;
  EXPECT_EQ(run("echo", "1").result.output, "1");
  only_one_zygote();
  EXPECT_TRUE(has_loaded(zygotes().at(0), "first"));
}

INSTANTIATE_TEST_SUITE_P(Surroundings, MisfitTest,
                         testing::Values(Misfit{"crashes", "crashed in perdure_register_v1: SIGABRT"},
                                         Misfit{"exits", "called exit(3) in perdure_register_v1"},
                                         Misfit{"exits_silently", "exited with code 4"},
                                         Misfit{"hangs", "did not finish registering"},
                                         Misfit{"refuses", "not beside others"}),
                         [](const testing::TestParamInfo<Misfit>& each) { return std::string(each.param.name); });

TEST_F(SurroundingsTest, OneThatCannotBeForkedMakesEveryAttemptLoadBoth) {
  const Surroundings around = surround({companion("starts_a_thread")});
  EXPECT_EQ(around.isolation, "spawn");
  EXPECT_NE(around.isolation_reason.find("companion"), std::string::npos) << around.isolation_reason;
  const AttemptHandle attempt = start("until_cancelled");
  logged(attempt);
  EXPECT_TRUE(has_loaded(of(attempt).pid, "starts_a_thread"));
  supervisor->stop(attempt, StopReason::kCanceled);
  EXPECT_EQ(released(attempt).kind(), store::FailureKind::kCanceled);
}

}  // namespace
}  // namespace perdure::process::test
