// perdure.toml, environment and flags: who wins, and how what is wrong is told.
#include <gtest/gtest.h>

#include <chrono>

#include "tests/config/configuration.h"

namespace perdure::config {
namespace {

using std::chrono::milliseconds;

TEST(Configuration, HasDefaultsWhenNothingIsGiven) {
  const auto loaded = load_given({});
  ASSERT_TRUE(loaded) << loaded.status().message();
  EXPECT_EQ(loaded->config.host.listen, "127.0.0.1:3030");
  EXPECT_GE(loaded->config.host.concurrency, 8u);
  EXPECT_EQ(loaded->config.host.drain_timeout, milliseconds(30000));
  EXPECT_EQ(loaded->origins.at("host.listen"), "default");
}

TEST(Configuration, MemoryIsWhatThisMachineHasUnlessTold) {
  EXPECT_GT(load_given({.toml = ""})->config.host.memory, 100'000'000u);
  const auto told =
      load_given({.toml = "[host]\nmemory = \"3GiB\"\n[defaults]\nmachine = \"micro\"\nmax_duration = \"1m\"\n"
                          "[limits]\nmemory_control = \"watchdog\"\n"});
  ASSERT_TRUE(told) << told.status().message();
  EXPECT_EQ(told->config.host.memory, std::uint64_t{3} << 30);
  EXPECT_EQ(told->config.defaults.machine, "micro");
  EXPECT_EQ(told->config.defaults.max_duration, std::chrono::minutes(1));
  EXPECT_EQ(told->config.limits.memory_control, "watchdog");
  EXPECT_FALSE(load_given({.toml = "[defaults]\nmachine = \"huge\"\n"}));
  EXPECT_FALSE(load_given({.toml = "[limits]\nmemory_control = \"on\"\n"}));
}

TEST(Configuration, TakesValuesFromTheFileAndSaysTheirLine) {
  const auto loaded =
      load_given({.toml = "[host]\nlisten = \"127.0.0.1:1\"\n\nconcurrency = 3\ndrain_timeout = \"1m30s\"\n"});
  ASSERT_TRUE(loaded) << loaded.status().message();
  EXPECT_EQ(loaded->config.host.listen, "127.0.0.1:1");
  EXPECT_EQ(loaded->config.host.concurrency, 3u);
  EXPECT_EQ(loaded->config.host.drain_timeout, milliseconds(90000));
  EXPECT_TRUE(loaded->origins.at("host.concurrency").ends_with("perdure.toml:4"));
}

TEST(Configuration, TakesDurationsAsWholeSecondsToo) {
  const auto loaded = load_given({.toml = "[host]\ndrain_timeout = 0\n"});
  ASSERT_TRUE(loaded) << loaded.status().message();
  EXPECT_EQ(loaded->config.host.drain_timeout, milliseconds(0));
  EXPECT_EQ(errors_of({.toml = "[host]\ndrain_timeout = \"soon\"\n"}),
            "perdure.toml:2: host.drain_timeout: expected a duration such as \"30s\" or \"1m30s\", got \"soon\"");
}

TEST(Configuration, TakesNoMaxDurationThatIsTooShortForAnyAttempt) {
  const std::string why = "expected 0 for none, or a duration of at least 5 s such as \"5m\", got \"";
  EXPECT_EQ(errors_of({.toml = "[defaults]\nmax_duration = \"4s\"\n"}),
            "perdure.toml:2: defaults.max_duration: " + why + "4s\"");
  EXPECT_EQ(errors_of({.variables = {{"PERDURE_DEFAULTS_MAX_DURATION", "1s"}}}),
            "PERDURE_DEFAULTS_MAX_DURATION: " + why + "1s\"");
  EXPECT_FALSE(load_given({.toml = "[defaults]\nmax_duration = 4\n"}));
  EXPECT_TRUE(load_given({.toml = "[defaults]\nmax_duration = 5\n"}));
  EXPECT_TRUE(load_given({.toml = "[defaults]\nmax_duration = 0\n"}));
}

TEST(Configuration, PrefersTheEnvironmentToTheFile) {
  const auto loaded =
      load_given({.toml = "[host]\nlisten = \"127.0.0.1:1\"\n", .variables = {{"PERDURE_LISTEN", "127.0.0.1:2"}}});
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->config.host.listen, "127.0.0.1:2");
  EXPECT_EQ(loaded->origins.at("host.listen"), "PERDURE_LISTEN");
}

TEST(Configuration, PrefersFlagsToTheEnvironment) {
  const auto loaded = load_given({.toml = "[host]\nlisten = \"127.0.0.1:1\"\n",
                                  .variables = {{"PERDURE_LISTEN", "127.0.0.1:2"}},
                                  .flags = {{"host.listen", "127.0.0.1:3"}}});
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->config.host.listen, "127.0.0.1:3");
  EXPECT_EQ(loaded->origins.at("host.listen"), "--listen");
}

TEST(Configuration, TakesAnEmptyVariableForOneThatIsNotSet) {
  const auto loaded = load_given({.variables = {{"PERDURE_LISTEN", ""}}});
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->origins.at("host.listen"), "default");
}

TEST(Configuration, NamesTheNearestKnownKey) {
  EXPECT_EQ(errors_of({.toml = "[host]\n\nlisen = \"127.0.0.1:1\"\n"}),
            "perdure.toml:3: unknown key host.lisen; did you mean listen? ([host] has: listen, data, plugins, "
            "plugins_poll, concurrency, drain_timeout, drain, names, allow_pending, memory)");
}

TEST(Configuration, NamesTheNearestKnownSection) {
  EXPECT_EQ(errors_of({.toml = "# one\n[hots]\n"}),
            "perdure.toml:2: unknown section [hots]; did you mean host? (there are: plugins, host, defaults, "
            "retention, limits, "
            "store, auth, trust, quarantine, attempts, telemetry)");
}

TEST(Configuration, NamesTheVariablesThatAttemptsSee) {
  const auto loaded = load_given({.toml = "[attempts]\nenvironment = [\"PATH\", \"HTTPS_PROXY\"]\n"});
  ASSERT_TRUE(loaded) << loaded.status().message();
  EXPECT_EQ(loaded->config.attempts.environment, (std::vector<std::string>{"PATH", "HTTPS_PROXY"}));
  EXPECT_EQ(errors_of({.toml = "[attempts]\nenvironment = [\"A=b\"]\n"}),
            "perdure.toml:2: attempts.environment: expected a list of names of environment variables, such as "
            "[\"PATH\", \"HTTPS_PROXY\"], got \"A=b\" in it");
  EXPECT_NE(errors_of({.toml = "[attempts]\nenvironment = [\"LD_LIBRARY_PATH\"]\n"}), "");
}

TEST(Configuration, RefusesAKeyOutsideEverySection) {
  EXPECT_TRUE(errors_of({.toml = "listen = 1\n"})
                  .starts_with("perdure.toml:1: unknown key listen; keys belong into a section"));
}

TEST(Configuration, RefusesASectionThatIsAValue) {
  EXPECT_EQ(errors_of({.toml = "host = 1\n"}), "perdure.toml:1: host: expected a section, [host]");
}

TEST(Configuration, RefusesTheWrongType) {
  EXPECT_EQ(errors_of({.toml = "[host]\nconcurrency = \"many\"\n"}),
            "perdure.toml:2: host.concurrency: expected a whole number of at least 1, got text");
  EXPECT_EQ(errors_of({.toml = "[host]\nconcurrency = 0\n"}),
            "perdure.toml:2: host.concurrency: expected a whole number of at least 1, got 0");
  EXPECT_EQ(errors_of({.toml = "[host]\nlisten = 3030\n"}),
            "perdure.toml:2: host.listen: expected ADDRESS:PORT, such as \"127.0.0.1:3030\", got the number 3030");
  EXPECT_EQ(errors_of({.toml = "[host]\ndata = true\n"}), "perdure.toml:2: host.data: expected a path, got a boolean");
}

TEST(Configuration, TakesSwitchesAndListsFromTheFile) {
  const auto loaded = load_given({.toml = "[host]\nallow_pending = true\nnames = [\"a\", \"b\"]\n"});
  ASSERT_TRUE(loaded) << loaded.status().message();
  EXPECT_TRUE(loaded->config.host.allow_pending);
  EXPECT_EQ(loaded->config.host.names, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(errors_of({.toml = "[host]\nnames = [1]\n"}),
            "perdure.toml:2: host.names: expected a list of texts, got a number in it");
  EXPECT_EQ(errors_of({.toml = "[host]\nallow_pending = 1\n"}),
            "perdure.toml:2: host.allow_pending: expected true or false, got the number 1");
}

TEST(Configuration, RefusesWordsThatAreNoChoice) {
  EXPECT_EQ(
      errors_of({.toml = "[telemetry]\nlevel = \"loud\"\n"}),
      "perdure.toml:2: telemetry.level: expected \"trace\", \"debug\", \"info\", \"warn\" or \"error\", got \"loud\"");
  EXPECT_EQ(errors_of({.toml = "[store]\nengine = \"sqlite\"\n"}),
            "perdure.toml:2: store.engine: expected \"rocksdb\", got \"sqlite\"");
}

TEST(Configuration, NamesTheVariableAndTheFlagThatAreWrong) {
  EXPECT_EQ(errors_of({.toml = "", .variables = {{"PERDURE_CONCURRENCY", "x"}}, .flags = {{"host.listen", "3030"}}}),
            "PERDURE_CONCURRENCY: expected a whole number of at least 1, got \"x\"\n"
            "--listen: expected ADDRESS:PORT, such as \"127.0.0.1:3030\", got \"3030\"");
}

TEST(Configuration, TellsEverythingThatIsWrongAtOnce) {
  const std::string errors = errors_of({.toml = "[host]\nx = 1\n[telemetry]\nformat = 1\n"});
  EXPECT_NE(errors.find("perdure.toml:2:"), std::string::npos);
  EXPECT_NE(errors.find("perdure.toml:4:"), std::string::npos);
}

TEST(Configuration, SaysWhereTheFileStopsBeingToml) {
  EXPECT_TRUE(errors_of({.toml = "[host]\nlisten = \n"}).starts_with("perdure.toml:2: not TOML: "));
}

TEST(Configuration, SaysThatItCannotReadItsFile) {
  const auto loaded = load({.file = "/nowhere/perdure.toml", .environment = {}, .flags = {}});
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.status().message(), "cannot read the configuration file /nowhere/perdure.toml");
  EXPECT_FALSE(load({.file = "/", .environment = {}, .flags = {}})) << "a directory";
}

TEST(Configuration, TakesPathsRelativeToTheFile) {
  const auto loaded = load_given({.toml = "[host]\nplugins = \"mine\"\ndata = \"/abs\"\n"});
  ASSERT_TRUE(loaded);
  EXPECT_TRUE(loaded->config.host.plugins.starts_with("/"));
  EXPECT_TRUE(loaded->config.host.plugins.ends_with("/mine"));
  EXPECT_EQ(loaded->config.host.data, "/abs");
}

TEST(Configuration, TrustsNobodysKeyAndNoWritableFileUnlessTold) {
  const auto loaded = load_given({});
  ASSERT_TRUE(loaded);
  EXPECT_FALSE(loaded->config.trust.allow_writable);
  EXPECT_TRUE(loaded->config.trust.keys.empty());
  const auto told = load_given({.toml = "[trust]\nallow_writable = true\n"});
  ASSERT_TRUE(told) << told.status().message();
  EXPECT_TRUE(told->config.trust.allow_writable);
}

TEST(Configuration, TakesOnlyThosePublicKeysForPathsThatAreNone) {
  const std::string raw(43, 'A'), pem = "-----BEGIN PUBLIC KEY-----\\nMCow\\n-----END PUBLIC KEY-----\\n";
  const auto loaded =
      load_given({.toml = "[trust]\nkeys = [\"release.pub\", \"/etc/key.pub\", \"" + raw + "=\", \"" + pem + "\"]\n"});
  ASSERT_TRUE(loaded) << loaded.status().message();
  const auto& keys = loaded->config.trust.keys;
  ASSERT_EQ(keys.size(), 4u);
  EXPECT_TRUE(keys[0].starts_with("/") && keys[0].ends_with("/release.pub")) << keys[0];
  EXPECT_EQ(keys[1], "/etc/key.pub");
  EXPECT_EQ(keys[2], raw + "=");
  EXPECT_EQ(keys[3], "-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----\n");
}

TEST(Configuration, RefusesAPrivateKeyWithoutShowingIt) {
  EXPECT_EQ(
      errors_of({.toml = "[trust]\nkeys = [\"-----BEGIN PRIVATE KEY-----\\nhush\"]\n"}),
      "perdure.toml:2: trust.keys: expected a list of Ed25519 public keys (PEM texts, base64 of 32 bytes, or paths "
      "of PEM files), got a private key in it (not shown)");
}

TEST(Configuration, TakesTheQuarantinesNumbers) {
  const auto loaded = load_given({.toml = "[quarantine]\ncrashes = 3\nwindow = \"2m\"\npause = \"1s\"\n",
                                  .variables = {{"PERDURE_QUARANTINE_LONGEST_PAUSE", "1h"}}});
  ASSERT_TRUE(loaded) << loaded.status().message();
  EXPECT_EQ(loaded->config.quarantine.crashes, 3u);
  EXPECT_EQ(loaded->config.quarantine.window, milliseconds(120'000));
  EXPECT_EQ(loaded->config.quarantine.pause, milliseconds(1000));
  EXPECT_EQ(loaded->config.quarantine.longest_pause, milliseconds(3'600'000));
}

TEST(Configuration, KeepsFailuresLongerThanTheRestAndTakesAgesAndNumbers) {
  const config::RetentionSection kept = load_given({})->config.retention;
  EXPECT_EQ(kept.completed, std::chrono::hours(24 * 30));
  EXPECT_EQ(kept.crashed, std::chrono::hours(24 * 90));
  EXPECT_EQ(kept.failed_runs, 0u);
  const auto loaded = load_given({.toml = "[retention]\ncompleted = \"2d\"\nfailed = 0\nfailed_runs = 1000\n",
                                  .variables = {{"PERDURE_RETENTION_EXPIRED_RUNS", "0"}}});
  ASSERT_TRUE(loaded) << loaded.status().message();
  EXPECT_EQ(loaded->config.retention.completed, std::chrono::hours(48));
  EXPECT_EQ(loaded->config.retention.failed, std::chrono::hours(0));
  EXPECT_EQ(loaded->config.retention.failed_runs, 1000u);
  EXPECT_EQ(errors_of({.toml = "[retention]\nfailed_runs = -1\n"}),
            "perdure.toml:2: retention.failed_runs: expected a whole number; 0 for any number, got -1");
}

TEST(Configuration, WatchesThePluginDirectoryUnlessToldHowOftenToLook) {
  EXPECT_EQ(load_given({})->config.host.plugins_poll, milliseconds(0));
  const auto loaded = load_given({.toml = "[host]\nplugins_poll = \"5s\"\n"});
  ASSERT_TRUE(loaded) << loaded.status().message();
  EXPECT_EQ(loaded->config.host.plugins_poll, milliseconds(5000));
}

TEST(Configuration, ExpandsVariablesInTheFilesTexts) {
  const auto loaded = load_given(
      {.toml = "[auth]\nkey = \"${ROOT_KEY}\"\n", .variables = {{"ROOT_KEY", "tr_prod_0123456789abcdef0123456789"}}});
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->config.auth.key, "tr_prod_0123456789abcdef0123456789");
}

TEST(Configuration, RefusesAShortKeyWithoutShowingIt) {
  EXPECT_EQ(
      errors_of({.toml = "[auth]\nkey = \"abc\"\n"}),
      "perdure.toml:2: auth.key: expected a secret of at least 32 characters, without blanks, got something else (not "
      "shown)");
}

TEST(Configuration, ShowsValuesWithTheirOriginsButNoSecrets) {
  const auto loaded = load_given(
      {.toml = "[auth]\nkey = \"tr_prod_secret0123456789abcdef0123\"\n[plugins.exec]\ntoken = \"${TOKEN}\"\n",
       .variables = {{"TOKEN", "hush"}},
       .flags = {{"host.listen", "127.0.0.1:3"}}});
  ASSERT_TRUE(loaded) << loaded.status().message();
  const std::string& shown = loaded->shown;
  EXPECT_NE(shown.find("listen = \"127.0.0.1:3\"  # --listen\n"), std::string::npos) << shown;
  EXPECT_NE(shown.find("drain_timeout = \"30s\"  # default\n"), std::string::npos) << shown;
  EXPECT_NE(shown.find("key = \"(hidden)\"  # "), std::string::npos) << shown;
  EXPECT_NE(shown.find("${TOKEN}"), std::string::npos) << shown;
  EXPECT_EQ(shown.find("hush"), std::string::npos) << shown;
  EXPECT_EQ(shown.find("tr_prod_secret0123456789abcdef0123"), std::string::npos) << shown;
}

TEST(Configuration, ShowsWhatItCouldItselfReadAgain) {
  const auto loaded =
      load_given({.toml = "[host]\nlisten = \"127.0.0.1:9\"\n[plugins.exec.inner]\na = [1, \"\\\"\\u0001\"]\n"});
  ASSERT_TRUE(loaded);
  const auto again = load_given({.toml = loaded->shown});
  ASSERT_TRUE(again) << again.status().message() << loaded->shown;
  EXPECT_EQ(again->config.host.listen, "127.0.0.1:9");
  EXPECT_EQ(again->config.plugins, loaded->config.plugins);
}

TEST(Configuration, PointsAtVariablesThatMeanNothing) {
  EXPECT_EQ(unknown_variables({"HOME", "PERDURE_URL", "PERDURE_LISTEN", "PERDURE_LISEN"}),
            std::vector<std::string>{
                "the environment variable PERDURE_LISEN means nothing to Perdure; did you mean PERDURE_LISTEN?"});
}

}  // namespace
}  // namespace perdure::config
