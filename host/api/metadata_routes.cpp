// GET and PUT /api/v1/runs/{id}/metadata: what a run says of itself while it lives. A change is a new object, or
// operations on what is there, also of the run's parent and root; each of the three is done whole or not at all.
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "host/api/api.h"
#include "host/api/durable.h"
#include "host/api/errors.h"
#include "host/api/json_members.h"
#include "host/api/json_text.h"
#include "store/model/json_text.h"
#include "store/model/metadata.h"

namespace perdure::api {
namespace {

using store::MetadataOperation;

constexpr store::JsonLimits kBodyLimits{std::size_t{4} << 20, 130};

Response document(std::string_view metadata) {
  JsonText json;
  json.begin_object().raw("metadata", metadata).end_object();
  return ok(json.take());
}

// What a body asks for: of the run, of its parent, of its root.
struct Change {
  std::vector<MetadataOperation> own, parents, roots;
};

std::optional<Response> read_operation(std::string_view text, std::vector<MetadataOperation>& operations) {
  const auto members = json_members(text);
  if (!members) return body_error("an operation must be an object with \"type\", \"key\" and \"value\"");
  const auto type = find_member(*members, "type");
  const auto change = store::parse_metadata_change(type ? json_string(*type).value_or("") : "");
  if (!change) return body_error("an operation's \"type\" is set, delete, increment, append, remove or update");
  MetadataOperation operation;
  operation.change = *change;
  if (*change != store::MetadataChange::kReplace) {
    const auto key = find_member(*members, "key");
    const auto name = key ? json_string(*key) : std::nullopt;
    if (!name) return body_error("an operation must have a \"key\", a string");
    operation.key = *name;
  }
  if (*change != store::MetadataChange::kDelete) {
    const auto value = find_member(*members, "value");
    if (!value) return body_error("an operation must have a \"value\"");
    operation.value = *value;
  }
  if (const store::Status checked = store::check_operation(operation); !checked) return body_error(checked.message());
  operations.push_back(std::move(operation));
  return std::nullopt;
}

std::variant<Change, Response> read_body(std::string_view body) {
  if (const store::Status checked = store::check_json(body, kBodyLimits, "the body"); !checked) {
    return body_error(checked.message());
  }
  const auto members = json_members(body);
  if (!members) return body_error("it must be an object such as {\"metadata\": {...}}");
  Change change;
  if (const auto whole = find_member(*members, "metadata"); whole && *whole != "null") {
    const MetadataOperation replace{store::MetadataChange::kReplace, {}, std::string(*whole)};
    if (const store::Status checked = store::check_operation(replace); !checked) return body_error(checked.message());
    change.own.push_back(replace);
  }
  const std::array<std::pair<const char*, std::vector<MetadataOperation>*>, 3> lists{
      {{"operations", &change.own}, {"parentOperations", &change.parents}, {"rootOperations", &change.roots}}};
  for (const auto& [name, operations] : lists) {
    const auto list = find_member(*members, name);
    if (!list || *list == "null") continue;
    const auto elements = json_elements(*list);
    if (!elements) return body_error(std::string("\"") + name + "\" must be a list of operations");
    for (const std::string_view element : *elements) {
      if (auto refusal = read_operation(element, *operations)) return std::move(*refusal);
    }
  }
  if (change.own.empty() && change.parents.empty() && change.roots.empty()) {
    return body_error("it changes nothing: write {\"metadata\": {...}} or {\"operations\": [...]}");
  }
  return change;
}

}  // namespace

Handling show_metadata(Api& api, ExchangePtr exchange) {
  const store::RunId id(exchange->request().argument);
  const store::Result<std::string> metadata =
      store::is_run_id(id.text()) ? api.engine.store().metadata(id) : store::Status::not_found("");
  if (!metadata) {
    exchange->reply(metadata.status().code() == store::Code::kNotFound ? no_such("run", id.text())
                                                                       : error_response(metadata.status()));
    co_return;
  }
  std::optional<Response> refusal = co_await refusal_unless_durable(*exchange, api);
  exchange->reply(refusal ? std::move(*refusal) : document(metadata.value()));
}

Handling change_metadata(Api& api, ExchangePtr exchange) {
  const store::RunId id(exchange->request().argument);
  const store::Result<store::Run> run =
      store::is_run_id(id.text()) ? api.engine.store().run(id) : store::Status::not_found("");
  if (!run) {
    exchange->reply(run.status().code() == store::Code::kNotFound ? no_such("run", id.text())
                                                                  : error_response(run.status()));
    co_return;
  }
  std::variant<Change, Response> read = read_body(exchange->request().body);
  if (Response* const refusal = std::get_if<Response>(&read)) {
    exchange->reply(std::move(*refusal));
    co_return;
  }
  Change change = std::get<Change>(std::move(read));
  // A run without a parent is its own parent and root.
  const store::RunId parent = run->parent.empty() ? id : run->parent;
  const store::RunId root = run->root.empty() ? id : run->root;
  const std::array<std::pair<store::RunId, std::vector<MetadataOperation>*>, 3> changes{
      {{id, &change.own}, {parent, &change.parents}, {root, &change.roots}}};
  for (const auto& change_of : changes) {
    if (change_of.second->empty()) continue;
    const auto ask = [&](store::Done<std::string> done) {
      api.engine.change_metadata(change_of.first, std::move(*change_of.second), std::move(done));
    };
    const store::Result<std::string> changed = co_await until_done<std::string>(*exchange, ask);
    if (!changed) {
      exchange->reply(error_response(changed.status()));
      co_return;
    }
  }
  const store::Result<std::string> metadata = api.engine.store().metadata(id);
  exchange->reply(metadata ? document(metadata.value()) : error_response(metadata.status()));
}

}  // namespace perdure::api
