#include "host/cli/following.h"

#include <algorithm>
#include <ostream>
#include <thread>
#include <utility>

#include "host/cli/run_text.h"

namespace perdure::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience(30);  // with a host that is away, as long as a restart may take
constexpr milliseconds kPause(200);

}  // namespace

Following::Following(Client& client, Console& console, std::string run, std::string what)
    : client_(client), console_(console), run_(std::move(run)), what_(std::move(what)) {}

std::optional<std::string> Following::to_end(const std::function<void(const JsonView& entry)>& on_entry) {
  for (;;) {
    const bool ended = stream(on_entry);
    clear_progress();
    if (ended) {
      // A host that is stopping ends the stream too.
      auto run = client_.get("/perdure/v1/runs/" + percent_encoded(run_));
      if (run && is_final(JsonView(*run)["status"].text())) return run;
      if (run) std::this_thread::sleep_for(kPause);
      if (run || client_.broke_off()) continue;
      return std::nullopt;
    }
    if (!client_.broke_off() || !host_came_back()) return std::nullopt;
  }
}

// One stream of entries, until the host or the network ends it. False: not properly.
bool Following::stream(const std::function<void(const JsonView& entry)>& on_entry) {
  const std::string path =
      "/perdure/v1/runs/" + percent_encoded(run_) + "/" + what_ + "?follow=1&after=" + std::to_string(sequence_);
  const auto on_line = [&](std::string_view line) {
    const JsonView entry(line);
    if (!entry["sequence"]) return;  // why the host ends the stream early; the run itself says more
    sequence_ = std::max(sequence_, entry["sequence"].number());
    clear_progress();
    on_entry(entry);
  };
  return client_.lines(path, on_line, [this] { show_progress(); });
}

// Whether the host answers again within a restart's time.
bool Following::host_came_back() {
  const auto until = steady_clock::now() + kPatience;
  while (steady_clock::now() < until) {
    std::this_thread::sleep_for(kPause);
    if (client_.get("/readyz")) return true;
    if (!client_.broke_off()) return false;
    show_progress();
  }
  return false;
}

void Following::show_progress() {
  if (!console_.err_is_terminal) return;
  const auto waited = std::chrono::duration_cast<milliseconds>(steady_clock::now() - started_);
  if (waited < std::chrono::seconds(1)) return;
  console_.err << "\r\x1b[K" << styled(color_err(console_), Style::kDim, run_ + " … " + short_duration(waited.count()))
               << std::flush;
  progress_shown_ = true;
}

void Following::clear_progress() {
  if (!std::exchange(progress_shown_, false)) return;
  console_.err << "\r\x1b[K" << std::flush;
}

}  // namespace perdure::cli
