// A reader of a document at a terminal: types its commands one after the other into one shell, and compares what they
// print with what the document shows.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/e2e/host_process.h"
#include "tests/guide/markdown.h"

namespace perdure::guide {

class Console {
 public:
  /// `document` is named when a test fails. Commands start in `directory`, with `environment` besides this process's.
  Console(std::filesystem::path document, const std::filesystem::path& directory,
          std::map<std::string, std::string> environment);

  /// In commands typed from now on, and before what they print is compared, `text` stands for `meant`.
  void replace(std::string text, std::string meant) { replaced_.emplace_back(std::move(text), std::move(meant)); }
  void set(const std::string& variable, const std::string& value) { environment_[variable] = value; }
  /// Where the shell is.
  [[nodiscard]] std::filesystem::path directory() const;

  /// Types the command. Fails the test when it prints something else than is shown, or shows nothing and fails. Asks
  /// until the answer is there when it is one of a host that is busy: `perdure runs get` and `perdure plugins list`.
  void type(const Exchange& exchange) const;

 private:
  [[nodiscard]] std::string meant(std::string text) const;
  [[nodiscard]] e2e::Ended run(const std::string& command) const;

  std::filesystem::path document_;
  std::map<std::string, std::string> environment_;
  std::vector<std::pair<std::string, std::string>> replaced_;
  e2e::TemporaryDirectory memory_;  // of the shell: its directory and its variables
};

}  // namespace perdure::guide
