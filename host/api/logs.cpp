// GET /perdure/v1/runs/{id}/logs: a page of a run's log lines, or with ?follow=1 a stream of them until the run has
// ended: one JSON object a line, or server-sent events for who accepts text/event-stream.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/api/api.h"
#include "host/api/durable.h"
#include "host/api/errors.h"
#include "host/api/json_text.h"
#include "host/api/query.h"
#include "host/api/run_json.h"

namespace perdure::api {
namespace {

using std::chrono::steady_clock;
using Entries = std::vector<store::LogEntry>;

constexpr std::uint64_t kMostEntries = 1000;
constexpr std::uint64_t kUsualEntries = 100;

std::string page_document(const Entries& entries, std::size_t limit) {
  JsonText json;
  json.begin_object().key("data").begin_array();
  for (std::size_t i = 0; i < std::min(limit, entries.size()); ++i) put_log_entry(json, entries[i]);
  json.end_array().key("pagination").begin_object();
  if (entries.size() > limit) json.number("next", entries[limit - 1].sequence);
  json.end_object().end_object();
  return json.take();
}

std::string stream_piece(const Entries& entries, bool events) {
  std::string piece;
  for (const store::LogEntry& entry : entries) {
    JsonText json;
    put_log_entry(json, entry);
    if (events) piece += "id: " + std::to_string(entry.sequence) + "\ndata: ";
    piece += json.str();
    piece += events ? "\n\n" : "\n";
  }
  return piece;
}

// Why the stream ends before the run does.
std::string failure_piece(const store::Status& status, bool events) {
  const std::string json = error_response(status).body;
  return events ? "event: error\ndata: " + json + "\n\n" : json + "\n";
}

Handling follow(Api& api, ExchangePtr exchange, std::uint64_t after) {
  const store::RunId id(exchange->request().argument);
  const std::string* const accept = exchange->request().header("accept");
  const bool events = accept != nullptr && accept->find("text/event-stream") != std::string::npos;
  const std::shared_ptr<Signal> signal = exchange->signal();
  const auto watching = api.engine.watch(id, [signal] { signal->notify(); });
  const AllWritten written{api};
  exchange->begin_stream({.content_type = events ? "text/event-stream" : "application/x-ndjson"});
  while (!exchange->hurried() && exchange->request().method != Method::kHead) {
    // The status first: what is logged before the end is there when the end is seen.
    const store::Result<store::Run> run = api.engine.store().run(id);
    const store::Result<Entries> entries = api.engine.store().logs(id, after, kMostEntries);
    if (!run || !entries) {
      exchange->stream(failure_piece(run ? entries.status() : run.status(), events));
      break;
    }
    const bool ended = store::is_final(run->status) && entries->size() < kMostEntries;
    if (ended || !entries->empty()) {
      const store::Status durable = co_await until_ok(*exchange, written);
      if (unless_durable(durable)) {
        exchange->stream(failure_piece(durable, events));
        break;
      }
    }
    if (!entries->empty()) {
      after = entries->back().sequence;
      exchange->stream(stream_piece(entries.value(), events));
    }
    if (ended) {
      if (events) exchange->stream("event: end\ndata: {}\n\n");
      break;
    }
    while (exchange->congested() && !exchange->hurried()) co_await signal->wait(SteadyTime::max());
    if (entries->size() == kMostEntries) continue;
    const SteadyTime beat = steady_clock::now() + api.options.limits.stream_beat;
    co_await signal->wait(beat);
    if (steady_clock::now() >= beat) exchange->stream(events ? ": still here\n\n" : "\n");
  }
  exchange->end_stream();
}

}  // namespace

Handling show_logs(Api& api, ExchangePtr exchange) {
  const Request& request = exchange->request();
  const store::RunId id(request.argument);
  std::optional<QueryFault> fault;
  std::uint64_t after = number_parameter(request, "after", 0, INT64_MAX, fault).value_or(0);
  const std::uint64_t limit = number_parameter(request, "limit", 1, kMostEntries, fault).value_or(kUsualEntries);
  const bool following = flag_parameter(request, "follow", fault).value_or(false);
  if (fault) {
    exchange->reply(query_error(fault->parameter, fault->message));
    co_return;
  }
  if (!store::is_run_id(id.text())) {
    exchange->reply(no_such("run", id.text()));
    co_return;
  }
  if (const store::Result<store::Run> run = api.engine.store().run(id); !run) {
    exchange->reply(error_response(run.status()));
    co_return;
  }
  if (following) {
    follow(api, std::move(exchange), after);
    co_return;
  }
  const store::Result<Entries> entries = api.engine.store().logs(id, after, limit + 1);
  if (!entries) {
    exchange->reply(error_response(entries.status()));
    co_return;
  }
  std::optional<Response> refusal = co_await refusal_unless_durable(*exchange, api);
  exchange->reply(refusal ? std::move(*refusal) : ok(page_document(entries.value(), limit)));
}

}  // namespace perdure::api
