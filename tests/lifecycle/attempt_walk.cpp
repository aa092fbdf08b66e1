#include "tests/lifecycle/attempt_walk.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <memory>

namespace perdure::e2e {
namespace {

std::unique_ptr<HostProcess> host;

std::string text(const boost::json::value& value) { return std::string(value.as_string()); }

std::vector<boost::json::object> log_of(Http& http, const std::string& id) {
  std::vector<boost::json::object> entries;
  const auto page = http.get("/perdure/v1/runs/" + id + "/logs?limit=1000").json();
  for (const auto& entry : page.at("data").as_array()) entries.push_back(entry.as_object());
  return entries;
}

}  // namespace

std::string Walk::error(const std::string& member) const {
  return run.contains("error") ? text(run.at("error").at(member)) : "";
}

std::vector<std::string> Walk::order(int attempt, const std::string& scope) const {
  std::vector<std::string> names;
  for (const Step& step : steps) {
    if (step.attempt != attempt) continue;
    if (scope.empty()) names.push_back(step.what);
    if (!scope.empty() && step.what.starts_with(scope + ".")) names.push_back(step.what.substr(scope.size() + 1));
  }
  return names;
}

std::vector<Step> Walk::all(const std::string& what) const {
  std::vector<Step> found;
  std::ranges::copy_if(steps, std::back_inserter(found), [&](const Step& step) { return step.what == what; });
  return found;
}

Step Walk::only(const std::string& what) const {
  const std::vector<Step> found = all(what);
  EXPECT_EQ(found.size(), 1u) << what;
  return found.empty() ? Step{} : found.front();
}

std::vector<boost::json::object> Walk::spans_of(const std::string& what) const {
  std::vector<boost::json::object> found;
  std::ranges::copy_if(spans, std::back_inserter(found), [&](const boost::json::object& span) {
    return text(span.at("scope")) + "." + text(span.at("hook")) == what;
  });
  return found;
}

void AttemptWalk::SetUpTestSuite() {
  HostOptions options;
  options.plugins = std::filesystem::path(PERDURE_TEST_PLUGIN_DIR).parent_path() / "fixtures" / "lifecycle";
  host = std::make_unique<HostProcess>(options);
  ASSERT_TRUE(host->start()) << host->log();
}

void AttemptWalk::TearDownTestSuite() { host.reset(); }

std::string AttemptWalk::begin(const std::string& script, const std::string& task, boost::json::object options) {
  Http http = host->client();
  return trigger(http, task, script, std::move(options));
}

void AttemptWalk::logged(const std::string& id, const std::string& message) {
  Http http = host->client();
  const bool found = http.follow("/perdure/v1/runs/" + id + "/logs?follow=1", [&](const std::string& line) {
    return text(boost::json::parse(line).at("message")) == message;
  });
  EXPECT_TRUE(found) << "waited in vain for the line " << message;
}

void AttemptWalk::cancel(const std::string& id) {
  Http http = host->client();
  EXPECT_EQ(http.post("/api/v2/runs/" + id + "/cancel", "").status, 200);
}

std::string AttemptWalk::printed(std::vector<std::string> arguments) {
  const Ended ended = host->cli(std::move(arguments));
  EXPECT_EQ(ended.exit_status, 0) << ended.err;
  return ended.out;
}

Walk AttemptWalk::end(const std::string& id) {
  Http http = host->client();
  Walk walk;
  walk.id = id;
  walk.run = await_run(http, id);
  for (const auto& entry : log_of(http, id)) {
    if (text(entry.at("source")) == "host") walk.warnings.push_back(text(entry.at("message")));
    if (!entry.contains("fields")) {
      walk.steps.push_back({text(entry.at("message")), nullptr, nullptr, entry.at("attempt").to_number<int>()});
      continue;
    }
    const auto& fields = entry.at("fields");
    walk.steps.push_back(
        {text(entry.at("message")), fields.at("event"), fields.at("init"), fields.at("attempt").to_number<int>()});
  }
  const auto trace = http.get("/perdure/v1/runs/" + id + "/trace").json();
  int sequence = 0;
  for (const auto& event : trace.at("events").as_array()) {
    EXPECT_EQ(event.at("sequence").to_number<int>(), ++sequence);
    if (text(event.at("name")) != "hook") continue;
    boost::json::object span = event.at("data").as_object();
    span["attempt"] = event.at("attempt");
    EXPECT_GE(span.at("durationUs").to_number<std::int64_t>(), 0);
    EXPECT_GT(span.at("startedAt").to_number<std::int64_t>(), 0);
    walk.spans.push_back(std::move(span));
  }
  return walk;
}

Walk AttemptWalk::walk(const std::string& script, const std::string& task, boost::json::object options) {
  return end(begin(script, task, std::move(options)));
}

}  // namespace perdure::e2e
