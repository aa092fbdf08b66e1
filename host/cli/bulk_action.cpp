#include "host/cli/bulk_action.h"

#include <algorithm>
#include <chrono>
#include <ostream>
#include <thread>

namespace perdure::cli {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstPause{20}, kLongestPause{500};  // between looks at how far it is

}  // namespace

std::string progress_of(const JsonView& action) {
  const JsonView counts = action["counts"];
  std::string text = (action["type"].text() == "REPLAY" ? "replayed " : "canceled ") + counts["success"].text();
  if (counts["failure"].number() > 0) text += ", " + counts["failure"].text() + " not";
  return text;
}

int one_or_many(Console& console) {
  console.err << styled(color_err(console), Style::kRed, "perdure:")
              << " expected the ID of a run, or filters that choose runs, such as --status FAILED, and not both\n";
  return kWrongUsage;
}

int do_in_bulk(const std::string& action, const RunFilters& filters, const ClientOptions& options, Console& console) {
  const auto filter = filter_json(filters);
  if (!filter) {
    console.err << styled(color_err(console), Style::kRed, "perdure:") << " " << filter.status().message() << "\n";
    return kWrongUsage;
  }
  Client client(console, options);
  const auto begun =
      client.post("/api/v1/bulk-actions", R"({"action":")" + action + R"(","filter":)" + filter.value() + "}");
  if (!begun) return client.report();
  const std::string id = JsonView(*begun)["id"].text();
  for (milliseconds pause = kFirstPause;; pause = std::min(2 * pause, kLongestPause)) {
    const auto answer = client.get("/api/v1/bulk-actions/" + percent_encoded(id));
    if (!answer) {
      const int status = client.report();
      console.err << id << " goes on; see how far it is with: perdure bulk get " << id << "\n";
      return status;
    }
    const JsonView now(*answer);
    const bool over = now["status"].text() != "PENDING";
    if (console.err_is_terminal && !options.json) {
      console.err << "\r\x1b[K" << (over ? "" : progress_of(now) + " so far") << std::flush;
    }
    if (over) {
      if (options.json) {
        console.out << indented(now.raw()) << "\n";
      } else {
        console.out << id << " " << progress_of(now) << (now["status"].text() == "ABORTED" ? ", then aborted" : "")
                    << "\n";
      }
      return now["counts"]["failure"].number() > 0 || now["status"].text() == "ABORTED" ? kFailed : kDone;
    }
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace perdure::cli
