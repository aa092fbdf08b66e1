#include "tests/lifecycle/hooked_host.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

namespace perdure::lifecycle {
namespace {

namespace fs = std::filesystem;
using boost::json::object;

// Asks again until `done`; files and lists tell nobody that they changed. The deadline is for what never comes.
void keep_asking(const std::function<bool()>& done, const std::string& what) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) {
      ADD_FAILURE() << "waited in vain for " << what;
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

std::vector<std::string> texts(const object& from, const char* name) {
  std::vector<std::string> list;
  const auto* found = from.if_contains(name);
  if (found == nullptr) return list;
  for (const auto& each : found->as_array()) list.push_back(text(each));
  return list;
}

}  // namespace

HookedHost::HookedHost(const std::map<std::string, std::string>& plugins, std::vector<std::string> arguments)
    : host_({.plugins = plugins_, .arguments = configured(std::move(arguments))}) {
  fs::create_directories(plugins_);
  put("hooked.so", "name=hooked version=1");
  for (const auto& [file, told] : plugins) put(file, told);
  EXPECT_TRUE(host_.start()) << host_.log();
  http_ = std::make_unique<e2e::Http>(host_.url(), host_.key());
  await_plugin([](const object& plugin) {
    return text(plugin.at("name")) == "hooked" && text(plugin.at("state")) == "serving";
  });
}

std::vector<std::string> HookedHost::configured(std::vector<std::string> arguments) const {
  const fs::path path = directory_.path() / "perdure.toml";
  std::ofstream(path) << "[plugins.audit]\njournal = \"" << audit_.string() << "\"\n";
  arguments.emplace_back("--config");
  arguments.push_back(path);
  return arguments;
}

void HookedHost::kill_and_start() {
  host_.kill();
  start();
}

void HookedHost::kill_with_attempts_and_start() {
  host_.kill_with_attempts();
  start();
}

void HookedHost::start() {
  EXPECT_TRUE(host_.start()) << host_.log();
  http_ = std::make_unique<e2e::Http>(host_.url(), host_.key());
}

void HookedHost::put(const std::string& file, const std::string& told) const {
  std::ifstream original(PERDURE_TEST_PLUGIN_DIR "/../fixtures/hooked/hooked.so", std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(original), {}};
  EXPECT_FALSE(content.empty());
  const fs::path beside = plugins_ / ("." + file + ".tmp");
  std::ofstream(beside, std::ios::binary) << content << "\nHOOKED " << told << "\n";
  fs::rename(beside, plugins_ / file);
}

void HookedHost::remove(const std::string& file) const { fs::remove(plugins_ / file); }

object HookedHost::await_plugin(const std::function<bool(const object&)>& wanted) {
  object found;
  std::string last;
  keep_asking(
      [&] {
        const e2e::Answer answer = http().get("/perdure/v1/plugins");
        last = answer.body;
        if (answer.status != 200) return false;
        const boost::json::value list = answer.json();
        for (const auto& plugin : list.at("data").as_array()) {
          if (!wanted(plugin.as_object())) continue;
          found = plugin.as_object();
          return true;
        }
        return false;
      },
      "a plugin; the last list:");
  if (found.empty()) ADD_FAILURE() << last;
  return found;
}

void HookedHost::await_surrounded(const std::vector<std::string>& by) {
  await_plugin([&](const object& plugin) {
    return text(plugin.at("name")) == "hooked" && text(plugin.at("state")) == "serving" &&
           texts(plugin, "surroundedBy") == by;
  });
}

std::string HookedHost::trigger(std::map<std::string, std::string> payload, object options) {
  object members{{"journal", journal_.string()}};
  for (const auto& [name, value] : payload) members[name] = value;
  return e2e::trigger(http(), "mortal", boost::json::serialize(members), std::move(options));
}

void HookedHost::await_status(const std::string& run, const std::string& status) {
  keep_asking([&] { return text(http().get("/perdure/v1/runs/" + run).json().at("status")) == status; },
              run + " to be " + status);
}

void HookedHost::cancel(const std::string& run) {
  const e2e::Answer answer = http().post("/api/v2/runs/" + run + "/cancel", "{}");
  EXPECT_EQ(answer.status, 200) << answer.body;
}

std::vector<object> HookedHost::timeline(const std::string& run, std::size_t hooks) {
  std::vector<object> events;
  keep_asking(
      [&] {
        events.clear();
        std::size_t seen = 0;
        const boost::json::value trace = http().get("/perdure/v1/runs/" + run + "/trace").json();
        for (const auto& event : trace.at("events").as_array()) {
          events.push_back(event.as_object());
          seen += text(events.back().at("name")) == "hook" ? 1 : 0;
        }
        return seen >= hooks;
      },
      "hooks on the timeline");
  return events;
}

std::vector<Called> HookedHost::read(const fs::path& journal) {
  std::vector<Called> calls;
  std::ifstream file(journal);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    Called call;
    words >> call.plugin >> call.version >> call.hook;
    std::string event;
    std::getline(words, event);
    boost::json::error_code error;
    call.event = boost::json::parse(event, error);
    EXPECT_FALSE(error) << line;
    calls.push_back(std::move(call));
  }
  return calls;
}

std::vector<Called> HookedHost::await_lines(const fs::path& journal, std::size_t count) {
  keep_asking([&] { return read(journal).size() >= count; }, std::to_string(count) + " lines in " + journal.string());
  return read(journal);
}

std::vector<Called> HookedHost::own(std::size_t count) { return await_lines(journal_, count); }
std::vector<Called> HookedHost::audited(std::size_t count) { return await_lines(audit_, count); }

void HookedHost::open_gate() const { std::ofstream(gate()) << "go"; }

std::vector<std::string> hooks_of(const std::vector<Called>& calls) {
  std::vector<std::string> hooks;
  for (const Called& each : calls) hooks.push_back(each.hook);
  return hooks;
}

std::vector<std::string> names_of(const std::vector<object>& timeline) {
  std::vector<std::string> names;
  for (const object& each : timeline) names.push_back(text(each.at("name")));
  return names;
}

std::string text(const boost::json::value& value) {
  return value.is_string() ? std::string(value.get_string()) : boost::json::serialize(value);
}

}  // namespace perdure::lifecycle
