// Runs that exist: looking at them, and what may be done to them. Part of Client; any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <perdure/client/channel.hpp>
#include <perdure/client/handle.hpp>
#include <perdure/client/run.hpp>
#include <perdure/client/trigger_body.hpp>

namespace perdure::client {

/// Which runs: those that fit all that is said, and one of each list. A comma in a name cannot be asked for.
struct RunFilter {
  std::vector<std::string> statuses{};
  std::vector<std::string> tasks{};
  std::vector<std::string> tags{};
  std::vector<std::string> queues{};  // "task/ID" is a task's own
  std::vector<std::string> versions{};
  std::string batch{};
  std::string schedule{};
  std::optional<Instant> from{};  // created
  std::optional<Instant> to{};
  std::optional<bool> is_test{};
  int page_size = 25;    // at most 100
  std::string after{};   // the cursor of the page before: its `next`
  std::string before{};  // … of the page after: its `previous`
};

/// Newest first. It may be short, or empty, and have a next page all the same.
struct RunPage {
  std::vector<Run> runs;
  std::string next{};  // empty: there is none
  std::string previous{};
};

namespace detail {

inline std::string query_of(const RunFilter& filter) {
  std::string query = "?page%5Bsize%5D=" + std::to_string(filter.page_size);
  const auto add = [&query](std::string_view name, const std::string& value) {
    if (!value.empty()) query += "&" + escaped(name) + "=" + escaped(value);
  };
  const auto add_list = [&add](std::string_view name, const std::vector<std::string>& values) {
    std::string list;
    for (const std::string& each : values) list += (list.empty() ? "" : ",") + each;
    add(name, list);
  };
  const auto add_time = [&add](std::string_view name, const std::optional<Instant>& time) {
    if (time) add(name, std::to_string(time->time_since_epoch().count()));
  };
  add_list("filter[status]", filter.statuses);
  add_list("filter[taskIdentifier]", filter.tasks);
  add_list("filter[tag]", filter.tags);
  add_list("filter[queue]", filter.queues);
  add_list("filter[version]", filter.versions);
  add("filter[batch]", filter.batch);
  add("filter[schedule]", filter.schedule);
  add_time("filter[createdAt][from]", filter.from);
  add_time("filter[createdAt][to]", filter.to);
  if (filter.is_test) add("filter[isTest]", *filter.is_test ? "true" : "false");
  add("page[after]", filter.after);
  add("page[before]", filter.before);
  return query;
}

}  // namespace detail

class Runs {
 public:
  explicit Runs(std::shared_ptr<const detail::Channel> channel) : channel_(std::move(channel)) {}

  /// The run as it is now. Throws NotFound and the others, as do all of these.
  Run retrieve(std::string_view run_id) const {
    return run_at("retrieving run " + std::string(run_id), "GET", "/api/v3/runs/" + detail::escaped(run_id), {});
  }

  /// One page of runs.
  RunPage list(const RunFilter& filter = {}) const {
    const std::string doing = "listing runs";
    const detail::HttpResponse response =
        channel_->ask({.doing = doing, .path = "/api/v1/runs" + detail::query_of(filter)});
    return detail::Channel::understood(doing, response.status, [&] {
      const auto answer = from_json<json::object>(response.body);
      RunPage page;
      for (json::object& each : detail::required<std::vector<json::object>>(answer, "data")) {
        page.runs.push_back(detail::read_run(std::move(each)));
      }
      const auto pages = detail::required<json::object>(answer, "pagination");
      page.next = detail::optional<std::string>(pages, "next").value_or("");
      page.previous = detail::optional<std::string>(pages, "previous").value_or("");
      return page;
    });
  }
  /// Calls each(run) for every run that fits, page after page.
  template <class Each>
  void for_each_run(RunFilter filter, Each&& each) const {
    do {
      const RunPage page = list(filter);
      for (const Run& run : page.runs) each(run);
      filter.after = page.next;
    } while (!filter.after.empty());
  }

  /// Ends a run, and those that it waits for. One that is finished is left as it is.
  void cancel(std::string_view run_id) const {
    (void)channel_->ask({.doing = "canceling run " + std::string(run_id),
                         .method = "POST",
                         .path = "/api/v2/runs/" + detail::escaped(run_id) + "/cancel",
                         .body = ""});
  }

  /// Another run like it, on the newest version of its task, with the options that are given instead of its own.
  template <class Out = json::value>
  Handle<Out> replay(std::string_view run_id, const TriggerOptions& changed = {}) const {
    return replayed<Out>(run_id, changed, nullptr);
  }
  /// … and with this payload.
  template <class Out = json::value, class In>
  Handle<Out> replay_with(std::string_view run_id, const In& payload, const TriggerOptions& changed = {}) const {
    const std::string text = perdure::detail::payload_json(payload);
    return replayed<Out>(run_id, changed, &text);
  }

  /// Lets a run that is DELAYED start after `delay` from now, in whole seconds, or at a time. Invalid for others.
  Run reschedule(std::string_view run_id, milliseconds delay) const {
    return rescheduled(run_id, detail::seconds_of(delay.count()));
  }
  Run reschedule(std::string_view run_id, Instant at) const { return rescheduled(run_id, detail::iso8601(at)); }

  /// Adds tags, all or none; those that the run has are ignored.
  void add_tags(std::string_view run_id, const std::vector<std::string>& tags) const {
    (void)channel_->ask({.doing = "adding tags to run " + std::string(run_id),
                         .method = "POST",
                         .path = "/api/v1/runs/" + detail::escaped(run_id) + "/tags",
                         .body = R"({"tags":)" + to_json(tags) + "}"});
  }

 private:
  Run run_at(const std::string& doing, const std::string& method, const std::string& path,
             std::optional<std::string> body) const {
    const detail::HttpResponse response =
        channel_->ask({.doing = doing, .method = method, .path = path, .body = std::move(body)});
    return detail::Channel::understood(doing, response.status,
                                       [&] { return detail::read_run(from_json<json::object>(response.body)); });
  }

  Run rescheduled(std::string_view run_id, const std::string& delay) const {
    return run_at("rescheduling run " + std::string(run_id), "POST",
                  "/api/v1/runs/" + detail::escaped(run_id) + "/reschedule", R"({"delay":)" + to_json(delay) + "}");
  }

  template <class Out>
  Handle<Out> replayed(std::string_view run_id, const TriggerOptions& changed, const std::string* payload) const {
    json::object body = detail::http_options(perdure::detail::trigger_json(changed));
    if (payload != nullptr) body["payload"] = *payload;
    if (payload != nullptr) body["payloadType"] = "application/json";
    const json::object answer = channel_->ask_object({.doing = "replaying run " + std::string(run_id),
                                                      .method = "POST",
                                                      .path = "/api/v1/runs/" + detail::escaped(run_id) + "/replay",
                                                      .body = to_json(body)});
    return detail::Channel::understood("replaying run " + std::string(run_id), 200, [&] {
      return Handle<Out>{detail::required<std::string>(answer, "id"),
                         detail::optional<bool>(answer, "isCached").value_or(false)};
    });
  }

  std::shared_ptr<const detail::Channel> channel_;
};

}  // namespace perdure::client
