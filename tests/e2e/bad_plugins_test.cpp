// Plugin files of every bad kind: each is explained in a sentence, and none disturbs the plugin beside it.
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "tests/e2e/host_process.h"

namespace perdure::e2e {
namespace {

namespace fs = std::filesystem;

struct Bad {
  std::string file;
  std::string says;  // part of the reason
};

// Every bad file there is, made in or copied into `directory`.
std::vector<Bad> make_bad_files(const fs::path& directory) {
  const fs::path fixtures = fs::path(PERDURE_TEST_PLUGIN_DIR).parent_path() / "fixtures" / "bad";
  for (const auto& each : fs::directory_iterator(fixtures)) {
    if (each.path().extension() == ".so") fs::copy(each.path(), directory / each.path().filename());
  }
  const fs::path playground = fs::path(PERDURE_TEST_PLUGIN_DIR) / "playground.so";
  std::ofstream(directory / "text.so") << "This is not a plugin.\n";
  fs::copy(playground, directory / "truncated.so");
  fs::permissions(directory / "truncated.so", fs::perms::owner_all);
  fs::resize_file(directory / "truncated.so", 5000);
  fs::copy(playground, directory / "other_machine.so");
  fs::permissions(directory / "other_machine.so", fs::perms::owner_all);
  std::fstream machine(directory / "other_machine.so", std::ios::in | std::ios::out | std::ios::binary);
  machine.seekp(18);  // e_machine
  machine.write("\xb7\x00", 2);
  return {{"text.so", "not an ELF shared object: the file does not start with the ELF mark"},
          {"truncated.so", "the file is truncated: it has 5000 bytes"},
          {"other_machine.so", "built for another machine: aarch64"},
          {"constructor_crashes.so", "the plugin crashed while loading: SIGSEGV"},
          {"constructor_crashes.so", "crash at constructor_crashes.c:"},
          {"constructor_exits.so", "the plugin called exit(0) while loading"},
          {"constructor_hangs.so", "did not finish registering within 10 s"},
          {"entry_missing.so", "it exports no perdure_register_v1"},
          {"entry_of_another_major.so", "it exports perdure_register_v2"},
          {"option_cron_wrong.so", "option cron: the cron pattern \"61 * * * *\": \"61\" in its minute field is wrong"},
          {"option_timezone_unknown.so",
           "there is no time zone \"Europe/Pari\"; expected an IANA name such as Europe/Paris"},
          {"option_unknown.so", "option retry.maxAtempts is unknown; the nearest known one is retry.maxAttempts"},
          {"option_wrong_type.so", "option maxDurationMs must be a whole number from 5000"},
          {"registration_fails.so", "refuses to register: the licence file is missing"},
          {"registration_throws.so", "let an exception escape: std::runtime_error: thrown while registering"},
          {"self_test_fails.so", "its self test failed: NoModel: the model is missing"},
          {"self_test_crashes.so", "its self test crashed: SIGSEGV"},
          {"self_test_crashes.so", "self_test at self_test_crashes.c:"},
          {"symbol_unresolved.so", "it needs the symbol nobody_defines_this"},
          {"task_twice.so", "task id \"twice\" is registered twice"}};
}

TEST(BadPlugins, AreRefusedWithTheirReasonsAndDisturbNothing) {
  const TemporaryDirectory plugins;
  const std::vector<Bad> bad = make_bad_files(plugins.path());
  fs::copy(fs::path(PERDURE_TEST_PLUGIN_DIR) / "playground.so", plugins.path());
  HostProcess host({.plugins = plugins.path()});
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const auto listed = http.get("/perdure/v1/plugins").json();
  for (const Bad& each : bad) {
    bool found = false;
    for (const auto& plugin : listed.at("data").as_array()) {
      if (!plugin.at("file").as_string().ends_with("/" + each.file)) continue;
      found = true;
      EXPECT_EQ(plugin.at("state").as_string(), "refused") << each.file;
      const std::string reason =
          plugin.as_object().contains("reason") ? std::string(plugin.at("reason").as_string()) : "";
      EXPECT_FALSE(reason.empty()) << each.file;
      EXPECT_NE(reason.find(each.says), std::string::npos) << each.file << ": " << reason;
    }
    EXPECT_TRUE(found) << each.file;
  }
  const auto run = await_run(http, trigger(http, "hello-world", R"({"name":"Ada"})"));
  EXPECT_EQ(run.at("status").as_string(), "COMPLETED");
}

TEST(BadPlugins, AreExplainedByPluginsCheck) {
  const TemporaryDirectory plugins;
  for (const Bad& each : make_bad_files(plugins.path())) {
    const Ended checked =
        run_program({PERDURE_TEST_BIN_DIR "/perdure", "plugins", "check", plugins.path() / each.file});
    EXPECT_EQ(checked.exit_status, 1) << each.file;
    EXPECT_NE((checked.out + checked.err).find(each.says), std::string::npos) << each.file << ": " << checked.err;
  }
  const Ended good =
      run_program({PERDURE_TEST_BIN_DIR "/perdure", "plugins", "check", PERDURE_TEST_PLUGIN_DIR "/playground.so"});
  EXPECT_EQ(good.exit_status, 0) << good.err;
  EXPECT_NE(good.out.find("hello-world"), std::string::npos) << good.out;
}

}  // namespace
}  // namespace perdure::e2e
