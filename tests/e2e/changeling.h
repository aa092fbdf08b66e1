// A plugin directory for one test, in which plugins come, change and go: copies of the fixture "changeling", each told
// by its last line what to be (tests/fixtures/changeling/changeling.cpp says what it understands).
#pragma once

#include <boost/json/object.hpp>
#include <filesystem>
#include <functional>
#include <string>

#include "tests/e2e/host_process.h"

namespace perdure::e2e {

class Changelings {
 public:
  Changelings();

  [[nodiscard]] const std::filesystem::path& path() const { return directory_.path(); }
  /// Writes the plugin beside, and renames it in as `name`; its content's SHA-256 is what a version is known by.
  void put(const std::string& name, const std::string& told) const;
  /// Writes it into the file that is there, as `cp` does.
  void overwrite(const std::string& name, const std::string& told) const;
  void remove(const std::string& name) const;
  /// The bytes of a changeling that is told this.
  [[nodiscard]] std::string content(const std::string& told) const;

 private:
  TemporaryDirectory directory_;
  std::string original_;
};

/// Asks the host for its plugins until `wanted` says yes to one of them, which is the answer; null, and the test has
/// failed, when that takes longer than a minute.
boost::json::object await_plugin(Http& http, const std::function<bool(const boost::json::object& plugin)>& wanted);
/// … until the version of the changeling with this version text is in that state.
boost::json::object await_version(Http& http, const std::string& version, const std::string& state = "serving");
/// … until a version of the file is refused, for a reason that contains `why`.
boost::json::object await_refusal(Http& http, const std::string& file, const std::string& why);

/// Triggers `task` and waits for its end; the member `name` of its output.
std::string answer(Http& http, const std::string& task, const std::string& name = "version",
                   const std::string& payload = "{}");

}  // namespace perdure::e2e
