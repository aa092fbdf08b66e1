// The shipped plugins as files: what they export, and what their tasks do.
#include <elf.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <perdure/testing.hpp>

namespace perdure::test {
namespace {

using perdure::testing::Plugin;
using perdure::testing::Result;

std::string file(const std::string& plugin) { return PERDURE_TEST_PLUGIN_DIR "/" + plugin + ".so"; }

struct Symbol {
  std::string name;
  unsigned binding;
};

// The symbols a 64-bit shared object defines for others.
std::vector<Symbol> exported(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  std::vector<Symbol> found;
  if (bytes.size() < sizeof(Elf64_Ehdr)) return found;
  Elf64_Ehdr header;
  std::memcpy(&header, bytes.data(), sizeof header);
  std::vector<Elf64_Shdr> sections(header.e_shnum);
  std::memcpy(sections.data(), bytes.data() + header.e_shoff, sections.size() * sizeof(Elf64_Shdr));
  for (const Elf64_Shdr& section : sections) {
    if (section.sh_type != SHT_DYNSYM) continue;
    const char* const names = bytes.data() + sections[section.sh_link].sh_offset;
    for (std::size_t i = 0; i < section.sh_size / sizeof(Elf64_Sym); ++i) {
      Elf64_Sym symbol;
      std::memcpy(&symbol, bytes.data() + section.sh_offset + i * sizeof symbol, sizeof symbol);
      if (symbol.st_shndx == SHN_UNDEF || symbol.st_name == 0) continue;
      found.push_back({names + symbol.st_name, static_cast<unsigned>(ELF64_ST_BIND(symbol.st_info))});
    }
  }
  return found;
}

TEST(ShippedPlugins, ExportTheirEntryPointAndNothingElse) {
  int checked = 0;
  for (const auto& entry : std::filesystem::directory_iterator(PERDURE_TEST_PLUGIN_DIR)) {
    if (entry.path().extension() != ".so") continue;
    SCOPED_TRACE(entry.path().filename().string());
    const std::vector<Symbol> symbols = exported(entry.path().string());
    ASSERT_EQ(symbols.size(), 1u) << symbols.at(1).name;
    EXPECT_EQ(symbols[0].name, "perdure_register_v1");
    EXPECT_EQ(symbols[0].binding, static_cast<unsigned>(STB_GLOBAL));  // and not unique, which would pin the file
    ++checked;
  }
  EXPECT_GE(checked, 3);
}

class Playground : public ::testing::Test {
 protected:
  Result run(std::string_view task, const std::string& payload, int number = 1) {
    return plugin.task(task).run_json(payload, {.attempt = number});
  }
  Plugin plugin{file("playground")};
};

TEST_F(Playground, Greets) {
  EXPECT_EQ(run("hello-world", R"({"name":"Ada"})").output_text, R"({"message":"Hello, Ada!"})");
}

TEST_F(Playground, EchoesAnyPayloadByteForByte) {
  for (const std::string payload : {"null", "[1, 2.50]", R"({"a": "\u00e9"})"}) {
    EXPECT_EQ(run("echo", payload).output_text, payload);
    EXPECT_EQ(run("echo-recycled", payload).output_text, payload);
  }
  EXPECT_EQ(plugin.task("echo-recycled").options().at("recycleAfter"), 1000);
}

TEST_F(Playground, SleepsAndSaysHowLong) { EXPECT_EQ(run("sleep", R"({"ms":2})").output_text, R"({"slept":2})"); }

TEST_F(Playground, FailsByName) {
  const Result outcome = run("fail", "null");
  EXPECT_EQ(outcome.status, PERDURE_FAILED);
  EXPECT_EQ(outcome.error().name, "FixtureError");
  EXPECT_EQ(outcome.error().message, "boom");
}

TEST_F(Playground, FailsTheFirstAttemptsOnly) {
  EXPECT_EQ(run("flaky", R"({"failures":2})", 2).status, PERDURE_FAILED);
  EXPECT_EQ(run("flaky", R"({"failures":2})", 3).output_text, R"({"attempt":3})");
}

TEST_F(Playground, CrashesOnRequest) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT((void)run("crash", "{}"), ::testing::KilledBySignal(SIGSEGV), "");
  EXPECT_EXIT((void)run("crash", R"({"signal":"SIGFPE"})"), ::testing::KilledBySignal(SIGFPE), "");
  EXPECT_EQ(run("crash", R"({"attempts":2})", 3).output_text, R"({"attempt":3})");
  EXPECT_EQ(run("crash", R"({"signal":"SIGNOPE"})").status, PERDURE_ABORTED);
}

TEST(ShippedPlugins, GreetFromCAndRust) {
  int loaded = 0;
  for (const std::string language : {"c", "rust"}) {
    if (!std::filesystem::exists(file("hello-" + language))) continue;
    const Plugin plugin(file("hello-" + language));
    const Result outcome = plugin.task("hello-" + language).run_json("");
    EXPECT_EQ(outcome.status, PERDURE_OK);
    EXPECT_EQ(outcome.output_text,
              language == "c" ? R"({"message":"Hello from C!"})" : R"({"message":"Hello from Rust!"})");
    EXPECT_EQ(outcome.logs.size(), 1u);
    ++loaded;
  }
  EXPECT_GE(loaded, 1);
}

}  // namespace
}  // namespace perdure::test
