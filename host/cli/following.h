// Following a run to its end over HTTP, also across a restart of the host. One thread.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "host/cli/client.h"
#include "host/cli/json_view.h"

namespace perdure::cli {

class Following {
 public:
  /// `what` of the run: "logs", or "streams/NAME" with the name percent-encoded.
  Following(Client& client, Console& console, std::string run, std::string what = "logs");

  /// Gives every entry of it to `on_entry` as it is written, until the run is final; its long form then.
  /// Nothing: client.report().
  std::optional<std::string> to_end(const std::function<void(const JsonView& entry)>& on_entry);

 private:
  bool stream(const std::function<void(const JsonView& entry)>& on_entry);
  bool host_came_back();
  void show_progress();
  void clear_progress();

  Client& client_;
  Console& console_;
  std::string run_;
  std::string what_;
  long long sequence_ = 0;  // of the last entry seen
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  bool progress_shown_ = false;
};

}  // namespace perdure::cli
