// What a run tells about itself while it executes, read and changed from outside. Part of Client; any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <perdure/client/channel.hpp>
#include <perdure/client/members.hpp>
#include <perdure/json_write.hpp>

namespace perdure::client {

/// One change: MetadataChange::set("status", "held"). A key that begins with "$." is a path.
class MetadataChange {
 public:
  template <class T>
  static MetadataChange set(std::string_view key, const T& value) {
    return {"set", key, to_json(value), true};
  }
  static MetadataChange del(std::string_view key) { return {"delete", key, {}, true}; }
  static MetadataChange increment(std::string_view key, double by = 1) {
    return {"increment", key, to_json(by), false};
  }
  template <class T>
  static MetadataChange append(std::string_view key, const T& value) {
    return {"append", key, to_json(value), false};
  }
  template <class T>
  static MetadataChange remove(std::string_view key, const T& value) {
    return {"remove", key, to_json(value), true};
  }

  /// As the interface has it.
  const std::string& json() const noexcept { return json_; }
  /// Whether doing it twice is doing it once.
  bool repeatable() const noexcept { return repeatable_; }

 private:
  MetadataChange(std::string_view type, std::string_view key, const std::string& value, bool repeatable)
      : json_(R"({"type":)" + to_json(type) + R"(,"key":)" + to_json(key)), repeatable_(repeatable) {
    if (!value.empty()) json_ += R"(,"value":)" + value;
    json_ += '}';
  }

  std::string json_;
  bool repeatable_;
};

class MetadataVerbs {
 public:
  explicit MetadataVerbs(std::shared_ptr<const detail::Channel> channel) : channel_(std::move(channel)) {}

  json::object metadata(std::string_view run_id) const {
    const std::string doing = "reading the metadata of run " + std::string(run_id);
    return metadata_in(doing, {.doing = doing, .path = path_of(run_id)});
  }

  /// Changes it in this order, all or nothing; what it is then. When the answer to an increment or append is lost this
  /// throws Unreachable, rather than doing it twice.
  json::object change_metadata(std::string_view run_id, const std::vector<MetadataChange>& changes) const {
    const std::string doing = "changing the metadata of run " + std::string(run_id);
    std::string list;
    Repeat repeat = Repeat::kAnyTime;
    for (const MetadataChange& each : changes) {
      list += (list.empty() ? "" : ",") + each.json();
      if (!each.repeatable()) repeat = Repeat::kUnlessDone;
    }
    return metadata_in(doing, {.doing = doing,
                               .method = "PUT",
                               .path = path_of(run_id),
                               .body = R"({"operations":[)" + list + "]}",
                               .repeat = repeat});
  }

 private:
  static std::string path_of(std::string_view run_id) {
    return "/api/v1/runs/" + detail::escaped(run_id) + "/metadata";
  }
  json::object metadata_in(const std::string& doing, const detail::Call& call) const {
    const json::object answer = channel_->ask_object(call);
    return detail::Channel::understood(doing, 200, [&] { return detail::required<json::object>(answer, "metadata"); });
  }

  std::shared_ptr<const detail::Channel> channel_;
};

}  // namespace perdure::client
