// Loading a plugin: what is told of a good one, and in which words a bad one is refused.
#include <elf.h>
#include <gtest/gtest.h>
#include <perdure/plugin.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "host/zygote/descendants.h"
#include "tests/zygote/behaviour_tasks.h"
#include "tests/zygote/zygote_process.h"

namespace perdure::zygote::test {
namespace {

using protocol::Kind;

std::string bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// A file that lives as long as the test.
class File {
 public:
  explicit File(const std::string& bytes) {
    path_ = testing::TempDir() + "perdure-zygote-" + std::to_string(getpid()) + ".so";
    std::ofstream(path_, std::ios::binary) << bytes;
  }
  ~File() { std::filesystem::remove(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// The reason a zygote gives for refusing the file, after which it must have left: one that crashed, once its backtrace
// is taken.
std::string reason_of(const std::string& path, const std::vector<std::string>& variables = {}, bool crashes = false) {
  ZygoteProcess zygote(path, variables);
  const auto frame = zygote.next(Kind::kRefused);
  EXPECT_TRUE(frame) << "nothing was refused";
  if (crashes) {
    EXPECT_TRUE(zygote.next(Kind::kCrash)) << "no backtrace is asked for";
    zygote.send(Kind::kResume, 0, 0);
  }
  EXPECT_TRUE(zygote.wait()) << "the zygote stays";
  return frame ? member(frame->json, "reason") : std::string();
}

std::string reason_for(const std::string& bytes) { return reason_of(File(bytes).path()); }
std::string reason_when(const std::string& fixture_name) {
  return reason_of(fixture("misbehaves"), {"PERDURE_FIXTURE=" + fixture_name});
}
std::string reason_when_it_crashes(const std::string& fixture_name) {
  return reason_of(fixture("misbehaves"), {"PERDURE_FIXTURE=" + fixture_name}, true);
}

TEST(Loading, TellsThePluginAndItsTasks) {
  ZygoteProcess zygote(fixture("behaviours"));
  const std::string manifest = zygote.manifest();
  EXPECT_EQ(member(manifest, "protocol"), std::to_string(protocol::kProtocolVersion));
  EXPECT_EQ(member(manifest, "plugin"), "behaviours");
  EXPECT_EQ(member(manifest, "version"), "1.2.3");
  EXPECT_EQ(member(manifest, "isolation"), "fork");
  EXPECT_EQ(member(manifest, "isolation_reason"), "");
  EXPECT_EQ(member(manifest, "warnings"), "[]");
  const std::string tasks = member(manifest, "tasks");
  EXPECT_EQ(tasks.find(R"([{"id":"echo","options":{"maxDurationMs": 5000},"hooks":["on_wait"]},{"id":"fail",)"), 0u)
      << tasks;
}

TEST(Loading, TellsHooksOfTheWholeHost) {
  ZygoteProcess zygote(fixture("misbehaves"), {"PERDURE_FIXTURE=hooks"});
  EXPECT_EQ(member(zygote.manifest(), "hooks"), R"([{"global":true,"hooks":["on_start","cleanup"]}])");
}

TEST(Loading, WarnsOfANewerMinorVersion) {
  ZygoteProcess zygote(fixture("misbehaves"), {"PERDURE_FIXTURE=newer-minor"});
  const std::string newer = std::to_string(PERDURE_ABI_MINOR + 1), own = std::to_string(PERDURE_ABI_MINOR);
  EXPECT_EQ(member(zygote.manifest(), "warnings"),
            "[\"built for plugin interface 1." + newer + "; this host offers 1." + own + "\"]");
}

TEST(Loading, TakesAPluginOfAnOlderMinorVersion) {
  const std::string file = PERDURE_TEST_PLUGIN_DIR "/../fixtures/minor_0/minor_0.so";
  ZygoteProcess zygote(file, {}, std::chrono::seconds(10));
  const std::string manifest = zygote.manifest();
  EXPECT_EQ(member(manifest, "abi_minor"), "0");
  EXPECT_EQ(member(manifest, "warnings"), "[]");
  const Attempt attempt = zygote.fork();
  attempt.start(0, "null");
  const auto outcome = attempt.next(Kind::kOutcome);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->raw, "\"hello from minor 0\"");
}

TEST(Loading, FindsLibrariesInTheLibraryPath) {
  EXPECT_EQ(reason_of(fixture("beside")),
            "it needs the library libperdure_zygote_fixture_library.so, which is not found on "
            "this machine or beside the plugin");
  ZygoteProcess zygote(fixture("beside"), {std::string("LD_LIBRARY_PATH=") + PERDURE_ZYGOTE_PLUGINS + "library"});
  EXPECT_NE(zygote.manifest(), "");
}

TEST(Refusal, NamesAFileThatIsNotThere) {
  EXPECT_EQ(reason_of("/nowhere/plugin.so"), "the file cannot be opened: No such file or directory");
}

TEST(Refusal, KnowsADirectory) { EXPECT_EQ(reason_of("/tmp"), "not an ELF shared object: it is no regular file"); }

TEST(Refusal, KnowsAnEmptyFile) { EXPECT_EQ(reason_for(""), "not an ELF shared object: the file is empty"); }

TEST(Refusal, KnowsAText) {
  EXPECT_EQ(reason_for("#!/bin/sh\n"), "not an ELF shared object: the file does not start with the ELF mark");
}

TEST(Refusal, KnowsAFileCutAnywhere) {
  const std::string whole = bytes_of(fixture("behaviours"));
  for (const std::size_t size : {std::size_t{10}, std::size_t{63}, std::size_t{64}, std::size_t{500}, std::size_t{4096},
                                 whole.size() / 2, whole.size() - 1}) {
    const std::string reason = reason_for(whole.substr(0, size));
    EXPECT_EQ(reason.find("the file is truncated: it has " + std::to_string(size) + " bytes"), 0u) << reason;
  }
}

TEST(Refusal, KnowsAFileOfAnotherMachine) {
  std::string bytes = bytes_of(fixture("behaviours"));
  auto* header = reinterpret_cast<Elf64_Ehdr*>(bytes.data());
  header->e_machine = header->e_machine == EM_AARCH64 ? EM_X86_64 : EM_AARCH64;
  const std::string reason = reason_for(bytes);
  EXPECT_EQ(reason.find("built for another machine: "), 0u) << reason;
}

TEST(Refusal, KnowsAnObjectFile) {
  std::string bytes = bytes_of(fixture("behaviours"));
  reinterpret_cast<Elf64_Ehdr*>(bytes.data())->e_type = ET_REL;
  EXPECT_EQ(reason_for(bytes), "not an ELF shared object: it is an object file; link it with -shared");
}

TEST(Refusal, KnowsAFileWithoutEntryPoint) {
  EXPECT_EQ(reason_of(fixture("no_entry")),
            "it exports no perdure_register_v1, so it is not a Perdure plugin, or its entry point is hidden");
}

TEST(Refusal, NamesTheEntryPointOfAnotherMajor) {
  EXPECT_EQ(reason_of(fixture("other_major")),
            "built for another version of the plugin interface: it exports perdure_register_v2, and this host calls "
            "perdure_register_v1");
}

TEST(Refusal, NamesTheUnresolvedSymbol) {
  EXPECT_EQ(reason_of(fixture("unresolved")),
            "it needs the symbol _ZN9somewhere16missing_functionEi, that is somewhere::missing_function(int), which "
            "neither it "
            "nor a library it names defines");
}

// Every section header damaged in turn: refused or loaded, but never a dead host's worth of memory or a hang.
TEST(Refusal, SurvivesForgedSectionTables) {
  const std::string whole = bytes_of(fixture("no_entry"));
  Elf64_Ehdr header{};
  whole.copy(reinterpret_cast<char*>(&header), sizeof header);
  for (unsigned i = 1; i < header.e_shnum; i += 3) {
    std::string bytes = whole;
    auto* section = reinterpret_cast<Elf64_Shdr*>(bytes.data() + header.e_shoff) + i;
    section->sh_size = 0x7fff'ffff'ffff;
    section->sh_offset = 0x7fff'ffff'0000;
    EXPECT_NE(reason_for(bytes), "");
  }
}

TEST(Refusal, TellsACrashWhileLoading) {
  if (kThreadSanitizer) GTEST_SKIP() << "the signal is held back";
  EXPECT_EQ(reason_when_it_crashes("crash"), "the plugin crashed while loading: SIGSEGV");
  EXPECT_EQ(reason_when_it_crashes("write-null"), "the plugin crashed while loading: SIGSEGV");
  EXPECT_EQ(reason_when_it_crashes("abort"), "the plugin crashed while loading: SIGABRT");
  EXPECT_EQ(reason_when_it_crashes("register-crash"), "the plugin crashed in perdure_register_v1: SIGSEGV");
}

TEST(Refusal, LeavesTheSignalInTheWaitStatus) {
  if (kThreadSanitizer) GTEST_SKIP() << "the signal is held back";
  ZygoteProcess zygote(fixture("misbehaves"), {"PERDURE_FIXTURE=write-null"});
  EXPECT_NE(zygote.refusal(), "");
  EXPECT_TRUE(zygote.next(protocol::Kind::kCrash)) << "it lets the host take its backtrace first";
  zygote.send(protocol::Kind::kResume, 0, 0);
  const auto status = zygote.wait();
  ASSERT_TRUE(status);
  EXPECT_TRUE(WIFSIGNALED(*status));
  EXPECT_EQ(WTERMSIG(*status), SIGSEGV);
}

TEST(Refusal, TellsAnExitWhileLoading) {
  EXPECT_EQ(reason_when("exit"), "the plugin called exit(0) while loading");
  EXPECT_EQ(reason_when("exit-3"), "the plugin called exit(3) while loading");
  EXPECT_EQ(reason_when("register-exit"), "the plugin called exit(0) in perdure_register_v1");
}

TEST(Refusal, ThatCannotBeSaidIsToldByTheExitCode) {
  ZygoteProcess zygote(fixture("misbehaves"), {"PERDURE_FIXTURE=_exit"});
  EXPECT_EQ(zygote.refusal(), "");  // the link ends without a word
  const auto status = zygote.wait();
  ASSERT_TRUE(status);
  EXPECT_TRUE(WIFEXITED(*status));
}

TEST(Refusal, TellsAnExceptionOfAnInitialiser) {
  const std::string reason = reason_when("throw");
  EXPECT_TRUE(reason == "the plugin crashed while loading: SIGABRT" ||
              reason.find("thrown by an initialiser") != std::string::npos)
      << reason;
}

TEST(Refusal, TellsAnExceptionOfTheRegistration) {
  EXPECT_EQ(reason_when("register-throw"),
            "perdure_register_v1 let an exception escape: std::runtime_error: no licence");
}

TEST(Refusal, CarriesThePluginsOwnWords) {
  EXPECT_EQ(reason_when("register-fail"), R"(the plugin refuses to register: the licence \"A\" is missing)");
  EXPECT_EQ(reason_when("register-status"), "perdure_register_v1 returned 3 and did not say why");
}

TEST(Refusal, NamesWhatIsWrongWithTheRegistration) {
  EXPECT_EQ(reason_when("duplicate"), R"(task id \"count\" is registered twice)");
  EXPECT_EQ(reason_when("bad-id"), R"(task id \"not an id\" is not 1 to 128 of the characters A-Z a-z 0-9 _ . : / -)");
  EXPECT_EQ(reason_when("bad-options"), R"(the options of task \"count\" are no JSON object)");
  EXPECT_EQ(reason_when("no-run"), R"(task \"count\" has no run function)");
  EXPECT_EQ(reason_when("nothing"), "perdure_register_v1 did not declare a plugin; it must call registrar->plugin");
  EXPECT_EQ(reason_when("no-task"), "the plugin registers no task and no hook");
  EXPECT_EQ(reason_when("twice"), "the plugin declares itself twice; call registrar->plugin once");
  EXPECT_EQ(reason_when("task-first"),
            "a task is registered before the plugin declared itself; call registrar->plugin first");
  EXPECT_EQ(reason_when("small-plugin"), "perdure_plugin.struct_size is not set to sizeof(perdure_plugin)");
}

TEST(Loading, ThatHangsEndsWithTheHostsPatience) {
  ZygoteProcess zygote(fixture("misbehaves"), {"PERDURE_FIXTURE=hang"});
  EXPECT_FALSE(zygote.next(Kind::kRefused, std::chrono::milliseconds(200)));
  kill(zygote.pid(), SIGKILL);
  EXPECT_TRUE(zygote.wait());
}

TEST(Loading, SurvivesAnInitialiserThatForks) {
  ZygoteProcess zygote(fixture("misbehaves"), {"PERDURE_FIXTURE=fork"});
  EXPECT_NE(zygote.manifest(), "");
  EXPECT_TRUE(eventually([&] { return children_of(zygote.pid()).empty(); })) << "the copy of the zygote lives on";
  const Attempt attempt = zygote.fork();
  attempt.start(0, "null");
  const auto outcome = attempt.next(Kind::kOutcome);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->raw, "1");
}

// Each of these cannot be forked from, so each attempt is executed anew.
struct Unforkable {
  const char* fixture;
  const char* reason;
};
void PrintTo(const Unforkable& plugin, std::ostream* out) { *out << plugin.fixture; }
class Isolation : public testing::TestWithParam<Unforkable> {};

TEST_P(Isolation, BySpawnNamesItsCauseAndRunsAttempts) {
  if (kThreadSanitizer) GTEST_SKIP() << "its own thread is counted too";
  ZygoteProcess zygote(fixture("misbehaves"), {std::string("PERDURE_FIXTURE=") + GetParam().fixture});
  const std::string manifest = zygote.manifest();
  EXPECT_EQ(member(manifest, "isolation"), "spawn");
  EXPECT_EQ(member(manifest, "isolation_reason"), GetParam().reason);
  EXPECT_EQ(member(manifest, "warnings"),
            "[\"every attempt loads the plugin anew, because " + std::string(GetParam().reason) + "\"]");
  for (int i = 0; i < 2; i++) {
    const Attempt attempt = zygote.fork();
    ASSERT_GT(attempt.pid, 0);
    ASSERT_TRUE(attempt.start(0, "null"));
    const auto outcome = attempt.next(Kind::kOutcome);
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->raw, "1");
    attempt.confirm();
    const auto exit = zygote.exit_of(attempt.id);
    ASSERT_TRUE(exit);
    EXPECT_EQ(exit->report.wait_status, 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Causes, Isolation,
                         testing::Values(Unforkable{"thread", "it started 1 thread while loading"},
                                         Unforkable{"descriptor",
                                                    "it holds 1 descriptor open after loading (/dev/zero)"},
                                         Unforkable{"child", "it started a process while loading"}),
                         [](const auto& test) { return test.param.fixture; });

TEST(Loading, KeepsWaitStatusesThoughThePluginIgnoresSigchld) {
  ZygoteProcess zygote(fixture("misbehaves"), {"PERDURE_FIXTURE=ignore-children"});
  ASSERT_NE(zygote.manifest(), "");
  const Attempt attempt = zygote.fork();
  kill(attempt.pid, SIGKILL);
  const auto exit = zygote.exit_of(attempt.id);
  ASSERT_TRUE(exit);
  EXPECT_EQ(WTERMSIG(exit->report.wait_status), SIGKILL);
}

}  // namespace
}  // namespace perdure::zygote::test
