// [plugins.NAME] tables become the JSON that a plugin reads.
#include <gtest/gtest.h>

#include "tests/config/configuration.h"

namespace perdure::config {
namespace {

std::string table_of(const Given& given) {
  const auto loaded = load_given(given);
  if (!loaded) return loaded.status().message();
  const auto found = loaded->config.plugins.find("p");
  return found == loaded->config.plugins.end() ? "none" : found->second;
}

TEST(PluginTable, BecomesAJsonObject) {
  EXPECT_EQ(table_of({.toml = "[plugins.p]\nallow = [\"/bin/true\"]\nn = 1\non = true\n[plugins.p.deep]\nx = \"y\"\n"}),
            R"({"allow":["/bin/true"],"deep":{"x":"y"},"n":1,"on":true})");
}

TEST(PluginTable, IsAbsentUnlessWritten) { EXPECT_EQ(table_of({.toml = "[plugins.q]\n"}), "none"); }

TEST(PluginTable, MayHoldDates) {
  EXPECT_EQ(table_of({.toml = "[plugins.p]\nday = 2026-11-23\n"}), R"({"day":"2026-11-23"})");
}

TEST(PluginTable, ExpandsReferencesToTheEnvironment) {
  EXPECT_EQ(table_of({.toml = "[plugins.p]\na = [\"x${A}y${B}\"]\n", .variables = {{"A", "1"}, {"B", ""}}}),
            R"({"a":["x1y"]})");
}

TEST(PluginTable, KeepsAnEscapedReference) {
  EXPECT_EQ(table_of({.toml = "[plugins.p]\na = \"$${A} $5\"\n"}), R"({"a":"${A} $5"})");
}

TEST(PluginTable, NamesKeyAndVariableWhenOneIsNotSet) {
  EXPECT_EQ(
      errors_of({.toml = "[plugins.p]\n\na = { b = [\"ok\", \"${TOKEN}\"] }\n"}),
      "perdure.toml:3: plugins.p.a.b[1]: the environment variable TOKEN is not set; set it for the host, or write $${ "
      "for a literal ${");
}

TEST(PluginTable, RefusesAReferenceThatIsNotClosed) {
  EXPECT_EQ(
      errors_of({.toml = "[plugins.p]\na = \"${TOKEN\"\n"}),
      "perdure.toml:2: plugins.p.a: a reference to the environment is written ${NAME}; write $${ for a literal ${");
}

TEST(PluginTable, RefusesNumbersThatJsonHasNot) {
  EXPECT_EQ(errors_of({.toml = "[plugins.p]\na = inf\n"}),
            "perdure.toml:2: plugins.p.a: a plugin's table becomes JSON, which has neither infinity nor nan");
}

TEST(PluginTable, MustBeATable) {
  EXPECT_EQ(errors_of({.toml = "[plugins]\np = 1\n"}),
            "perdure.toml:2: plugins.p: expected a table, [plugins.p], of the plugin's name");
}

}  // namespace
}  // namespace perdure::config
