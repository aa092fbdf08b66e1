// A whole host whose attempts are confined by its configuration.
#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <fstream>

#include "tests/e2e/host_process.h"

namespace perdure::e2e {
namespace {

namespace fs = std::filesystem;

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// What `command` prints when the exec plugin executes it.
std::string printed_by(HostProcess& host, const std::string& command, const std::string& argument) {
  Http http = host.client();
  const auto run = await_run(http, trigger(http, "exec", R"({"argv":[")" + command + R"(",")" + argument + "\"]}"));
  if (run.at("status") != "COMPLETED") return boost::json::serialize(run);
  std::string text(run.at("output").at("stdout").as_string());
  text.erase(text.find_last_not_of('\n') + 1);
  return text;
}

unsigned mode_of(const fs::path& path) {
  struct stat about {};
  return ::stat(path.c_str(), &about) == 0 ? about.st_mode & 0777 : 0;
}

HostOptions configured(const TemporaryDirectory& here, const std::string& attempts) {
  std::ofstream(here.path() / "perdure.toml")
      << "[attempts]\n" + attempts + "\n[plugins.exec]\nallow = [\"/usr/bin/id\", \"/usr/bin/printenv\"]\n";
  return {.arguments = {"--config", here.path() / "perdure.toml"}};
}

TEST(Confinement, AttemptsGetADirectoryBelowTheHostsOwnDataWhichIsGoneWithIt) {
  const TemporaryDirectory here;
  HostProcess host(configured(here, ""));
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_TRUE(contains(printed_by(host, "/usr/bin/printenv", "TMPDIR"), host.data() / "run/tmp/z"));
  host.stop();
  EXPECT_TRUE(fs::is_empty(host.data() / "run/tmp"));
}

TEST(Confinement, AttemptsRunAsTheUserThatIsConfiguredAndReachTheirPlugin) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can run attempts as another user";
  const passwd* const nobody = getpwnam("nobody");
  ASSERT_NE(nobody, nullptr);
  const TemporaryDirectory here;
  HostProcess host(configured(here, "user = \"nobody\""));
  fs::permissions(host.directory(), fs::perms(0711));
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_EQ(printed_by(host, "/usr/bin/id", "-u"), std::to_string(nobody->pw_uid));
  EXPECT_EQ(printed_by(host, "/usr/bin/id", "-G"), std::to_string(nobody->pw_gid));
  EXPECT_EQ(printed_by(host, "/usr/bin/printenv", "USER"), "nobody");
  EXPECT_EQ(mode_of(host.data()), 0711u);
  EXPECT_EQ(mode_of(host.data() / "store"), 0700u);
  EXPECT_EQ(mode_of(host.data() / "secret"), 0600u);
}

TEST(Confinement, AUserThatIsNotThereIsRefusedAtTheStart) {
  const TemporaryDirectory here;
  const Ended host =
      run_program({PERDURE_TEST_BIN_DIR "/perdure", "serve", "--data", here.path() / "data", "--listen", "127.0.0.1:0"},
                  {{"PERDURE_ATTEMPTS_USER", "nobody-of-that-name"}});
  EXPECT_EQ(host.exit_status, 2);
  EXPECT_TRUE(contains(host.err, "no user \\\"nobody-of-that-name\\\"") ||
              contains(host.err, "no user \"nobody-of-that-name\""))
      << host.err;
}

}  // namespace
}  // namespace perdure::e2e
