#include "host/cli/dev_runs.h"

#include <algorithm>
#include <chrono>
#include <ostream>
#include <ranges>

#include "host/cli/json_view.h"
#include "host/cli/run_text.h"

namespace perdure::cli {
namespace {

constexpr std::size_t kFollowed = 50;  // runs at a time; of a burst only these are shown
constexpr std::size_t kRemembered = 1000;

}  // namespace

DevRuns::DevRuns(Client& client, Console& console) : client_(client), console_(console) {
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  since_ = std::to_string(now.time_since_epoch().count());
}

void DevRuns::follow(const std::vector<std::string>& tasks) {
  for (const std::string& task : tasks) {
    if (std::ranges::find(tasks_, task) == tasks_.end()) tasks_.push_back(task);
  }
}

bool DevRuns::look() {
  if (tasks_.empty()) return true;
  std::string tasks;
  for (const std::string& task : tasks_) tasks += (tasks.empty() ? "" : ",") + task;
  const auto page = client_.get("/api/v1/runs?" + percent_encoded("page[size]") + "=" + std::to_string(kFollowed) +
                                "&" + percent_encoded("filter[createdAt][from]") + "=" + since_ + "&" +
                                percent_encoded("filter[taskIdentifier]") + "=" + percent_encoded(tasks));
  if (!page) return false;
  const auto listed = JsonView(*page)["data"].items();
  for (const JsonView& each : listed | std::views::reverse) {
    const std::string id = each["id"].text();
    const auto [found, is_new] = runs_.try_emplace(id);
    Run& run = found->second;
    if (run.ended) continue;
    if (is_new) {
      console_.out << prefix(id) << styled(color_out(console_), Style::kBold, id + " " + each["taskIdentifier"].text())
                   << "\n";
    }
    // The status was read before the log, so that what is logged before the end is seen with the end.
    run.ended = is_final(each["status"].text());
    if (!show_logs(id, run) || (run.ended && !show_end(id))) return false;
  }
  while (runs_.size() > kRemembered) runs_.erase(runs_.begin());
  console_.out.flush();
  return true;
}

bool DevRuns::show_logs(const std::string& id, Run& run) {
  for (bool more = true; more;) {
    const auto page = client_.get("/perdure/v1/runs/" + id + "/logs?limit=1000&after=" + std::to_string(run.sequence));
    if (!page) return false;
    const JsonView document(*page);
    for (const JsonView& entry : document["data"].items()) {
      run.sequence = std::max(run.sequence, entry["sequence"].number());
      console_.out << prefix(id);
      print_log_entry(console_.out, color_out(console_), entry);
    }
    more = static_cast<bool>(document["pagination"]["next"]);
  }
  return true;
}

bool DevRuns::show_end(const std::string& id) {
  const auto answer = client_.get("/perdure/v1/runs/" + id);
  if (!answer) return false;
  const JsonView run(*answer);
  const std::string status = run["status"].text();
  const auto attempts = run["attemptCount"].number();
  console_.out << prefix(id) << styled(color_out(console_), style_of(status), status) << " after " << attempts
               << (attempts == 1 ? " attempt, " : " attempts, ") << short_duration(run["durationMs"].number());
  if (run["output"]) console_.out << ": " << printable(run["output"].raw().substr(0, 200));
  console_.out << "\n";
  print_error(console_.out, color_out(console_), run["error"]);
  return true;
}

// The end of the id, which tells runs apart.
std::string DevRuns::prefix(const std::string& id) const {
  return styled(color_out(console_), Style::kDim, id.substr(id.size() - std::min<std::size_t>(id.size(), 6))) + " ";
}

}  // namespace perdure::cli
