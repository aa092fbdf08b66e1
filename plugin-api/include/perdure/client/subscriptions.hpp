// Following runs as they change. Part of Client; any thread, and the callback is called on the one that subscribes.
#pragma once

#include <chrono>
#include <memory>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <perdure/client/channel.hpp>
#include <perdure/client/handle.hpp>
#include <perdure/client/row.hpp>
#include <perdure/client/run.hpp>
#include <perdure/client/shape.hpp>

namespace perdure::client {

struct SubscribeOptions {
  std::stop_token stop{};  // ends the subscription: std::jthread hands one to its function
  bool payload = true;     // whether runs come with their payload …
  bool output = true;      // … and their output
  milliseconds created_within = std::chrono::hours(24);  // of a subscription by tags: runs not older than that
};

class Subscriptions {
 public:
  explicit Subscriptions(std::shared_ptr<const detail::Channel> channel) : channel_(std::move(channel)) {}

  /// Calls on_change(run) with the run as it is now and then whenever it has changed, until it is finished; changes
  /// that follow each other closely may come as one. Blocks meanwhile. A callback that returns false ends it earlier,
  /// as options.stop does; what it throws comes out of here. True: the run is finished. The host holds the questions,
  /// so nothing polls; one that is restarted is asked again, for Options::outage. Throws NotFound and the others.
  template <class OnChange>
  bool subscribe(std::string_view run_id, OnChange&& on_change, const SubscribeOptions& options = {}) const {
    const std::string id(run_id);
    return follow("following run " + id, "/realtime/v1/runs/" + detail::escaped(id) + skipped(options), options,
                  on_change, [](const Run& run) { return run.finished(); });
  }
  template <class Out, class OnChange>
  bool subscribe(const Handle<Out>& run, OnChange&& on_change, const SubscribeOptions& options = {}) const {
    return subscribe(std::string_view(run.id), std::forward<OnChange>(on_change), options);
  }

  /// The same for all runs of a batch, until all of them are finished.
  template <class Out, class OnChange>
  bool subscribe(const Batch<Out>& batch, OnChange&& on_change, const SubscribeOptions& options = {}) const {
    std::set<std::string> left;
    for (const RunHandle& run : batch.runs) {
      if (!run.id.empty()) left.insert(run.id);
    }
    if (left.empty()) return true;
    return follow("following batch " + batch.id, "/realtime/v1/batches/" + detail::escaped(batch.id) + skipped(options),
                  options, on_change, [&left](const Run& run) {
                    if (run.finished()) left.erase(run.id);
                    return left.empty();
                  });
  }

  /// The same for all runs that have all of these tags, also those that are triggered later: until it is ended.
  template <class OnChange>
  bool subscribe_tags(const std::vector<std::string>& tags, OnChange&& on_change,
                      const SubscribeOptions& options = {}) const {
    std::string list;
    for (const std::string& tag : tags) list += (list.empty() ? "" : ",") + tag;
    const auto within = std::chrono::ceil<std::chrono::seconds>(options.created_within);
    return follow("following the runs tagged " + list,
                  "/realtime/v1/runs" + skipped(options) + "&tags=" + detail::escaped(list) +
                      "&createdAt=" + std::to_string(within.count()) + "s",
                  options, on_change, [](const Run&) { return false; });
  }

 private:
  static std::string skipped(const SubscribeOptions& options) {
    std::string list = options.payload ? "" : "payload";
    if (!options.output) list += list.empty() ? "output" : ",output";
    return "?skipColumns=" + detail::escaped(list);
  }

  template <class OnChange, class IsOver>
  bool follow(const std::string& doing, const std::string& path, const SubscribeOptions& options, OnChange& on_change,
              IsOver is_over) const {
    detail::Shape shape(*channel_, doing, path, options.stop);
    for (;;) {
      std::vector<json::object> rows;
      try {
        rows = shape.next();
      } catch (const Stopped&) {
        return false;
      }
      bool over = false;
      for (const json::object& row : rows) {
        const Run run = detail::Channel::understood(doing, 200, [&] { return detail::read_row(row); });
        if constexpr (std::is_same_v<std::invoke_result_t<OnChange&, const Run&>, bool>) {
          if (!on_change(run)) return is_over(run);
        } else {
          on_change(run);
        }
        over = is_over(run);
      }
      if (over) return true;
    }
  }

  std::shared_ptr<const detail::Channel> channel_;
};

}  // namespace perdure::client
