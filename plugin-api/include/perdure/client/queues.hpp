// Queues: what waits and executes in one, and how much of it may. Part of Client; any thread. A task's own queue is
// called "task/" and the task's id.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <perdure/client/channel.hpp>
#include <perdure/client/members.hpp>

namespace perdure::client {

struct QueueState {
  std::string name;
  bool paused = false;
  std::size_t running = 0;
  std::size_t queued = 0;
  std::optional<std::size_t> concurrency_limit{};  // that holds; none: no limit
};

class Queues {
 public:
  explicit Queues(std::shared_ptr<const detail::Channel> channel) : channel_(std::move(channel)) {}

  QueueState retrieve_queue(std::string_view name) const {
    return ask(name, {.doing = "retrieving queue " + std::string(name), .path = path_of(name, "?type=custom")});
  }
  /// Nothing of it begins until it is resumed; what executes goes on. These want a key that may administrate.
  QueueState pause_queue(std::string_view name) const { return post(name, "/pause", {{"action", "pause"}}); }
  QueueState resume_queue(std::string_view name) const { return post(name, "/pause", {{"action", "resume"}}); }
  /// Holds until it is reset, whatever plugins declare.
  QueueState limit_queue(std::string_view name, std::size_t limit) const {
    return post(name, "/concurrency/override", {{"concurrencyLimit", limit}});
  }
  QueueState reset_queue(std::string_view name) const { return post(name, "/concurrency/reset", {}); }

 private:
  // A slash in a name is written %2F, and that is encoded once more.
  static std::string path_of(std::string_view name, std::string_view rest) {
    std::string path = "/api/v1/queues/";
    for (const char c : name) path += c == '/' ? "%252F" : detail::escaped(std::string_view(&c, 1));
    return path + std::string(rest);
  }

  QueueState post(std::string_view name, std::string_view verb, json::object body) const {
    body["type"] = "custom";
    return ask(name, {.doing = "changing queue " + std::string(name),
                      .method = "POST",
                      .path = path_of(name, verb),
                      .body = to_json(body)});
  }

  QueueState ask(std::string_view name, const detail::Call& call) const {
    const json::object answer = channel_->ask_object(call);
    return detail::Channel::understood(call.doing, 200, [&] {
      return QueueState{
          std::string(name), detail::required<bool>(answer, "paused"), detail::required<std::size_t>(answer, "running"),
          detail::required<std::size_t>(answer, "queued"), detail::optional<std::size_t>(answer, "concurrencyLimit")};
    });
  }

  std::shared_ptr<const detail::Channel> channel_;
};

}  // namespace perdure::client
