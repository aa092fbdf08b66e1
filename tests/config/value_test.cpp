// How single values are read.
#include <gtest/gtest.h>

#include "host/config/key_form.h"
#include "host/config/keys.h"

namespace perdure::config {
namespace {

TEST(Address, NeedsAPort) {
  const Key& key = *find_key("host.listen");
  Config config;
  EXPECT_TRUE(set_from_text(key, config, "[::1]:0"));
  EXPECT_EQ(config.host.listen, "[::1]:0");
  for (const char* text : {"", ":80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:x"}) {
    EXPECT_FALSE(set_from_text(key, config, text)) << text;
  }
}

TEST(Size, IsBytesOrHasAUnit) {
  const Key& key = *find_key("limits.output");
  Config config;
  const auto read = [&](std::string_view text) {
    return set_from_text(key, config, text) ? config.limits.output : std::uint64_t{0};
  };
  EXPECT_EQ(read("123"), 123u);
  EXPECT_EQ(read("10MB"), 10'000'000u);
  EXPECT_EQ(read("2KiB"), 2048u);
  for (const char* text : {"", "0", "MB", "1.5MB", "1 MB", "1mb", "99999999999GiB"}) EXPECT_EQ(read(text), 0u) << text;
}

TEST(Names, AreSeparatedByCommasInAVariable) {
  Config config;
  ASSERT_TRUE(set_from_text(*find_key("host.names"), config, "a.example,b.example"));
  EXPECT_EQ(config.host.names, (std::vector<std::string>{"a.example", "b.example"}));
}

TEST(KeyForm, IsToldByTheShapeOfTheText) {
  EXPECT_EQ(key_form("-----BEGIN PUBLIC KEY-----\n"), KeyForm::kPem);
  EXPECT_EQ(key_form(std::string(43, '/') + "="), KeyForm::kRaw);
  EXPECT_EQ(key_form(std::string(43, '_')), KeyForm::kRaw);
  EXPECT_EQ(key_form(std::string(42, 'a') + "."), KeyForm::kFile);
  EXPECT_EQ(key_form("keys/release.pub"), KeyForm::kFile);
}

TEST(Switch, IsTrueOrFalse) {
  const Key& key = *find_key("host.allow_pending");
  Config config;
  EXPECT_TRUE(set_from_text(key, config, "true"));
  EXPECT_TRUE(config.host.allow_pending);
  EXPECT_FALSE(set_from_text(key, config, "yes"));
}

TEST(Keys, HaveDistinctNamesVariablesAndFlags) {
  for (const Key& a : keys()) {
    for (const Key& b : keys()) {
      if (&a == &b) continue;
      EXPECT_NE(a.full_name(), b.full_name());
      EXPECT_NE(a.variable, b.variable);
      EXPECT_TRUE(a.flag.empty() || a.flag != b.flag) << a.flag;
    }
  }
}

}  // namespace
}  // namespace perdure::config
