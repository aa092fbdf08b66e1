// perdure tokens create and perdure tokens complete ID [JSON].
#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <ostream>

#include "host/cli/client.h"
#include "host/cli/json_view.h"
#include "host/cli/trigger_options.h"
#include "host/cli/verbs.h"
#include "store/model/json_text.h"

namespace perdure::cli {
namespace {

struct Options : ClientOptions {
  std::string id, timeout, key, key_ttl;
  std::optional<std::string> value;
  std::vector<std::string> tags;
};

int create(const Options& options, Console& console) {
  std::string body = "{";
  const auto member = [&](const char* name, const std::string& json) {
    body += (body == "{" ? "\"" : ",\"") + std::string(name) + "\":" + json;
  };
  if (!options.timeout.empty()) member("timeout", json_string(options.timeout));
  if (!options.key.empty()) member("idempotencyKey", json_string(options.key));
  if (!options.key_ttl.empty()) member("idempotencyKeyTTL", json_string(options.key_ttl));
  if (!options.tags.empty()) {
    std::string list;
    for (const std::string& tag : options.tags) list += (list.empty() ? "" : ",") + json_string(tag);
    member("tags", "[" + list + "]");
  }
  Client client(console, options);
  const auto answer = client.post("/api/v1/waitpoints/tokens", body + "}");
  if (!answer) return client.report();
  const JsonView token(*answer);
  if (options.json) {
    console.out << indented(token.raw()) << "\n";
    return kDone;
  }
  console.out << printable(token["id"].text()) << "\n";
  if (!console.err_is_terminal) return kDone;
  if (token["isCached"].is_true()) console.err << "This idempotency key had a token already; no new one was made.\n";
  console.err << "Whoever has this URL may complete it: " << printable(token["url"].text()) << "\n";
  return kDone;
}

int complete(const Options& options, Console& console) {
  std::string body = "{}";
  if (options.value) {
    store::Result<std::string> text = text_of(*options.value, console);
    if (text) {
      const store::Status json = store::check_json(*text, store::kPayloadLimits, "the value");
      if (!json) text = store::Status::invalid(json.message() + R"(; give JSON (a string as '"text"'), @FILE, or -)");
    }
    if (!text) {
      console.err << styled(color_err(console), Style::kRed, "perdure:") << " " << printable(text.status().message())
                  << "\n";
      return kWrongUsage;
    }
    body = "{\"data\":" + *text + "}";
  }
  Client client(console, options);
  const std::string path = "/api/v1/waitpoints/tokens/" + percent_encoded(options.id);
  if (!client.post(path + "/complete", body)) return client.report();
  const auto answer = client.get(path);  // what it was completed with may be another's value
  if (!answer) return client.report();
  const JsonView token(*answer);
  const bool completed = token["status"].text() == "COMPLETED";
  if (options.json) {
    console.out << indented(token.raw()) << "\n";
  } else if (completed) {
    console.out << printable(options.id) << " is completed";
    if (token["output"]) console.out << " with " << printable(token["output"].text());
    console.out << "\n";
  }
  if (completed) return kDone;
  console.err << printable(options.id) << " had timed out; nobody waits for it any more\n";
  return kFailed;
}

}  // namespace

void add_tokens_create(CLI::App& parent, Console& console, int& exit_status) {
  auto options = std::make_shared<Options>();
  CLI::App& verb = *parent.add_subcommand("create", "Make a token that runs can wait for, and print its id");
  verb.add_option("--timeout", options->timeout, "When it times out: a duration such as 2h, or a time; 10m by default");
  verb.add_option("--tag", options->tags, "A word to find it by; repeat for more, at most 10")->allow_extra_args(false);
  verb.add_option("--key", options->key, "Idempotency key: the token that has it already is the answer");
  verb.add_option("--key-ttl", options->key_ttl, "How long the key holds, such as 1h; 30d by default");
  add_client_options(verb, *options);
  verb.footer(
      "Examples:\n"
      "  perdure tokens create --timeout 2d --tag approval\n"
      "  perdure tokens create --json | jq -r .url");
  verb.callback([options, &console, &exit_status] { exit_status = create(*options, console); });
}

void add_tokens_complete(CLI::App& parent, Console& console, int& exit_status) {
  auto options = std::make_shared<Options>();
  CLI::App& verb = *parent.add_subcommand("complete", "Complete a token; the runs that wait for it go on");
  verb.add_option("ID", options->id, "The token's id, waitpoint_…")->required();
  verb.add_option("VALUE", options->value, "What they get: JSON, @FILE, or - for standard input; nothing unless given");
  add_client_options(verb, *options);
  verb.footer(
      "A token is completed once: it keeps its first value, whatever comes later.\n\n"
      "Example:\n  perdure tokens complete waitpoint_06bq2mtf8k3v1c9h5e7n4x0a2 '{\"approved\":true}'");
  verb.callback([options, &console, &exit_status] { exit_status = complete(*options, console); });
}

}  // namespace perdure::cli
