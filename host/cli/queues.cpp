// perdure queues list|get|pause|resume|limit|reset: where runs wait, and what people do about it.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <memory>
#include <ostream>

#include "host/cli/client.h"
#include "host/cli/run_text.h"
#include "host/cli/table.h"
#include "host/cli/verbs.h"
#include "store/model/queue.h"
#include "store/model/timestamp.h"

namespace perdure::cli {
namespace {

constexpr int kPage = 100;

struct Options : ClientOptions {
  std::string queue;
  std::size_t limit = 0;
  bool keys = false;
};

// How long the oldest run waits; empty: none does.
std::string age_of(const JsonView& queue) {
  const auto since = store::parse_time(queue["oldestQueuedAt"].text());
  if (!queue["oldestQueuedAt"] || !since) return {};
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  return short_duration(std::max<std::int64_t>(0, (now - since.value()).count()));
}

std::string rate_of(const JsonView& queue) {
  const JsonView rate = queue["rateLimit"];
  return rate ? rate["limit"].text() + " in " + short_duration(rate["periodMs"].number()) : "";
}

std::string limit_of(const JsonView& queue) {
  const JsonView limit = queue["concurrencyLimit"];
  std::string text = limit ? limit.text() : "none";
  if (queue["concurrency"]["override"]) {
    const JsonView base = queue["concurrency"]["base"];
    text += " (instead of " + (base ? base.text() : "none") + ")";
  }
  return text;
}

Cell state_of(const JsonView& queue) {
  return queue["paused"].is_true() ? Cell{"paused", Style::kYellow} : Cell{"open", Style::kGreen};
}

// The host's path of a queue, and its type: a task's own is called task/ID.
struct Place {
  std::string path, type;
};
Place place_of(const std::string& queue) {
  const auto owner = owner_of(store::QueueName(queue));
  std::string name = owner ? owner->text() : queue;
  for (auto at = name.find('/'); at != std::string::npos; at = name.find('/', at + 1)) name.replace(at, 1, "%2F");
  return {"/queues/" + percent_encoded(name), owner ? "task" : "custom"};
}

int report(const Client& client, Console& console) {
  const int status = client.report();
  if (status == kFailed) {
    console.err << "`perdure queues list` shows the queues there are; that of a task itself is called task/ID.\n";
  }
  return status;
}

int list(const Options& options, Console& console) {
  Client client(console, options);
  Table table({"QUEUE", "STATE", "QUEUED", "OLDEST", "RUNNING", "LIMIT", "RATE"});
  for (long long page = 1, pages = 1; page <= pages; ++page) {
    const auto answer = client.get("/api/v1/queues?page=" + std::to_string(page) + "&perPage=" + std::to_string(kPage));
    if (!answer) return client.report();
    const JsonView document(*answer);
    pages = document["pagination"]["totalPages"].number();
    for (const JsonView& queue : document["data"].items()) {
      if (options.json) {
        console.out << queue.raw() << "\n";
        continue;
      }
      table.add({{queue["queue"].text(), Style::kBold},
                 state_of(queue),
                 {queue["queued"].text()},
                 {age_of(queue)},
                 {queue["running"].text()},
                 {limit_of(queue)},
                 {rate_of(queue)}});
    }
  }
  if (options.json) return kDone;
  if (!table.empty()) {
    table.print(console);
  } else if (console.out_is_terminal) {
    console.out << "No queues: each task has one, and no plugin is loaded; see `perdure plugins list`.\n";
  }
  return kDone;
}

int show_keys(const Options& options, Client& client, Console& console) {
  const Place place = place_of(options.queue);
  Table table({"KEY", "QUEUED", "RUNNING"});
  std::string after;
  for (bool first = true;; first = false) {
    const auto answer = client.get("/perdure/v1" + place.path + "/keys?limit=1000&type=" + place.type +
                                   (first ? "" : "&after=" + percent_encoded(after)));
    if (!answer) return report(client, console);
    const auto keys = JsonView(*answer)["data"].items();
    if (keys.empty()) break;
    for (const JsonView& key : keys) {
      if (options.json) {
        console.out << key.raw() << "\n";
      } else {
        table.add({{key["concurrencyKey"].text(), Style::kBold}, {key["queued"].text()}, {key["running"].text()}});
      }
    }
    after = keys.back()["concurrencyKey"].text();
  }
  if (!options.json && !table.empty()) table.print(console);
  return kDone;
}

int show(const Options& options, const JsonView& queue, Console& console) {
  if (options.json) {
    console.out << indented(queue.raw()) << "\n";
    return kDone;
  }
  const bool color = color_out(console);
  const auto line = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) console.out << styled(color, Style::kDim, name) << "  " << printable(value) << "\n";
  };
  line("queue", queue["queue"].text());
  line("state", state_of(queue).text);
  line("queued", queue["queued"].text());
  line("oldest", age_of(queue));
  line("running", queue["running"].text());
  line("limit", limit_of(queue));
  line("rate", rate_of(queue));
  return kDone;
}

int get(const Options& options, Console& console) {
  Client client(console, options);
  if (options.keys) return show_keys(options, client, console);
  const Place place = place_of(options.queue);
  const auto answer = client.get("/api/v1" + place.path + "?type=" + place.type);
  return answer ? show(options, JsonView(*answer), console) : report(client, console);
}

// Does `action` with `members` besides the type, and shows the queue as it is then.
int change(const Options& options, Console& console, const std::string& action, const std::string& members) {
  Client client(console, options);
  const Place place = place_of(options.queue);
  const auto answer = client.post("/api/v1" + place.path + action, R"({"type":")" + place.type + '"' + members + "}");
  return answer ? show(options, JsonView(*answer), console) : report(client, console);
}

CLI::App& verb_for_queue(CLI::App& queues, const char* name, const char* what, Options& options) {
  CLI::App& verb = *queues.add_subcommand(name, what);
  verb.add_option("NAME", options.queue, "The queue, as `perdure queues list` names it; a task's own is task/ID")
      ->required();
  add_client_options(verb, options);
  verb.footer("Example:\n  perdure queues " + std::string(name) + " task/hello-world");
  return verb;
}

}  // namespace

void add_queues(CLI::App& parent, Console& console, int& exit_status) {
  CLI::App& queues = *parent.add_subcommand("queues", "List, pause and limit the queues in which runs wait");
  queues.require_subcommand(1);

  auto listed = std::make_shared<Options>();
  CLI::App& list_verb = *queues.add_subcommand("list", "List the queues, with what waits and executes in each");
  add_client_options(list_verb, *listed);
  list_verb.footer("Example:\n  perdure queues list");
  list_verb.callback([listed, &console, &exit_status] { exit_status = list(*listed, console); });

  auto shown = std::make_shared<Options>();
  CLI::App& get_verb = verb_for_queue(queues, "get", "Show a queue, or its concurrency keys", *shown);
  get_verb.add_flag("--keys", shown->keys, "Show what waits and executes under each concurrency key");
  get_verb.footer("Examples:\n  perdure queues get task/hello-world\n  perdure queues get mail --keys");
  get_verb.callback([shown, &console, &exit_status] { exit_status = get(*shown, console); });

  auto paused = std::make_shared<Options>();
  verb_for_queue(queues, "pause", "Let nothing begin in a queue; what executes goes on", *paused)
      .callback([paused, &console, &exit_status] {
        exit_status = change(*paused, console, "/pause", R"(,"action":"pause")");
      });

  auto resumed = std::make_shared<Options>();
  verb_for_queue(queues, "resume", "Let the runs of a paused queue begin again", *resumed)
      .callback([resumed, &console, &exit_status] {
        exit_status = change(*resumed, console, "/pause", R"(,"action":"resume")");
      });

  auto limited = std::make_shared<Options>();
  CLI::App& limit =
      verb_for_queue(queues, "limit", "Limit a queue, whatever its tasks declare, until a reset", *limited);
  limit.add_option("COUNT", limited->limit, "How many runs of each concurrency key may execute at once; 0: none")
      ->required()
      ->check(CLI::Range(std::size_t{0}, store::kLargestQueueLimit));
  limit.footer(
      "Kept until `perdure queues reset`, also when the host is restarted. A lower limit ends nothing.\n\n"
      "Example:\n  perdure queues limit task/hello-world 2");
  limit.callback([limited, &console, &exit_status] {
    exit_status =
        change(*limited, console, "/concurrency/override", R"(,"concurrencyLimit":)" + std::to_string(limited->limit));
  });

  auto reset = std::make_shared<Options>();
  verb_for_queue(queues, "reset", "Let the limit that its tasks declare hold again", *reset)
      .callback([reset, &console, &exit_status] { exit_status = change(*reset, console, "/concurrency/reset", ""); });
}

}  // namespace perdure::cli
