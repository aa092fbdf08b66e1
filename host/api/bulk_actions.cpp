// POST and GET /api/v1/bulk-actions, GET /api/v1/bulk-actions/{id}, POST …/{id}/abort: many runs canceled or replayed.
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
#include "host/api/query.h"
#include "host/api/run_filter.h"
#include "store/model/json_text.h"

namespace perdure::api {
namespace {

constexpr store::JsonLimits kBodyLimits{std::size_t{256} << 10, 8};
constexpr std::size_t kLargestPage = 100;
constexpr std::size_t kLongestName = 256;

void put_action(JsonText& json, const store::BulkAction& action) {
  json.begin_object().text("id", action.id.text()).text("type", store::bulk_kind_name(action.kind));
  json.text("status", store::bulk_status_name(action.status));
  if (!action.name.empty()) json.text("name", action.name);
  json.key("counts").begin_object().number("total", action.total()).number("success", action.success);
  json.number("failure", action.failure).end_object();
  json.time("createdAt", action.created_at);
  if (action.completed_at) json.time("completedAt", *action.completed_at);
  json.end_object();
}

// A filter's value: a text, a number, true, false, or a list of these; a queue may be {"type", "name"}.
std::optional<std::vector<std::string>> values_in(std::string_view json) {
  std::vector<std::string_view> parts{json};
  if (const auto elements = json_elements(json)) parts = *elements;
  std::vector<std::string> values;
  for (const std::string_view part : parts) {
    if (const auto members = json_members(part)) {
      const auto type = find_member(*members, "type"), name = find_member(*members, "name");
      const auto text = name ? json_string(*name) : std::nullopt;
      if (!text) return std::nullopt;
      values.push_back((type == "\"task\"" ? "task/" : "") + *text);
    } else if (const auto text = json_string(part)) {
      values.push_back(*text);
    } else if (!part.starts_with('"') && !part.starts_with('[') && part != "null") {
      values.emplace_back(part);
    } else {
      return std::nullopt;
    }
  }
  return values;
}

// What is wrong with a filter, which is an object; empty: nothing.
std::string read_filters(std::string_view json, store::RunFilter& filter) {
  const auto members = json_members(json);
  if (!members || members->empty()) return "\"filter\" must be an object that names something";
  bool any = false;
  for (const JsonMember& member : *members) {
    if (member.value == "null") continue;
    std::string name = member.name;
    if (name == "from" || name == "to" || name == "period") name = "createdAt." + name;
    const auto values = values_in(member.value);
    if (!values || values->empty()) return "the filter \"" + member.name + "\" must be a text or a list of texts";
    if (std::string wrong = read_filter(name, *values, wall_clock(), filter); !wrong.empty()) return wrong;
    any = true;
  }
  return any ? "" : "\"filter\" must be an object that names something";
}

std::string read_runs(std::string_view json, std::vector<store::RunId>& runs) {
  const auto elements = json_elements(json);
  const std::string expected = "\"runIds\" must be a list of 1 to " + std::to_string(store::kMostBulkRuns) + " run ids";
  if (!elements || elements->empty() || elements->size() > store::kMostBulkRuns) return expected;
  for (const std::string_view element : *elements) {
    const auto id = json_string(element);
    if (!id || !store::is_run_id(*id)) return expected + ", and " + std::string(element.substr(0, 60)) + " is none";
    runs.emplace_back(*id);
  }
  return {};
}

std::variant<store::BulkAction, Response> read_body(std::string_view body) {
  if (const store::Status checked = store::check_json(body, kBodyLimits, "the body"); !checked) {
    return body_error(checked.message());
  }
  const auto members = json_members(body);
  const auto member = [&](std::string_view name) -> std::optional<std::string_view> {
    const auto found = members ? find_member(*members, name) : std::nullopt;
    return found == "null" ? std::nullopt : found;
  };
  store::BulkAction action;
  const std::string kind = member("action") ? json_string(*member("action")).value_or("") : "";
  if (kind != "cancel" && kind != "replay") return body_error("\"action\" must be \"cancel\" or \"replay\"");
  action.kind = kind == "cancel" ? store::BulkKind::kCancel : store::BulkKind::kReplay;
  if (const auto name = member("name")) {
    const auto text = json_string(*name);
    if (!text || text->size() > kLongestName) return body_error("\"name\" must be a text of at most 256 bytes");
    action.name = *text;
  }
  const auto runs = member("runIds"), filter = member("filter");
  if (runs.has_value() == filter.has_value()) return body_error("it must have one of \"runIds\" and \"filter\"");
  const std::string wrong = runs ? read_runs(*runs, action.runs) : read_filters(*filter, action.filter);
  if (!wrong.empty()) return body_error(wrong);
  return action;
}

std::string id_document(const store::BulkActionId& id) {
  JsonText json;
  json.begin_object().text("id", id.text()).end_object();
  return json.take();
}

}  // namespace

Handling begin_bulk_action(Api& api, ExchangePtr exchange) {
  std::variant<store::BulkAction, Response> read = read_body(exchange->request().body);
  if (Response* const refusal = std::get_if<Response>(&read)) {
    exchange->reply(std::move(*refusal));
    co_return;
  }
  const auto ask = [&](store::Done<store::BulkActionId> done) {
    api.engine.begin_bulk_action(std::get<store::BulkAction>(std::move(read)), std::move(done));
  };
  const store::Result<store::BulkActionId> begun = co_await until_done<store::BulkActionId>(*exchange, ask);
  if (!begun) {
    exchange->reply(error_response(begun.status()));
    co_return;
  }
  Response response = ok(id_document(*begun));
  response.status = 202;
  exchange->reply(std::move(response));
}

Handling show_bulk_action(Api& api, ExchangePtr exchange) {
  const store::BulkActionId id(exchange->request().argument);
  const store::Result<store::BulkAction> action = api.engine.store().bulk_action(id);
  if (!action) {
    exchange->reply(action.status().code() == store::Code::kNotFound ? no_such("bulk action", id.text())
                                                                     : error_response(action.status()));
    co_return;
  }
  std::optional<Response> refusal = co_await refusal_unless_durable(*exchange, api);
  JsonText json;
  put_action(json, *action);
  exchange->reply(refusal ? std::move(*refusal) : ok(json.take()));
}

Handling abort_bulk_action(Api& api, ExchangePtr exchange) {
  const store::BulkActionId id(exchange->request().argument);
  const auto ask = [&](store::Done<store::BulkActionId> done) { api.engine.abort_bulk_action(id, std::move(done)); };
  const store::Result<store::BulkActionId> aborted = co_await until_done<store::BulkActionId>(*exchange, ask);
  if (aborted) {
    exchange->reply(ok(id_document(id)));
  } else {
    exchange->reply(aborted.status().code() == store::Code::kNotFound ? no_such("bulk action", id.text())
                                                                      : error_response(aborted.status()));
  }
}

Handling list_bulk_actions(Api& api, ExchangePtr exchange) {
  const Request& request = exchange->request();
  std::optional<QueryFault> fault;
  const auto size = number_parameter(request, "page[size]", 1, kLargestPage, fault).value_or(25);
  store::BulkActionId after, before;
  for (const Field& parameter : request.query) {
    if (parameter.name == "page[size]") continue;
    const bool known = parameter.name == "page[after]" || parameter.name == "page[before]";
    if (!known || (!parameter.value.empty() && !store::is_bulk_action_id(parameter.value))) {
      fault = {parameter.name, parameter.name + (known ? " must be a cursor of an earlier answer"
                                                       : " is no parameter of this list; it takes page[size], "
                                                         "page[after] and page[before]")};
    } else {
      (parameter.name == "page[after]" ? after : before) = store::BulkActionId(parameter.value);
    }
  }
  if (fault) {
    exchange->reply(query_error(fault->parameter, fault->message));
    co_return;
  }
  const store::Result<store::BulkActionPage> page =
      api.engine.store().bulk_actions(after, before, static_cast<std::size_t>(size));
  if (!page) {
    exchange->reply(error_response(page.status()));
    co_return;
  }
  if (std::optional<Response> refusal = co_await refusal_unless_durable(*exchange, api)) {
    exchange->reply(std::move(*refusal));
    co_return;
  }
  JsonText json;
  json.begin_object().key("data").begin_array();
  for (const store::BulkAction& action : page->actions) put_action(json, action);
  json.end_array().key("pagination").begin_object();
  const bool any = !page->actions.empty();
  if (any && page->more_after) json.text("next", page->actions.back().id.text());
  if (any && page->more_before) json.text("previous", page->actions.front().id.text());
  json.end_object().end_object();
  exchange->reply(ok(json.take()));
}

}  // namespace perdure::api
