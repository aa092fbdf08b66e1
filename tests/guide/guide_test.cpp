// plugin-api/guide.md on a real host: each command it shows is typed, and prints what it shows. (Its C++ is compiled
// into that host's plugin, and its tests and programs into this executable: sources.cpp.)
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "tests/guide/client_snippets.h"
#include "tests/guide/console.h"

namespace perdure::guide {
namespace {

std::vector<Block> guide() {
  std::ifstream in(PERDURE_GUIDE);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  return fenced_blocks(text);
}

TEST(Guide, ItsCommandsPrintWhatItShows) {
  const e2e::TemporaryDirectory here;
  const std::string config = here.path() / "perdure.toml";
  int typed = 0;
  std::size_t program = 0;
  std::string printed;
  {
    std::ofstream out(config);
    for (const Block& block : guide()) out << (block.info == "toml" ? block.text : "");
  }
  e2e::HostProcess host(
      {.plugins = PERDURE_GUIDE_PLUGINS, .environment = {{"BANK_KEY", "b4nk"}}, .arguments = {"--config", config}});
  ASSERT_TRUE(host.start()) << host.log();
  Console console(PERDURE_GUIDE, here.path(),
                  {{"PATH", PERDURE_TEST_BIN_DIR ":" + std::string(std::getenv("PATH"))},
                   {"PERDURE_URL", host.url()},
                   {"PERDURE_API_KEY", host.key()}});
  for (const Block& block : guide()) {
    if (block.info == "cpp client") printed = run_client_snippet(program++, host.url(), host.key());
    if (block.info == "output") {
      EXPECT_TRUE(matches(block.text, printed)) << PERDURE_GUIDE << ":" << block.line << ": what is printed is\n"
                                                << printed;
    }
    if (block.info != "console") continue;
    for (const Exchange& exchange : exchanges(block)) {
      console.type(exchange);
      ++typed;
    }
  }
  EXPECT_GT(typed, 5);
  EXPECT_GT(program, 0u);
  EXPECT_EQ(program, client_snippets());
}

TEST(Guide, HasNoBlockThatNothingChecks) {
  for (const Block& block : guide()) {
    const bool known = block.info == "cpp" || block.info == "cpp test" || block.info == "cpp client" ||
                       block.info == "output" || block.info == "console" || block.info == "toml";
    EXPECT_TRUE(known) << PERDURE_GUIDE << ":" << block.line << ": a block of " << block.info;
  }
}

TEST(Shown, MeansThatItWasPrinted) {
  EXPECT_TRUE(matches("a b\nc\n", "a   b\nc"));
  EXPECT_TRUE(matches("a … d\n", "a b\nc d\n"));
  EXPECT_TRUE(matches("… d …", "a b c d e"));
  EXPECT_FALSE(matches("a b\n", "a b c\n"));
  EXPECT_FALSE(matches("b\n", "a b\n"));
  EXPECT_FALSE(matches("a … d\n", "a d e\n"));
  EXPECT_FALSE(matches("a … b …\n", "a c\n"));
}

}  // namespace
}  // namespace perdure::guide
