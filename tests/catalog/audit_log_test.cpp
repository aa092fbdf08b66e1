// The audit log: one line for each thing that happened to a plugin.
#include "host/catalog/audit_log.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <vector>

#include "tests/catalog/plugin_directory.h"

namespace perdure::catalog {
namespace {

class AuditLogTest : public testing::Test {
 protected:
  AuditLog log(std::uint64_t limit = 10u << 20) {
    return AuditLog({.path = path, .limit = limit, .failed = [this](const store::Status& status) {
                       failures.push_back(status.message());
                     }});
  }
  static AuditLine line(const std::string& reason) {
    return {.at = store::Time(std::chrono::milliseconds(1)), .event = AuditEvent::kRefused, .reason = reason};
  }
  static constexpr std::string_view kPrefix = R"({"at":"1970-01-01T00:00:00.001Z","event":"refused","reason":")";

  const PluginDirectory here;
  const std::filesystem::path path = here.plugins().parent_path() / "audit.log";
  std::vector<std::string> failures;
};

TEST_F(AuditLogTest, WritesOneJsonObjectALine) {
  AuditLog audit = log();
  audit.write({.at = store::Time(std::chrono::milliseconds(1)),
               .event = AuditEvent::kReloaded,
               .file = "a.so",
               .plugin = "greetings",
               .version = store::VersionId("ab"),
               .number = "20261123.2",
               .reason = "two\nlines",
               .by = "host"});
  audit.write(line("\xff"));
  EXPECT_EQ(content(path),
            R"({"at":"1970-01-01T00:00:00.001Z","event":"reloaded","file":"a.so","plugin":"greetings","version":"ab",)"
            R"("number":"20261123.2","reason":"two\nlines","by":"host"})"
            "\n" +
                std::string(kPrefix) + "\xef\xbf\xbd\"}\n");
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(AuditLogTest, AppendsToWhatIsThereAndSurvivesBeingMovedAway) {
  log().write(line("one"));
  AuditLog audit = log();
  audit.write(line("two"));
  EXPECT_EQ(content(path), std::string(kPrefix) + "one\"}\n" + std::string(kPrefix) + "two\"}\n");
  std::filesystem::rename(path, path.string() + ".old");
  audit.write(line("three"));
  EXPECT_EQ(content(path), std::string(kPrefix) + "three\"}\n");
}

TEST_F(AuditLogTest, BeginsANewLineAfterATornOne) {
  std::ofstream(path) << "{\"at\":\"19";
  log().write(line("whole"));
  EXPECT_EQ(content(path), "{\"at\":\"19\n" + std::string(kPrefix) + "whole\"}\n");
}

TEST_F(AuditLogTest, MovesALongLogAsideOnce) {
  AuditLog audit = log(140);
  for (const char* reason : {"1", "2", "3", "4", "5"}) audit.write(line(reason));
  EXPECT_EQ(content(path), std::string(kPrefix) + "5\"}\n");
  EXPECT_EQ(content(path.string() + ".1"), std::string(kPrefix) + "3\"}\n" + std::string(kPrefix) + "4\"}\n");
  EXPECT_TRUE(failures.empty());
}

TEST_F(AuditLogTest, TellsOnceThatItCannotBeWrittenAndAgainAfterItCould) {
  AuditLog audit = log();
  std::filesystem::create_directory(path);
  audit.write(line("lost"));
  audit.write(line("lost"));
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_TRUE(failures[0].starts_with("Could not open the audit log " + path.string() + ": ")) << failures[0];
  std::filesystem::remove(path);
  audit.write(line("kept"));
  std::filesystem::remove(path);
  std::filesystem::create_directory(path);
  audit.write(line("lost"));
  EXPECT_EQ(failures.size(), 2u);
}

}  // namespace
}  // namespace perdure::catalog
