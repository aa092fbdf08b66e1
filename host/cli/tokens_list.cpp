// perdure tokens list|get ID: what is waited for, and what came of it.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <ostream>

#include "host/cli/client.h"
#include "host/cli/run_text.h"
#include "host/cli/table.h"
#include "host/cli/verbs.h"

namespace perdure::cli {
namespace {

constexpr std::size_t kLargestPage = 100;

struct Options : ClientOptions {
  std::string id, key, since;
  std::vector<std::string> statuses, tags;
  std::size_t limit = 25;
};

std::string joined(const std::vector<std::string>& values) {
  std::string list;
  for (const std::string& value : values) list += (list.empty() ? "" : ",") + value;
  return list;
}

std::string query_of(const Options& options) {
  std::string query;
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) query += "&" + percent_encoded(name) + "=" + percent_encoded(value);
  };
  std::string statuses = joined(options.statuses);
  std::ranges::transform(statuses, statuses.begin(), [](char c) { return c >= 'a' && c <= 'z' ? char(c - 32) : c; });
  add("filter[status]", statuses);
  add("filter[tags]", joined(options.tags));
  add("filter[idempotencyKey]", options.key);
  add("filter[createdAt][period]", options.since);
  return query;
}

std::string tags_of(const JsonView& token) {
  std::string tags;
  for (const JsonView& tag : token["tags"].items()) tags += (tags.empty() ? "" : ", ") + tag.text();
  return tags;
}

int list(const Options& options, Console& console) {
  Client client(console, options);
  Table table({"TOKEN", "STATUS", "CREATED", "TIMES OUT", "ENDED", "TAGS"});
  const std::string filters = query_of(options);
  std::string cursor;
  for (std::size_t left = options.limit; left > 0;) {
    const auto answer = client.get("/api/v1/waitpoints/tokens?" + percent_encoded("page[size]") + "=" +
                                   std::to_string(std::min(left, kLargestPage)) + filters + cursor);
    if (!answer) return client.report();
    const JsonView page(*answer);
    for (const JsonView& token : page["data"].items()) {
      --left;
      if (options.json) {
        console.out << token.raw() << "\n";
        continue;
      }
      const std::string status = token["status"].text();
      table.add({{token["id"].text()},
                 {status, style_of(status)},
                 {local_time(token["createdAt"])},
                 {status == "WAITING" ? local_time(token["timeoutAt"]) : ""},
                 {local_time(token["completedAt"])},
                 {tags_of(token)}});
    }
    const JsonView next = page["pagination"]["next"];
    if (!next) break;  // an empty page may have one: then much was looked at in vain
    cursor = "&" + percent_encoded("page[after]") + "=" + percent_encoded(next.text());
  }
  if (options.json) return kDone;
  if (!table.empty()) {
    table.print(console);
  } else if (console.out_is_terminal) {
    console.out << (filters.empty() ? "No tokens yet; make one with `perdure tokens create`.\n" : "No tokens match.\n");
  }
  return kDone;
}

int get(const Options& options, Console& console) {
  Client client(console, options);
  const auto answer = client.get("/api/v1/waitpoints/tokens/" + percent_encoded(options.id));
  if (!answer) return client.report();
  const JsonView token(*answer);
  if (options.json) {
    console.out << indented(token.raw()) << "\n";
    return kDone;
  }
  const bool color = color_out(console);
  const auto line = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) console.out << styled(color, Style::kDim, name) << "  " << printable(value) << "\n";
  };
  const std::string status = token["status"].text();
  console.out << printable(token["id"].text()) << " " << styled(color, style_of(status), status) << "\n";
  line("url", token["url"].text());
  line("created", local_time(token["createdAt"]));
  line("by", token["runId"].text());
  line(status == "WAITING" ? "times out" : "timeout", local_time(token["timeoutAt"]));
  line("ended", local_time(token["completedAt"]));
  line("tags", tags_of(token));
  line("key", token["idempotencyKey"].text());
  line("output", token["output"].text());
  return kDone;
}

}  // namespace

void add_tokens_list(CLI::App& parent, Console& console, int& exit_status) {
  auto options = std::make_shared<Options>();
  CLI::App& verb = *parent.add_subcommand("list", "List waitpoint tokens, newest first");
  verb.add_option("--status", options->statuses, "Only those in this status: WAITING, COMPLETED, TIMED_OUT; or a,b")
      ->delimiter(',')
      ->allow_extra_args(false);
  verb.add_option("--tag", options->tags, "Only those with this tag; repeat for any of more")->allow_extra_args(false);
  verb.add_option("--key", options->key, "Only those with this idempotency key");
  verb.add_option("--since", options->since, "Only those created no longer ago, such as 1h");
  verb.add_option("--limit", options->limit, "At most so many")
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{1}, std::size_t{1'000'000}));
  add_client_options(verb, *options);
  verb.footer(
      "Examples:\n"
      "  perdure tokens list --status WAITING --tag approval\n"
      "  perdure tokens list --since 1d --limit 500 --json | jq -r .url");
  verb.callback([options, &console, &exit_status] { exit_status = list(*options, console); });
}

void add_tokens_get(CLI::App& parent, Console& console, int& exit_status) {
  auto options = std::make_shared<Options>();
  CLI::App& verb =
      *parent.add_subcommand("get", "Show a token: its URL, until when it waits, what it was completed with");
  verb.add_option("ID", options->id, "The token's id, waitpoint_…")->required();
  add_client_options(verb, *options);
  verb.footer("Example:\n  perdure tokens get waitpoint_06bq2mtf8k3v1c9h5e7n4x0a2");
  verb.callback([options, &console, &exit_status] { exit_status = get(*options, console); });
}

}  // namespace perdure::cli
