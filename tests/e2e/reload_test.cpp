// Every way in which plugin files come, change and go under a host that works.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <filesystem>
#include <fstream>
#include <vector>

#include "tests/e2e/changeling.h"

namespace perdure::e2e {
namespace {

namespace fs = std::filesystem;

std::string text(const boost::json::value& value) { return std::string(value.as_string()); }

class Reload : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(host.start()) << host.log(); }

  // A run of "hold" or "hold-then-fail" that executes until let_go().
  std::string held_run(Http& http, const std::string& task) {
    const std::string id = trigger(http, task, boost::json::serialize(boost::json::value(gate().string())));
    await_executing(http, id);
    return id;
  }
  static void await_executing(Http& http, const std::string& id) {
    while (text(http.get("/perdure/v1/runs/" + id).json().at("status")) != "EXECUTING") {
    }
  }
  void let_go() const { std::ofstream(gate()) << "go"; }
  [[nodiscard]] fs::path gate() const { return gates.path() / "gate"; }
  static std::string version_of(const boost::json::object& run) { return text(run.at("output").at("version")); }
  std::size_t zygotes() const {
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator("/proc")) {
      std::ifstream stat(entry.path() / "stat");
      std::string pid, name, state, parent;
      stat >> pid >> name >> state >> parent;
      if (name == "(perdure-zygote)" && parent == std::to_string(host.pid())) ++count;
    }
    return count;
  }

  const Changelings plugins;
  const TemporaryDirectory gates;
  HostProcess host{{.plugins = plugins.path()}};
};

TEST_F(Reload, ANewFileIsServed) {
  Http http = host.client();
  plugins.put("a.so", "version=1");
  const auto plugin = await_version(http, "1");
  EXPECT_EQ(answer(http, "which"), "1");
  EXPECT_NE(text(plugin.at("versionNumber")).find(".1"), std::string::npos);
}

TEST_F(Reload, AChangedFileBecomesANewVersionForQueuedAndNewRunsWhileRunningOnesStay) {
  Http http = host.client();
  plugins.put("a.so", "version=1");
  await_version(http, "1");
  const std::string running = held_run(http, "hold");
  plugins.put("a.so", "version=2");
  await_version(http, "2");
  EXPECT_EQ(answer(http, "which"), "2");
  await_version(http, "1", "retiring");
  EXPECT_EQ(zygotes(), 2u);
  let_go();
  EXPECT_EQ(version_of(await_run(http, running)), "1");
  await_plugin(http, [&](const auto&) { return zygotes() == 1; });
}

TEST_F(Reload, ARunKeepsItsVersionForItsRetries) {
  Http http = host.client();
  plugins.put("a.so", "version=1");
  await_version(http, "1");
  const std::string retried = held_run(http, "hold-then-fail");
  plugins.put("a.so", "version=2");
  await_version(http, "2");
  let_go();
  const auto run = await_run(http, retried);
  EXPECT_EQ(version_of(run), "1");
  EXPECT_EQ(run.at("attempts").as_array().size(), 2u);
}

TEST_F(Reload, ARunKeepsItsVersionThoughTheHostIsKilledAndTheFileIsGone) {
  {
    Http http = host.client();
    plugins.put("a.so", "version=1");
    await_version(http, "1");
    held_run(http, "hold-then-fail");
    plugins.put("a.so", "version=2");
    await_version(http, "2");
  }
  const std::string id = [&] {
    Http http = host.client();
    return text(http.get("/api/v1/runs").json().at("data").at(0).at("id"));
  }();
  host.kill();
  let_go();
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  EXPECT_EQ(version_of(await_run(http, id)), "1") << "loaded again from its private copy";
  EXPECT_EQ(answer(http, "which"), "2");
}

TEST_F(Reload, ARemovedFilesRunsWaitUntilItIsBack) {
  Http http = host.client();
  plugins.put("a.so", "version=1");
  await_version(http, "1");
  const std::string running = held_run(http, "hold");
  plugins.remove("a.so");
  await_version(http, "1", "retiring");
  const std::string waiting = trigger(http, "which", "{}");
  while (text(http.get("/perdure/v1/runs/" + waiting).json().at("status")) != "PENDING_VERSION") {
  }
  let_go();
  EXPECT_EQ(version_of(await_run(http, running)), "1") << "what runs goes on";
  plugins.put("a.so", "version=2");
  EXPECT_EQ(version_of(await_run(http, waiting)), "2");
}

TEST_F(Reload, ARenamedFileServesOnInTheSameProcess) {
  Http http = host.client();
  plugins.put("a.so", "version=1");
  const auto before = await_version(http, "1");
  fs::rename(plugins.path() / "a.so", plugins.path() / "b.so");
  await_plugin(http, [](const auto& plugin) {
    return text(plugin.at("file")).ends_with("/b.so") && text(plugin.at("state")) == "serving";
  });
  EXPECT_EQ(answer(http, "which"), "1");
  EXPECT_EQ(zygotes(), 1u);
  EXPECT_EQ(host.log().find("is withdrawn"), std::string::npos) << "nobody was without it";
}

TEST_F(Reload, AFileThatIsOverwrittenInPlaceHarmsNoRunningAttempt) {
  Http http = host.client();
  plugins.put("a.so", "version=1");
  await_version(http, "1");
  const std::string running = held_run(http, "hold");
  plugins.overwrite("a.so", "version=2");
  await_version(http, "2");
  let_go();
  EXPECT_EQ(version_of(await_run(http, running)), "1");
}

TEST_F(Reload, AHalfCopiedFileIsNotLoadedBeforeItIsClosed) {
  Http http = host.client();
  const std::string whole = plugins.content("version=1");
  std::ofstream copy(plugins.path() / "a.so", std::ios::binary);
  copy << whole.substr(0, whole.size() / 2) << std::flush;
  plugins.put("other.so", "version=other tasks=other");  // a change that is noticed, so that the first was looked at
  await_plugin(http, [](const auto& plugin) { return text(plugin.at("file")).ends_with("/other.so"); });
  copy << whole.substr(whole.size() / 2);
  copy.close();
  plugins.remove("other.so");
  await_version(http, "1");
  EXPECT_EQ(host.log().find("a.so is refused"), std::string::npos) << host.log();
}

TEST_F(Reload, ASymbolicLinkIsFollowedWhenItsTargetChangesAndWhenItPointsElsewhere) {
  Http http = host.client();
  const Changelings elsewhere;
  elsewhere.put("first.so", "version=1");
  elsewhere.put("second.so", "version=3");
  fs::create_symlink(elsewhere.path() / "first.so", plugins.path() / "a.so");
  await_version(http, "1");
  elsewhere.put("first.so", "version=2");
  await_version(http, "2");
  fs::create_symlink(elsewhere.path() / "second.so", plugins.path() / ".link");
  fs::rename(plugins.path() / ".link", plugins.path() / "a.so");
  await_version(http, "3");
  EXPECT_EQ(answer(http, "which"), "3");
}

TEST_F(Reload, TheSameContentUnderTwoNamesIsLoadedOnce) {
  Http http = host.client();
  plugins.put("a.so", "version=1");
  await_version(http, "1");
  plugins.put("b.so", "version=1");
  await_refusal(http, "b.so", "same content as");
  EXPECT_EQ(zygotes(), 1u);
  plugins.remove("a.so");
  await_plugin(http, [](const auto& plugin) {
    return text(plugin.at("file")).ends_with("/b.so") && text(plugin.at("state")) == "serving";
  });
  EXPECT_EQ(answer(http, "which"), "1");
}

TEST_F(Reload, AVersionThatFailsToLoadLeavesTheOneBeforeServingAndSaysWhyEverywhere) {
  Http http = host.client();
  plugins.put("a.so", "version=1");
  await_version(http, "1");
  struct {
    const char *told, *why;
  } const cases[] = {{"version=2 load=crash", "SIGSEGV"},
                     {"version=3 load=exit", "exit"},
                     {"version=4 load=fail", "I was told to fail"},
                     {"version=5 self_test=fail", "the database is not there"}};
  for (const auto& each : cases) {
    plugins.put("a.so", each.told);
    await_refusal(http, "a.so", each.why);
    EXPECT_EQ(answer(http, "which"), "1") << each.told;
    EXPECT_NE(host.cli({"plugins", "list"}).out.find(each.why), std::string::npos) << each.told;
    EXPECT_NE(host.log().find(each.why), std::string::npos) << each.told;
  }
  std::ofstream(plugins.path() / "a.so") << "text";
  await_refusal(http, "a.so", "not an ELF");
  EXPECT_EQ(answer(http, "which"), "1");
}

TEST_F(Reload, AfterARestartTheVersionBeforeARefusedOneServes) {
  plugins.put("a.so", "version=1");
  {
    Http http = host.client();
    await_version(http, "1");
    plugins.put("a.so", "version=2 load=crash");
    await_refusal(http, "a.so", "SIGSEGV");
  }
  host.stop();
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  EXPECT_EQ(answer(http, "which"), "1");
}

TEST_F(Reload, WhatANewVersionTakesAwayIsAWarning) {
  Http http = host.client();
  plugins.put("a.so", "version=1 tasks=other");
  await_version(http, "1");
  plugins.put("a.so", "version=2 schema=required");
  const auto plugin = await_version(http, "2");
  const std::string warnings = boost::json::serialize(plugin.at("warnings"));
  EXPECT_NE(warnings.find("'other' is gone"), std::string::npos) << warnings;
  EXPECT_NE(warnings.find("payload.needed is required"), std::string::npos) << warnings;
  EXPECT_NE(host.cli({"plugins", "list"}).out.find("payload.needed is required"), std::string::npos);
}

TEST_F(Reload, RollbackLetsTheVersionBeforeServeUntilTheFileChangesAlsoAfterARestart) {
  plugins.put("a.so", "version=1");
  {
    Http http = host.client();
    await_version(http, "1");
    plugins.put("a.so", "version=2");
    await_version(http, "2");
    const Ended back = host.cli({"plugins", "rollback", "changeling"});
    EXPECT_EQ(back.exit_status, 0) << back.err;
    await_version(http, "1");
    EXPECT_EQ(answer(http, "which"), "1");
    await_version(http, "2", "idle");
  }
  host.stop();
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  EXPECT_EQ(answer(http, "which"), "1");
  plugins.put("a.so", "version=3");
  await_version(http, "3");
  EXPECT_EQ(answer(http, "which"), "3");
  const Ended unknown = host.cli({"plugins", "rollback", "changeling", "--to", "19990101.1"});
  EXPECT_EQ(unknown.exit_status, 1);
  EXPECT_NE(unknown.err.find("19990101.1"), std::string::npos) << unknown.err;
}

TEST_F(Reload, TheDirectoryItselfMayBeReplaced) {
  Http http = host.client();
  plugins.put("a.so", "version=1");
  await_version(http, "1");
  const fs::path aside = plugins.path().string() + ".old";
  fs::rename(plugins.path(), aside);
  fs::create_directory(plugins.path());
  plugins.put("a.so", "version=2");
  await_version(http, "2");
  EXPECT_EQ(answer(http, "which"), "2");
  fs::remove_all(aside);
}

TEST_F(Reload, WritesALineForEachChangeIntoTheAuditLog) {
  Http http = host.client();
  plugins.put("a.so", "version=1");
  await_version(http, "1");
  plugins.put("a.so", "version=2");
  await_version(http, "2");
  plugins.put("a.so", "load=fail");
  await_refusal(http, "a.so", "told to fail");
  plugins.remove("a.so");
  plugins.put("b.so", "version=3");
  await_version(http, "3");
  std::vector<std::string> events;
  std::ifstream audit(host.data() / "audit.log");
  for (std::string line; std::getline(audit, line);) {
    events.push_back(text(boost::json::parse(line).at("event")));
  }
  EXPECT_EQ(events,
            (std::vector<std::string>{"loaded", "reloaded", "unloaded", "refused", "withdrawn", "unloaded", "loaded"}));
  EXPECT_EQ(fs::status(host.data() / "audit.log").permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST(ReloadByPolling, NoticesChangesWithoutBeingTold) {
  const Changelings plugins;
  plugins.put("a.so", "version=1");
  HostProcess host({.plugins = plugins.path(), .environment = {{"PERDURE_PLUGINS_POLL", "1s"}}});
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  EXPECT_EQ(answer(http, "which"), "1");
  plugins.put("a.so", "version=2");
  await_version(http, "2");
  EXPECT_EQ(answer(http, "which"), "2");
}

TEST(ReloadTrust, RefusesWhatOthersMayWriteAndServesItOnceTheyMayNot) {
  const Changelings plugins;
  plugins.put("a.so", "version=1");
  fs::permissions(plugins.path() / "a.so", fs::perms::others_write, fs::perm_options::add);
  HostProcess host({.plugins = plugins.path()});
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  await_refusal(http, "a.so", "chmod");
  fs::permissions(plugins.path() / "a.so", fs::perms::others_write, fs::perm_options::remove);
  await_version(http, "1");
  fs::permissions(plugins.path(), fs::perms::others_write, fs::perm_options::add);
  plugins.put("a.so", "version=2");
  await_refusal(http, "a.so", "chmod");
  EXPECT_EQ(answer(http, "which"), "1") << "what was trusted goes on";
  fs::permissions(plugins.path(), fs::perms::others_write, fs::perm_options::remove);
  await_version(http, "2");
}

TEST(ReloadTrust, AllowsWhatOthersMayWriteWhenToldTo) {
  const Changelings plugins;
  plugins.put("a.so", "version=1");
  fs::permissions(plugins.path() / "a.so", fs::perms::others_write, fs::perm_options::add);
  HostProcess host({.plugins = plugins.path(), .environment = {{"PERDURE_TRUST_ALLOW_WRITABLE", "true"}}});
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  EXPECT_EQ(answer(http, "which"), "1");
}

TEST(ReloadTrust, WithKeysServesOnlyWhatIsSignedByOneOfThem) {
  const TemporaryDirectory keys;
  const std::string key = keys.path() / "key.pem", pub = keys.path() / "key.pub", other = keys.path() / "other.pem";
  for (const std::string& each : {key, other}) {
    if (run_program({"openssl", "genpkey", "-algorithm", "ed25519", "-out", each}).exit_status != 0) {
      GTEST_SKIP() << "there is no openssl to sign with";
    }
  }
  ASSERT_EQ(run_program({"openssl", "pkey", "-in", key, "-pubout", "-out", pub}).exit_status, 0);
  const Changelings plugins;
  const auto sign = [&](const std::string& by) {
    const std::string file = plugins.path() / "a.so";
    EXPECT_EQ(run_program({"openssl", "pkeyutl", "-sign", "-rawin", "-inkey", by, "-in", file, "-out", file + ".sig"})
                  .exit_status,
              0);
  };
  HostProcess host({.plugins = plugins.path(), .environment = {{"PERDURE_TRUST_KEYS", pub}}});
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  plugins.put("a.so", "version=1");
  await_refusal(http, "a.so", "sig");
  sign(other);
  await_refusal(http, "a.so", "by none of the keys");
  sign(key);
  await_version(http, "1");
  EXPECT_EQ(answer(http, "which"), "1");
  plugins.put("a.so", "version=2");
  await_refusal(http, "a.so", "by none of the keys");
  EXPECT_EQ(answer(http, "which"), "1");
}

}  // namespace
}  // namespace perdure::e2e
