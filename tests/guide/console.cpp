#include "tests/guide/console.h"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>

namespace perdure::guide {

Console::Console(std::filesystem::path document, const std::filesystem::path& directory,
                 std::map<std::string, std::string> environment)
    : document_(std::move(document)), environment_(std::move(environment)) {
  std::ofstream(memory_.path() / "directory") << directory.string() << "\n";
  std::ofstream(memory_.path() / "variables").flush();
}

std::filesystem::path Console::directory() const {
  std::ifstream file(memory_.path() / "directory");
  std::string line;
  std::getline(file, line);
  return line;
}

std::string Console::meant(std::string text) const {
  for (const auto& [written, instead] : replaced_) {
    for (auto at = text.find(written); at != std::string::npos; at = text.find(written, at + instead.size())) {
      text.replace(at, written.size(), instead);
    }
  }
  return text;
}

e2e::Ended Console::run(const std::string& command) const {
  const std::string memory = memory_.path().string();
  const std::string script = "exec 2>&1\nset -a\n. " + memory + "/variables\ncd \"$(cat " + memory + "/directory)\"\n" +
                             command + "\nended=$?\nexport -p >" + memory + "/variables\npwd >" + memory +
                             "/directory\nexit $ended\n";
  return e2e::run_program({"/bin/sh", "-c", script}, environment_);
}

void Console::type(const Exchange& exchange) const {
  const std::string command = meant(exchange.command), shown = meant(exchange.shown);
  const bool asks = command.starts_with("perdure runs get") || command.starts_with("perdure plugins list");
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  for (;;) {
    const e2e::Ended ended = run(command);
    if (shown.empty() ? ended.exit_status == 0 : matches(shown, ended.out)) return;
    if (asks && std::chrono::steady_clock::now() < deadline) continue;
    ADD_FAILURE_AT(document_.c_str(), static_cast<int>(exchange.line))
        << "$ " << command << "\nended with status " << ended.exit_status << " and printed:\n"
        << ended.out << (shown.empty() ? "" : "where the document shows:\n") << shown;
    return;
  }
}

}  // namespace perdure::guide
