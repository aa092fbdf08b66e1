// Queues: GET /api/v1/queues[/{q}], POST …/pause, …/concurrency/override and …/concurrency/reset as the public contract
// has them; GET /perdure/v1/queues/{q}/keys, the queue's concurrency keys with what waits and executes under each.
#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/api/api.h"
#include "host/api/durable.h"
#include "host/api/errors.h"
#include "host/api/json_members.h"
#include "host/api/json_text.h"
#include "host/api/query.h"
#include "host/api/queue_id.h"
#include "store/model/json_text.h"

namespace perdure::api {
namespace {

constexpr store::JsonLimits kBodyLimits{std::size_t{4} << 10, 4};
constexpr std::uint64_t kLargestPage = 100;

void put_limit(JsonText& json, std::string_view name, const std::optional<std::size_t>& limit) {
  json.key(name);
  limit ? json.number(*limit) : json.raw("null");
}

void put_queue(JsonText& json, const store::Queue& queue) {
  const store::QueueSettings& settings = queue.settings;
  const std::optional<store::TaskId> owner = owner_of(queue.name);
  json.begin_object().text("id", queue_id(queue.name));
  json.text("name", owner ? owner->text() : queue.name.text()).text("type", owner ? "task" : "custom");
  json.number("running", queue.running).number("queued", queue.queued).boolean("paused", settings.paused);
  put_limit(json, "concurrencyLimit", settings.limit());
  json.text("version", "V1").key("concurrency").begin_object();
  put_limit(json, "current", settings.limit());
  put_limit(json, "base", settings.base());
  put_limit(json, "override", settings.override_to);
  json.key("overriddenAt");
  settings.overridden_at ? json.time(*settings.overridden_at) : json.raw("null");
  json.raw("overriddenBy", "null").end_object();
  // Perdure's own.
  json.text("queue", queue.name.text());
  if (queue.oldest_queued_at) json.time("oldestQueuedAt", *queue.oldest_queued_at);
  if (const auto rate = settings.rate()) {
    json.key("rateLimit").begin_object().number("limit", rate->limit).number("periodMs", rate->period.count());
    json.end_object();
  }
  json.end_object();
}

// Clients write %2F for each slash of a name, and encode that once more.
std::string with_slashes(std::string text) {
  constexpr std::string_view kEscaped = "%2F";
  for (auto at = text.find(kEscaped); at != std::string::npos; at = text.find(kEscaped, at + 1)) {
    text.replace(at, kEscaped.size(), "/");
  }
  return text;
}

// The queue that the path names, which is an id, a task's id or a queue's name; nothing: there can be none.
std::optional<store::QueueName> queue_in_path(const Request& request, std::string_view type) {
  const std::string text = with_slashes(request.argument);
  if (type == "id") return queue_with_id(text);
  return type == "task" ? store::own_queue(store::TaskId(text)) : store::QueueName(text);
}

bool is_type(std::string_view type) { return type == "id" || type == "task" || type == "custom"; }

constexpr std::string_view kTypes = R"("id", "task" or "custom")";

std::optional<QueryFault> read_type(const Request& request, std::string& type) {
  const std::string* const given = request.parameter("type");
  type = given == nullptr ? "id" : *given;
  if (is_type(type)) return std::nullopt;
  return QueryFault{"type", "type must be " + std::string(kTypes)};
}

// What a POST says.
struct Wish {
  std::string type = "id", action;
  std::optional<std::size_t> limit;
};

// What is wrong with the body in words; nothing: `wish` has it.
std::optional<std::string> read_wish(const std::string& body, Wish& wish) {
  if (body.empty()) return std::nullopt;
  const auto members = store::check_json(body, kBodyLimits) ? json_members(body) : std::nullopt;
  if (!members) return "it must be a JSON object";
  for (const JsonMember& member : *members) {
    if (member.name == "type" || member.name == "action") {
      const auto text = json_string(member.value);
      const bool good = text && (member.name == "type" ? is_type(*text) : *text == "pause" || *text == "resume");
      if (!good) {
        return "\"" + member.name + "\" must be " +
               (member.name == "type" ? std::string(kTypes) : std::string(R"("pause" or "resume")"));
      }
      (member.name == "type" ? wish.type : wish.action) = *text;
    } else if (member.name == "concurrencyLimit") {
      std::size_t limit = 0;
      const std::string_view text = member.value;
      const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), limit);
      if (failed != std::errc() || end != text.data() + text.size() || limit > store::kLargestQueueLimit) {
        return "\"concurrencyLimit\" must be a whole number from 0 to " + std::to_string(store::kLargestQueueLimit);
      }
      wish.limit = limit;
    }
  }
  return std::nullopt;
}

Response queue_not_found() { return error_response(404, "queue-not-found"); }

Response answer_with(const store::Result<store::Queue>& queue) {
  if (queue.status().code() == store::Code::kNotFound) return queue_not_found();
  if (!queue) return error_response(queue.status());
  JsonText json;
  put_queue(json, *queue);
  return ok(json.take());
}

enum class Verb { kPause, kOverride, kReset };

Handling change(Api& api, ExchangePtr exchange, Verb verb) {
  Wish wish;
  std::optional<std::string> fault = read_wish(exchange->request().body, wish);
  if (!fault && verb == Verb::kPause && wish.action.empty()) fault = R"("action" must be "pause" or "resume")";
  if (!fault && verb == Verb::kOverride && !wish.limit) fault = "\"concurrencyLimit\" is missing";
  if (fault) {
    exchange->reply(body_error(*fault));
    co_return;
  }
  const std::optional<store::QueueName> queue = queue_in_path(exchange->request(), wish.type);
  if (!queue) {
    exchange->reply(queue_not_found());
    co_return;
  }
  const auto ask = [&](store::Done<store::Queue> done) {
    if (verb == Verb::kPause) return api.engine.pause_queue(*queue, wish.action == "pause", std::move(done));
    api.engine.override_limit(*queue, verb == Verb::kOverride ? wish.limit : std::nullopt, std::move(done));
  };
  const store::Result<store::Queue> changed = co_await until_done<store::Queue>(*exchange, ask);
  exchange->reply(answer_with(changed));
}

}  // namespace

Handling pause_queue(Api& api, ExchangePtr exchange) { return change(api, std::move(exchange), Verb::kPause); }
Handling override_queue(Api& api, ExchangePtr exchange) { return change(api, std::move(exchange), Verb::kOverride); }
Handling reset_queue(Api& api, ExchangePtr exchange) { return change(api, std::move(exchange), Verb::kReset); }

Handling list_queues(Api& api, ExchangePtr exchange) {
  std::optional<QueryFault> fault;
  const Request& request = exchange->request();
  const std::uint64_t page = number_parameter(request, "page", 1, 1'000'000'000, fault).value_or(1);
  const std::uint64_t size = number_parameter(request, "perPage", 1, kLargestPage, fault).value_or(25);
  if (fault) {
    exchange->reply(query_error(fault->parameter, fault->message));
    co_return;
  }
  const store::QueuePage queues = api.engine.store().queues((page - 1) * size, size);
  if (std::optional<Response> refusal = co_await refusal_unless_durable(*exchange, api)) {
    exchange->reply(std::move(*refusal));
    co_return;
  }
  JsonText json;
  json.begin_object().key("data").begin_array();
  for (const store::Queue& queue : queues.queues) put_queue(json, queue);
  json.end_array().key("pagination").begin_object().number("currentPage", page);
  json.number("totalPages", (queues.count + size - 1) / size).number("count", queues.count).end_object().end_object();
  exchange->reply(ok(json.take()));
}

Handling show_queue(Api& api, ExchangePtr exchange) {
  std::string type;
  if (const std::optional<QueryFault> fault = read_type(exchange->request(), type)) {
    exchange->reply(query_error(fault->parameter, fault->message));
    co_return;
  }
  const std::optional<store::QueueName> name = queue_in_path(exchange->request(), type);
  const store::Result<store::Queue> queue =
      name ? api.engine.store().queue(*name) : store::Result<store::Queue>(store::Status::not_found({}));
  Response response = answer_with(queue);
  if (std::optional<Response> refusal = co_await refusal_unless_durable(*exchange, api)) response = std::move(*refusal);
  exchange->reply(std::move(response));
}

Handling list_queue_keys(Api& api, ExchangePtr exchange) {
  std::string type;
  std::optional<QueryFault> fault = read_type(exchange->request(), type);
  const Request& request = exchange->request();
  const std::uint64_t limit = number_parameter(request, "limit", 1, 1000, fault).value_or(100);
  if (fault) {
    exchange->reply(query_error(fault->parameter, fault->message));
    co_return;
  }
  const std::optional<store::QueueName> queue = queue_in_path(request, type);
  if (!queue || !api.engine.store().queue(*queue)) {
    exchange->reply(queue_not_found());
    co_return;
  }
  const std::string* const after = request.parameter("after");
  const auto keys =
      api.engine.store().sub_queues(*queue, after == nullptr ? std::nullopt : std::optional(*after), limit);
  JsonText json;
  json.begin_object().key("data").begin_array();
  for (const store::SubQueueCounts& each : keys) {
    json.begin_object().text("concurrencyKey", each.key).number("queued", each.waiting);
    json.number("running", each.running).end_object();
  }
  json.end_array().end_object();
  exchange->reply(ok(json.take()));
}

}  // namespace perdure::api
