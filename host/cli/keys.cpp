// perdure keys create|list|revoke|rotate: who may ask this host for what.
#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "host/cli/client.h"
#include "host/cli/json_view.h"
#include "host/cli/table.h"
#include "host/cli/verbs.h"

namespace perdure::cli {
namespace {

struct Options : ClientOptions {
  std::vector<std::string> scopes;
  std::string name, id;
  std::string grace = "24h";
};

int create(const Options& options, Console& console) {
  Client client(console, options);
  std::string scopes;
  for (const std::string& scope : options.scopes) scopes += (scopes.empty() ? "" : ",") + json_string(scope);
  const auto answer =
      client.post("/perdure/v1/keys", "{\"name\":" + json_string(options.name) + ",\"scopes\":[" + scopes + "]}");
  if (!answer) return client.report();
  if (options.json) {
    console.out << indented(*answer) << "\n";
    return kDone;
  }
  const JsonView key(*answer);
  // The key alone on standard output, for $(perdure keys create …).
  console.out << key["key"].text() << "\n";
  console.err << "This is the only time that " << key["id"].text()
              << " is shown: the host keeps nothing that it could be made from.\n";
  return kDone;
}

std::string joined(const JsonView& list) {
  std::string text;
  for (const JsonView& each : list.items()) text += (text.empty() ? "" : ", ") + each.text();
  return text;
}

int list(const Options& options, Console& console) {
  Client client(console, options);
  const auto answer = client.get("/perdure/v1/keys");
  if (!answer) return client.report();
  Table table({"ID", "NAME", "SCOPES", "ENDS IN", "CREATED"});
  for (const JsonView& key : JsonView(*answer)["data"].items()) {
    if (options.json) {
      console.out << key.raw() << "\n";
      continue;
    }
    table.add({{key["id"].text(), Style::kBold},
               {key["name"].text()},
               {joined(key["scopes"])},
               {key["hint"].text()},
               {key["createdAt"].text()}});
  }
  if (options.json) return kDone;
  if (!table.empty()) {
    table.print(console);
  } else if (console.out_is_terminal) {
    console.out << "No keys besides the root key; `perdure keys create --scope read` makes one.\n";
  }
  return kDone;
}

int revoke(const Options& options, Console& console) {
  Client client(console, options);
  const auto answer = client.remove("/perdure/v1/keys/" + percent_encoded(options.id));
  if (!answer) return client.report();
  if (options.json) {
    console.out << indented(*answer) << "\n";
  } else {
    console.out << options.id << " is revoked, and so are the public access tokens that were made for it\n";
  }
  return kDone;
}

int rotate(const Options& options, Console& console) {
  Client client(console, options);
  const auto answer = client.post("/perdure/v1/keys/root/rotate", "{\"grace\":" + json_string(options.grace) + "}");
  if (!answer) return client.report();
  if (options.json) {
    console.out << indented(*answer) << "\n";
    return kDone;
  }
  const JsonView rotated(*answer);
  console.out << rotated["key"].text() << "\n";
  console.err << "It is in the data directory's `secret` too. The key before it is accepted until "
              << rotated["formerKeyAcceptedUntil"].text() << ".\n";
  return kDone;
}

}  // namespace

void add_keys(CLI::App& parent, Console& console, int& exit_status) {
  CLI::App& keys = *parent.add_subcommand("keys", "Make and revoke keys for clients");
  keys.require_subcommand(1);
  auto options = std::make_shared<Options>();

  CLI::App& creating = *keys.add_subcommand("create", "Make a key, and print it");
  creating
      .add_option("--scope", options->scopes,
                  "What it may do: read; trigger (make, change and cancel runs); admin (everything). Several add up")
      ->required()
      ->type_name("SCOPE")
      ->check(CLI::IsMember({"read", "trigger", "admin"}));
  creating.add_option("--name", options->name, "What it is for, as `keys list` shows it")->type_name("TEXT");
  add_client_options(creating, *options);
  creating.footer("Example:\n  perdure keys create --scope trigger --scope read --name \"web shop\"");
  creating.callback([options, &console, &exit_status] { exit_status = create(*options, console); });

  CLI::App& listing = *keys.add_subcommand("list", "Show the keys there are, oldest first");
  add_client_options(listing, *options);
  listing.footer("Example:\n  perdure keys list");
  listing.callback([options, &console, &exit_status] { exit_status = list(*options, console); });

  CLI::App& revoking = *keys.add_subcommand("revoke", "Let a key be none, at once");
  revoking.add_option("ID", options->id, "The key's id, as `keys list` shows it")->required();
  add_client_options(revoking, *options);
  revoking.footer("Example:\n  perdure keys revoke key_4fTzQ0aVbN1cXw9LmR7sK");
  revoking.callback([options, &console, &exit_status] { exit_status = revoke(*options, console); });

  CLI::App& rotating = *keys.add_subcommand("rotate", "Make a new root key; the one before it goes on for a while");
  rotating.add_option("--grace", options->grace, "How long the one before it is still accepted; 0 for not at all")
      ->type_name("DURATION")
      ->capture_default_str();
  add_client_options(rotating, *options);
  rotating.footer("Example:\n  perdure keys rotate --grace 1h");
  rotating.callback([options, &console, &exit_status] { exit_status = rotate(*options, console); });
}

}  // namespace perdure::cli
