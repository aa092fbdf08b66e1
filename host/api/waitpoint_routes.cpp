// Waitpoint tokens: POST and GET /api/v1/waitpoints/tokens, GET …/{id}, POST …/{id}/complete, POST
// …/{id}/callback/{hash} as the public contract has them.
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "host/api/api.h"
#include "host/api/durable.h"
#include "host/api/errors.h"
#include "host/api/json_text.h"
#include "host/api/query.h"
#include "host/api/run_filter.h"
#include "host/api/token_header.h"
#include "host/api/waitpoint_body.h"
#include "host/api/waitpoint_json.h"

namespace perdure::api {
namespace {

using store::Token;
using store::TokenId;

constexpr std::uint64_t kLargestPage = 100;
constexpr std::string_view kWhat = "waitpoint token";
constexpr std::string_view kSuccess = R"({"success":true})";

std::string url_of(const Api& api, const Request& request, const TokenId& id) {
  return callback_url(base_of(request, api.options.listen), id, api.keys.seal(id.text()));
}

Response failure(const store::Status& status, const TokenId& id) {
  return status.code() == store::Code::kNotFound ? no_such(kWhat, id.text()) : error_response(status);
}

// What is wrong with a filter; empty: nothing.
std::string read_filter_of_tokens(std::string_view name, const std::vector<std::string>& values,
                                  store::TokenFilter& filter) {
  if (name == "status") {
    std::string invalid;
    for (const std::string& value : values) {
      if (const auto status = store::parse_token_status(value)) {
        filter.statuses.push_back(*status);
      } else {
        invalid += (invalid.empty() ? "" : ", ") + value;
      }
    }
    return invalid.empty() ? "" : "Invalid status values: " + invalid;
  }
  if (name == "tags") {
    filter.tags = values;
    return {};
  }
  if (name == "id" || name == "idempotencyKey") {
    if (values.size() != 1) return std::string(name) + " must be one text";
    if (name == "id") {
      filter.id = TokenId(values[0]);
    } else {
      filter.idempotency_key = values[0];
    }
    return {};
  }
  if (name.starts_with("createdAt.")) {
    store::RunFilter times;
    times.from = filter.from;
    times.to = filter.to;
    std::string wrong = read_filter(name, values, wall_clock(), times);
    filter.from = times.from;
    filter.to = times.to;
    return wrong;
  }
  return std::string(name) +
         " is no filter of waitpoint tokens; there are status, tags, id, idempotencyKey, createdAt.from, createdAt.to, "
         "createdAt.period";
}

std::optional<QueryFault> read_query(const Request& request, store::TokenFilter& filter) {
  std::optional<QueryFault> fault;
  filter.limit = static_cast<std::size_t>(number_parameter(request, "page[size]", 1, kLargestPage, fault).value_or(25));
  for (const Field& parameter : request.query) {
    const std::string& name = parameter.name;
    if (name == "page[size]") continue;
    if (name == "page[after]" || name == "page[before]") {
      if (parameter.value.empty()) continue;
      if (!store::is_token_id(parameter.value))
        return QueryFault{name, name + " must be a cursor of an earlier answer"};
      (name == "page[after]" ? filter.after : filter.before) = TokenId(parameter.value);
      continue;
    }
    const std::optional<std::string> filtered = filter_in(name);
    if (!filtered) {
      return QueryFault{name, name +
                                  " is no parameter of this list; it takes page[size], page[after], page[before] "
                                  "and filter[…] of status, tags, id, idempotencyKey and createdAt"};
    }
    std::string wrong = read_filter_of_tokens(*filtered, list_parameter(request, name), filter);
    if (!wrong.empty()) return QueryFault{name, std::move(wrong)};
  }
  if (!filter.after.empty() && !filter.before.empty()) {
    return QueryFault{"page[before]", "page[after] and page[before] exclude each other"};
  }
  return fault;
}

Handling complete(Api& api, ExchangePtr exchange, std::variant<std::string, Response> value) {
  if (Response* const refusal = std::get_if<Response>(&value)) {
    exchange->reply(std::move(*refusal));
    co_return;
  }
  const TokenId id(exchange->request().argument);
  const auto ask = [&](store::Done<Token> done) {
    api.engine.tokens().complete(id, std::move(std::get<std::string>(value)), std::nullopt, std::move(done));
  };
  const store::Result<Token> completed = co_await until_done<Token>(*exchange, ask);
  exchange->reply(completed ? ok(std::string(kSuccess)) : failure(completed.status(), id));
}

}  // namespace

Handling create_waitpoint(Api& api, ExchangePtr exchange) {
  auto read = read_waitpoint(exchange->request().body);
  if (auto* refusal = std::get_if<Response>(&read)) {
    exchange->reply(std::move(*refusal));
    co_return;
  }
  auto& request = std::get<engine::TokenRequest>(read);
  const auto ask = [&](store::Done<store::CreatedToken> done) {
    api.engine.tokens().create(std::move(request), std::move(done));
  };
  const store::Result<store::CreatedToken> made = co_await until_done<store::CreatedToken>(*exchange, ask);
  if (!made) {
    exchange->reply(error_response(made.status()));
    co_return;
  }
  const TokenId& id = made->token.id;
  JsonText json;
  json.begin_object().text("id", id.text()).boolean("isCached", made->existing);
  json.text("url", url_of(api, exchange->request(), id)).end_object();
  Response response = ok(json.take());
  hand_back_token(api, exchange->request(), "write:waitpoints:" + id.text(), kWaitpointTokenLifetime, response);
  exchange->reply(std::move(response));
}

Handling list_waitpoints(Api& api, ExchangePtr exchange) {
  store::TokenFilter filter;
  if (const std::optional<QueryFault> fault = read_query(exchange->request(), filter)) {
    exchange->reply(query_error(fault->parameter, fault->message));
    co_return;
  }
  const store::Result<store::TokenPage> page = api.engine.store().tokens(filter);
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
  for (const Token& token : page->tokens) {
    json.begin_object();
    put_waitpoint(json, token, url_of(api, exchange->request(), token.id));
    json.end_object();
  }
  json.end_array().key("pagination").begin_object();
  if (page->more_after && !page->after.empty()) json.text("next", page->after.text());
  if (page->more_before && !page->before.empty()) json.text("previous", page->before.text());
  json.end_object().end_object();
  exchange->reply(ok(json.take()));
}

Handling retrieve_waitpoint(Api& api, ExchangePtr exchange) {
  const TokenId id(exchange->request().argument);
  const store::Result<Token> token = api.engine.store().token(id);
  if (!token) {
    exchange->reply(failure(token.status(), id));
    co_return;
  }
  if (std::optional<Response> refusal = co_await refusal_unless_durable(*exchange, api)) {
    exchange->reply(std::move(*refusal));
    co_return;
  }
  JsonText json;
  json.begin_object();
  put_waitpoint(json, *token, url_of(api, exchange->request(), id));
  put_waitpoint_output(json, *token);
  json.end_object();
  exchange->reply(ok(json.take()));
}

Handling complete_waitpoint(Api& api, ExchangePtr exchange) {
  auto value = read_completion(exchange->request().body);
  return complete(api, std::move(exchange), std::move(value));
}

// Whoever knows the URL may complete the token: no key is asked for.
Handling call_waitpoint_back(Api& api, ExchangePtr exchange) {
  const Request& request = exchange->request();
  const TokenId id(request.argument);
  const bool known_hash = api.keys.is_sealed(id.text(), request.second_argument, wall_clock());
  std::variant<std::string, Response> value;
  if (const store::Result<Token> token = api.engine.store().token(id); !token) {
    value = failure(token.status(), id);
  } else if (!known_hash) {
    value = error_response(401, "this is not the URL that the waitpoint token has; take it from the token itself");
  } else if (request.header("content-length") == nullptr) {
    value = error_response(411, "the length of the body must be said: send the header content-length");
  } else {
    value = read_callback(request.body);
  }
  return complete(api, std::move(exchange), std::move(value));
}

}  // namespace perdure::api
