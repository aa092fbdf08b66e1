// `perdure dev`: a small C project whose sources change while a host serves what was built of them.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>

#include "host/os/channels.h"
#include "host/os/process.h"
#include "tests/e2e/host_process.h"

namespace perdure::e2e {
namespace {

namespace fs = std::filesystem;

// A project whose one task answers `text`.
class Project {
 public:
  Project() {
    std::ofstream(path() / "CMakeLists.txt")
        << "cmake_minimum_required(VERSION 3.20)\nproject(dev C)\n"
           "add_library(dev MODULE dev.c)\n"
           "set_target_properties(dev PROPERTIES PREFIX \"\")\n"
           "target_include_directories(dev PRIVATE " PERDURE_SOURCE_DIR "/plugin-api/include)\n";
    answer("one");
  }
  [[nodiscard]] const fs::path& path() const { return directory_.path(); }
  void answer(const std::string& text, const std::string& task = "dev-task") const {
    write(
        "#include <perdure/plugin.h>\n"
        "static perdure_status run(const perdure_attempt* attempt) {\n"
        "  attempt->services->log(attempt, PERDURE_INFO, PERDURE_STR(\"logged by " +
        text +
        "\"), PERDURE_STR(\"\"));\n"
        "  return attempt->services->set_result(attempt, PERDURE_STR(\"\\\"" +
        text +
        "\\\"\"));\n"
        "}\n"
        "PERDURE_EXPORT perdure_status perdure_register_v1(const perdure_registrar* registrar) {\n"
        "  perdure_plugin plugin = {.struct_size = sizeof plugin, .abi_minor = 0};\n"
        "  plugin.name = PERDURE_STR(\"dev\");\n"
        "  plugin.version = PERDURE_STR(\"" +
        text +
        "\");\n"
        "  perdure_status status = registrar->plugin(registrar, &plugin);\n"
        "  if (status) return status;\n"
        "  perdure_task task = {.struct_size = sizeof task, .run = run};\n"
        "  task.id = PERDURE_STR(\"" +
        task +
        "\");\n"
        "  return registrar->task(registrar, &task);\n"
        "}\n");
  }
  void write(const std::string& source) const {
    std::ofstream(path() / "dev.c.new") << source;
    fs::rename(path() / "dev.c.new", path() / "dev.c");  // as many editors do
  }

 private:
  TemporaryDirectory directory_;
};

// A `perdure dev` that runs, and what it has said.
class Dev {
 public:
  explicit Dev(std::vector<std::string> arguments, const std::vector<std::string>& environment = {}) {
    os::Pipe pipe;
    EXPECT_TRUE(os::open_pipe(pipe));
    os::Command command;
    command.path = PERDURE_TEST_BIN_DIR "/perdure";
    command.arguments = std::move(arguments);
    command.arguments.insert(command.arguments.begin(), "dev");
    for (char** each = environ; *each != nullptr; ++each) {
      if (!std::string_view(*each).starts_with("PERDURE_")) command.environment.emplace_back(*each);
    }
    command.environment.insert(command.environment.end(), environment.begin(), environment.end());
    command.descriptors = {{pipe.write.get(), 1}, {pipe.write.get(), 2}};
    pid_ = os::spawn(command);
    output_ = std::move(pipe.read);
  }
  ~Dev() {
    if (pid_ > 0) end();
  }
  Dev(const Dev&) = delete;
  Dev& operator=(const Dev&) = delete;

  // Reads on until it has said `text` after what was awaited before.
  [[nodiscard]] bool says(const std::string& text) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(2);
    while (said.find(text, seen_) == std::string::npos) {
      pollfd readable{output_.get(), POLLIN, 0};
      if (std::chrono::steady_clock::now() > deadline || ::poll(&readable, 1, 1000) < 0) return false;
      if (readable.revents == 0) continue;
      char buffer[4096];
      const ssize_t got = ::read(output_.get(), buffer, sizeof buffer);
      if (got <= 0) return false;
      said.append(buffer, static_cast<std::size_t>(got));
    }
    seen_ = said.find(text, seen_) + text.size();
    return true;
  }
  // As Ctrl-C does; the exit status.
  int end() {
    ::kill(pid_, SIGINT);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  std::string said;

 private:
  pid_t pid_ = -1;
  os::UniqueFd output_;
  std::size_t seen_ = 0;
};

class DevTest : public testing::Test {
 protected:
  DevTest() : host({.plugins = plugins.path()}) {}
  void SetUp() override { ASSERT_TRUE(host.start()) << host.log(); }
  std::vector<std::string> environment() const {
    return {"PERDURE_URL=" + host.url(), "PERDURE_API_KEY=" + host.key()};
  }
  std::string output() {
    Http http = host.client();
    return std::string(await_run(http, trigger(http, "dev-task", "null")).at("output").as_string());
  }

  TemporaryDirectory plugins;
  HostProcess host;
  Project project;
};

TEST_F(DevTest, BuildsServesWhatChangedKeepsWhatServesWhenABuildFailsAndFollowsTheRuns) {
  Dev dev({project.path()}, environment());
  ASSERT_TRUE(dev.says("dev.so serves as version")) << dev.said;
  EXPECT_EQ(output(), "one");
  EXPECT_TRUE(dev.says("logged by one")) << dev.said;
  EXPECT_TRUE(dev.says("COMPLETED")) << dev.said;

  project.answer("two");
  ASSERT_TRUE(dev.says("dev.so serves as version")) << dev.said;
  EXPECT_EQ(output(), "two");

  project.write("this is no C\n");
  ASSERT_TRUE(dev.says("dev.c:1:1: error:")) << "the compiler's own words\n" << dev.said;
  ASSERT_TRUE(dev.says("the build failed; what served goes on serving")) << dev.said;
  EXPECT_EQ(output(), "two");

  project.answer("three");
  ASSERT_TRUE(dev.says("dev.so serves as version")) << dev.said;
  EXPECT_EQ(output(), "three");
  EXPECT_EQ(dev.end(), 0);
  EXPECT_EQ(output(), "three") << "the host is somebody else's and goes on";
}

TEST_F(DevTest, SaysWhyAVersionIsRefusedAndThatTheOneBeforeServes) {
  Dev dev({project.path()}, environment());
  ASSERT_TRUE(dev.says("dev.so serves as version")) << dev.said;
  project.answer("two", "no task id");
  ASSERT_TRUE(dev.says("dev.so is refused:")) << dev.said;
  ASSERT_TRUE(dev.says("no task id")) << dev.said;
  ASSERT_TRUE(dev.says("What served goes on serving.")) << dev.said;
  EXPECT_EQ(output(), "one");
}

TEST_F(DevTest, BuildsByTheCommandThatIsGivenAndNotAgainForWhatThatWrites) {
  Dev dev({project.path(), "--build",
           "cc -shared -fPIC -I" PERDURE_SOURCE_DIR "/plugin-api/include dev.c -o dev.so && date +%N > dev.o && "
           "echo built-once"},
          environment());
  ASSERT_TRUE(dev.says("built-once")) << dev.said;
  ASSERT_TRUE(dev.says("dev.so serves as version")) << dev.said;
  EXPECT_EQ(output(), "one");
  ASSERT_TRUE(dev.says("COMPLETED")) << dev.said;
  EXPECT_EQ(dev.said.find("built-once", dev.said.find("built-once") + 1), std::string::npos) << dev.said;
}

TEST_F(DevTest, ThatCannotReachTheHostItWasToldEndsWithStatusThree) {
  const Ended ended =
      run_program({PERDURE_TEST_BIN_DIR "/perdure", "dev", project.path(), "--url", "http://127.0.0.1:1"});
  EXPECT_EQ(ended.exit_status, 3);
  EXPECT_NE(ended.err.find("no host answers at http://127.0.0.1:1"), std::string::npos) << ended.err;
  EXPECT_EQ(run_program({PERDURE_TEST_BIN_DIR "/perdure", "dev", "/nowhere"}).exit_status, 2);
}

TEST(DevHost, OfOnesOwnIsStartedAndEndsWithCtrlC) {
  const Project project;
  Dev dev({project.path(), "--listen", "127.0.0.1:0"});
  ASSERT_TRUE(dev.says("dev.so serves as version")) << dev.said;
  const auto at = dev.said.find("http://");
  const std::string url = dev.said.substr(at, dev.said.find(';', at) - at);
  const std::string data = project.path() / ".perdure/data";
  const Ended run =
      run_program({PERDURE_TEST_BIN_DIR "/perdure", "trigger", "dev-task", "--wait", "--url", url, "--data", data});
  EXPECT_EQ(run.out, "\"one\"\n") << run.err;
  EXPECT_TRUE(dev.says("logged by one")) << dev.said;
  EXPECT_EQ(dev.end(), 0);
  Http http(url, "");
  EXPECT_EQ(http.get("/healthz").status, 0) << "the host is gone";
}

}  // namespace
}  // namespace perdure::e2e
