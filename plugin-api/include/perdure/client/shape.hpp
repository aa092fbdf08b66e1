// The protocol of live subscriptions: a set of rows that is fetched once, and then followed by requests that the host
// holds until a row changes. One thread for each Shape.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <perdure/client/channel.hpp>
#include <perdure/client/members.hpp>
#include <perdure/client/triggers.hpp>

namespace perdure::client::detail {

class Shape {
 public:
  /// `path` has a query already. The channel outlives this.
  Shape(const Channel& channel, std::string doing, std::string path, std::stop_token stop)
      : channel_(channel), path_(std::move(path)) {
    call_ = {.doing = std::move(doing),
             .held = std::chrono::seconds(30),
             .patient = true,
             .conflict = true,
             .stop = std::move(stop)};
  }

  /// Blocks until rows are new or have changed: these, whole. Throws Stopped, NotFound, AnswerInvalid and the others.
  std::vector<json::object> next() {
    for (int quiet = 0;;) {
      const Steady::time_point asked = Steady::now();
      call_.path = path_ + "&log=full&offset=" + escaped(offset_);
      if (!handle_.empty()) call_.path += "&handle=" + escaped(handle_);
      if (live_) call_.path += "&live=true&cursor=" + escaped(cursor_);
      const HttpResponse response = channel_.ask(call_);
      std::vector<json::object> changed;
      if (response.status == 409) {
        begin_again(response);
      } else {
        changed = Channel::understood(call_.doing, response.status, [&] { return read(response); });
      }
      if (!changed.empty()) return changed;
      // Neither a host that stops nor one that is confused is asked without a pause.
      quiet = Steady::now() - asked < kSoon ? quiet + 1 : 0;
      if (quiet > 1) channel_.sleep(call_, patient_pause(quiet));
    }
  }

 private:
  struct Row {
    json::object columns;      // none of a run that is over
    std::string last_updated;  // … which is known by this
  };

  void begin_again(const HttpResponse& response) {
    offset_ = "-1";
    handle_ = response.header("electric-handle");
    live_ = false;
  }

  std::vector<json::object> read(const HttpResponse& response) {
    const std::string offset(response.header("electric-offset")), handle(response.header("electric-handle"));
    if (offset.empty() || handle.empty()) throw JsonError("electric-offset or electric-handle is missing");
    std::vector<json::object> changed;
    bool complete = false;
    for (const json::value& each : from_json<json::array>(response.body)) {
      const auto message = read_member<json::object>(each, "message");
      const auto headers = required<json::object>(message, "headers");
      const auto control = optional<std::string>(headers, "control");
      if (control) {
        complete = complete || *control == "up-to-date";
        if (*control == "must-refetch") {
          begin_again(response);
          return changed;
        }
      } else {
        take(message, optional<std::string>(headers, "operation").value_or(""), changed);
      }
    }
    offset_ = offset;
    handle_ = handle;
    cursor_ = response.header("electric-cursor");
    live_ = complete;
    return changed;
  }

  void take(const json::object& message, const std::string& operation, std::vector<json::object>& changed) {
    const auto key = required<std::string>(message, "key");
    if (operation == "delete") {
      rows_.erase(key);
      return;
    }
    const auto value = required<json::object>(message, "value");
    Row& row = rows_[key];
    const std::string updated = optional<std::string>(value, "updatedAt").value_or("");
    if (!row.last_updated.empty() && updated == row.last_updated) return;  // told before
    json::object columns = operation == "update" ? row.columns : json::object();
    for (const auto& [name, column] : value) columns[name] = column;
    if (columns == row.columns) return;
    const bool over = member(columns, "completedAt") != nullptr;
    row.last_updated = over ? updated : "";
    row.columns = over ? json::object() : columns;
    changed.push_back(std::move(columns));
  }

  const Channel& channel_;
  Call call_;
  std::string path_;
  std::string offset_ = "-1", handle_, cursor_;
  bool live_ = false;
  std::map<std::string, Row> rows_;
};

}  // namespace perdure::client::detail
