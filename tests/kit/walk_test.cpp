// plugin-api/README.md, done as it says, from an empty directory: every command is typed and prints what is shown,
// every file is written.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <memory>

#include "tests/guide/console.h"
#include "tests/kit/kit.h"

namespace perdure::kit {
namespace {

namespace fs = std::filesystem;
using guide::Block;
using guide::Exchange;

constexpr std::string_view kServe = "perdure serve --plugins build/plugins --data data";

TEST(Walk, FromAnEmptyDirectoryToATaskThatIsReplacedWhileItsHostServes) {
  std::ifstream in(PERDURE_TEST_README);
  const std::string readme{std::istreambuf_iterator<char>(in), {}};
  const Kit kit;
  const fs::path empty = kit.directory() / "projects";
  fs::create_directory(empty);
  guide::Console console(PERDURE_TEST_README, empty, Kit::launchers());
  console.replace("build/release", PERDURE_TEST_BUILD_DIR);
  console.replace("/opt/perdure", (kit.directory() / "opt").string());
  std::unique_ptr<e2e::HostProcess> host;
  int files = 0, typed = 0;
  for (const Block& block : guide::fenced_blocks(readme)) {
    if (block.info == "cpp") {
      const auto name_end = block.text.find('\n');
      ASSERT_TRUE(block.text.starts_with("// ")) << "line " << block.line << ": which file is that?";
      std::ofstream(console.directory() / block.text.substr(3, name_end - 3)) << block.text;
      ++files;
    }
    if (block.info != "console") continue;
    for (const Exchange& exchange : guide::exchanges(block)) {
      ++typed;
      if (exchange.command != kServe) {
        console.type(exchange);
        continue;
      }
      host = std::make_unique<e2e::HostProcess>(e2e::HostOptions{.executable = kit.directory() / "opt/bin/perdure",
                                                                 .plugins = console.directory() / "build/plugins",
                                                                 .data = console.directory() / "data"});
      ASSERT_TRUE(host->start()) << host->log();
      EXPECT_TRUE(guide::matches(exchange.shown, "perdure is ready at http://127.0.0.1:3030")) << exchange.shown;
      console.set("PERDURE_URL", host->url());
    }
    if (HasFailure()) return;
  }
  EXPECT_EQ(files, 2);
  EXPECT_GE(typed, 12);
  EXPECT_NE(host, nullptr);
}

}  // namespace
}  // namespace perdure::kit
