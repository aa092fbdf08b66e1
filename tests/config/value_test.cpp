// How single values are read.
#include <gtest/gtest.h>

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
