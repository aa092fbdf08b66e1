// perdure_guide_sources GUIDE.md DIRECTORY: makes of the guide's C++ a plugin, DIRECTORY/guide.cpp, and of its tests
// DIRECTORY/guide_snippets.cpp, which has that plugin in it, and of what is for programs outside of a host the
// functions of client_snippets.h there. Compilers complain of lines of the guide itself.
#include <fstream>
#include <iostream>
#include <iterator>

#include "tests/guide/markdown.h"

namespace {

using perdure::guide::Block;

// The names that PERDURE_PLUGIN is given: those of constexpr perdure::Task<…> name{, Hooks name{, SelfTest name{.
std::string registered(std::string_view code) {
  std::string names;
  constexpr std::string_view kStart = "\nconstexpr perdure::";
  for (auto at = code.find(kStart); at != std::string_view::npos; at = code.find(kStart, at + 1)) {
    std::string_view line = code.substr(at + kStart.size());
    line = line.substr(0, line.find('\n'));
    if (!line.starts_with("Task") && !line.starts_with("Hooks") && !line.starts_with("SelfTest")) continue;
    line = line.substr(0, line.find('{'));
    names += ", " + std::string(line.substr(line.rfind(' ') + 1));
  }
  return names;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::string guide = argv[1], directory = argv[2];
  std::ifstream in(guide);
  const std::string markdown{std::istreambuf_iterator<char>(in), {}};
  std::string plugin, tests, programs;
  int count = 0;
  for (const Block& block : perdure::guide::fenced_blocks(markdown)) {
    const std::string code = "#line " + std::to_string(block.line) + " \"" + guide + "\"\n" + block.text;
    if (block.info == "cpp") plugin += "\n" + code;
    if (block.info == "cpp test") tests += "\n" + code;
    if (block.info == "cpp client") programs += "case " + std::to_string(count++) + ": {\n" + code + "break;\n}\n";
  }
  const std::string names = registered(plugin);
  if (names.empty()) {
    std::cerr << guide << " has no task in it\n";
    return 1;
  }
  plugin += "\nPERDURE_PLUGIN(\"guide\", \"1.0.0\"" + names + ")\n";
  std::ofstream plugin_file(directory + "/guide.cpp"), tests_file(directory + "/guide_snippets.cpp");
  plugin_file << plugin;
  tests_file << "#include <gtest/gtest.h>\n#include <future>\n#include <iostream>\n#include <thread>\n"
             << "#include <perdure/client.hpp>\n#include <perdure/testing.hpp>\n"
             << "#include \"tests/guide/client_snippets.h\"\n"
             << plugin << tests << "namespace perdure::guide {\n"
             << "std::size_t client_snippets() { return " << count << "; }\n"
             << "std::string run_client_snippet(std::size_t number, const std::string& url, const std::string& key) {\n"
             << "const perdure::Client client(url, key);\n"
             << "::testing::internal::CaptureStdout();\nswitch (number) {\n"
             << programs << "default: break;\n}\nreturn ::testing::internal::GetCapturedStdout();\n}\n}\n";
  return plugin_file.flush() && tests_file.flush() ? 0 : 1;
}
