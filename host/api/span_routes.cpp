// What happened in a run, as the public contract tells it: GET /api/v1/runs/{id}/events, GET /api/v1/runs/{id}/trace as
// a tree or, with page[size], flat.
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/api/api.h"
#include "host/api/durable.h"
#include "host/api/errors.h"
#include "host/api/json_text.h"
#include "host/api/run_spans.h"

namespace perdure::api {
namespace {

std::string_view level_of(const Span& span) { return span.error ? "ERROR" : "INFO"; }

void put_nature(JsonText& json, const Span& span) {
  json.text("message", span.message).text("level", level_of(span)).time("startTime", span.start);
  json.number("duration", span.duration.count()).boolean("isError", span.error);
  json.boolean("isPartial", span.partial).boolean("isCancelled", span.canceled);
}

std::string events_document(const store::Run& run, const std::vector<Span>& spans) {
  JsonText json;
  json.begin_object().key("events").begin_array();
  for (const Span& span : spans) {
    json.begin_object().text("spanId", span.id);
    if (!span.parent.empty()) json.text("parentId", span.parent);
    json.text("runId", run.id.text());
    put_nature(json, span);
    json.end_object();
  }
  json.end_array().end_object();
  return json.take();
}

void put_tree(JsonText& json, const store::Run& run, const std::vector<Span>& spans, const Span& span) {
  json.begin_object().text("id", span.id);
  if (!span.parent.empty()) json.text("parentId", span.parent);
  json.text("runId", run.id.text()).key("data").begin_object();
  put_nature(json, span);
  if (span.parent.empty()) json.text("taskSlug", run.task.text()).text("queueName", run.queue.text());
  json.end_object().key("children").begin_array();
  for (const Span& each : spans) {
    if (each.parent == span.id) put_tree(json, run, spans, each);
  }
  json.end_array().end_object();
}

std::string tree_document(const store::Run& run, const std::vector<Span>& spans) {
  JsonText json;
  json.begin_object().key("trace").begin_object().text("traceId", run.id.text());
  put_tree(json.key("rootSpan"), run, spans, spans.front());
  json.end_object().end_object();
  return json.take();
}

std::string flat_document(const store::Run& run, const std::vector<Span>& spans) {
  JsonText json;
  json.begin_object().key("data").begin_array();
  for (const Span& span : spans) {
    json.begin_object().text("id", span.id);
    if (!span.parent.empty()) json.text("parentId", span.parent);
    json.text("runId", run.id.text());
    put_nature(json, span);
    if (span.attempt != 0) json.number("attemptNumber", span.attempt);
    json.end_object();
  }
  json.end_array().key("attemptFailures").begin_array();
  for (const Span& span : spans) {
    if (!span.error || span.attempt == 0) continue;
    json.begin_object().text("spanId", span.id).number("attemptNumber", span.attempt).text("runId", run.id.text());
    json.end_object();
  }
  json.end_array().raw("pagination", "{}").end_object();
  return json.take();
}

using Document = std::string (*)(const store::Run& run, const std::vector<Span>& spans);

Handling show_spans(Api& api, ExchangePtr exchange, Document document) {
  const store::RunId id(exchange->request().argument);
  const store::Store& store = api.engine.store();
  const store::Result<store::Run> run =
      store::is_run_id(id.text()) ? store.run(id) : store::Status::not_found("there is no run " + id.text());
  const store::Result<std::vector<Span>> spans = run ? spans_of(store, *run) : run.status();
  if (!spans) {
    exchange->reply(error_response(spans.status()));
    co_return;
  }
  std::optional<Response> refusal = co_await refusal_unless_durable(*exchange, api);
  exchange->reply(refusal ? std::move(*refusal) : ok(document(*run, *spans)));
}

}  // namespace

Handling show_events(Api& api, ExchangePtr exchange) { return show_spans(api, std::move(exchange), events_document); }

Handling show_public_trace(Api& api, ExchangePtr exchange) {
  const bool flat = exchange->request().parameter("page[size]") != nullptr;
  return show_spans(api, std::move(exchange), flat ? flat_document : tree_document);
}

}  // namespace perdure::api
