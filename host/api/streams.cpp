// What attempts append to streams of their run. GET /perdure/v1/runs/{id}/streams lists them, .../streams/{name} shows
// one from its start or after a sequence: a page, or with ?follow=1 live until the run has ended, as NDJSON or, where
// the client accepts text/event-stream, as events. GET /realtime/v1/streams/{id}/{name} is the public contract's form
// of the latter. A client that is behind is waited for: no more than two pages of it are in memory.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "host/api/access.h"
#include "host/api/api.h"
#include "host/api/durable.h"
#include "host/api/errors.h"
#include "host/api/json_text.h"
#include "host/api/query.h"
#include "store/model/json_text.h"

namespace perdure::api {
namespace {

using std::chrono::steady_clock;
using Chunks = std::vector<store::StreamChunk>;

constexpr std::uint64_t kMostChunks = 1000;
constexpr std::uint64_t kUsualChunks = 100;
constexpr store::JsonLimits kChunkLimits{std::size_t{4} << 20, 100};

enum class Form : std::uint8_t {
  kLines,    // NDJSON, one object for each chunk
  kEvents,   // the same objects as server-sent events
  kPublic,   // events of the public contract, whose data is the chunk's text
  kRecords,  // … of its second version, whose data are records of chunks
};

void put_chunk(JsonText& json, const store::StreamChunk& chunk) {
  json.begin_object().number("sequence", chunk.sequence).time("at", chunk.at).text("text", chunk.text).end_object();
}

// "data: " before each line of the text.
void put_data(std::string& out, std::string_view text) {
  for (;;) {
    const std::size_t end = text.find_first_of("\r\n");
    out.append("data: ").append(text.substr(0, end)).push_back('\n');
    if (end == std::string_view::npos) return;
    text.remove_prefix(text.substr(end).starts_with("\r\n") ? end + 2 : end + 1);
  }
}

// A chunk is JSON or text; clients take what a record holds for JSON.
std::string record_body(const store::StreamChunk& chunk) {
  JsonText json;
  json.begin_object().text("id", std::to_string(chunk.sequence)).key("data");
  if (store::check_json(chunk.text, kChunkLimits)) {
    json.raw(chunk.text);
  } else {
    json.text(chunk.text);
  }
  return json.end_object().take();
}

void put_record(std::string& out, const store::StreamChunk& chunk) {
  JsonText json;
  json.begin_object().key("records").begin_array().begin_object();
  json.number("seq_num", chunk.sequence).number("timestamp", chunk.at.time_since_epoch().count());
  json.text("body", record_body(chunk)).raw("headers", "[]").end_object().end_array().end_object();
  out += "event: batch\nid: " + std::to_string(chunk.sequence) + "\ndata: " + json.str() + "\n\n";
}

void put_piece(std::string& out, const store::StreamChunk& chunk, Form form) {
  if (form == Form::kRecords) return put_record(out, chunk);
  if (form == Form::kPublic) {
    out += "id: " + std::to_string(chunk.at.time_since_epoch().count()) + "-" + std::to_string(chunk.sequence) + "\n";
    put_data(out, chunk.text);
    out += '\n';
    return;
  }
  JsonText json;
  put_chunk(json, chunk);
  if (form == Form::kEvents) out += "id: " + std::to_string(chunk.sequence) + "\ndata: ";
  out += json.str();
  out += form == Form::kEvents ? "\n\n" : "\n";
}

std::string page_document(const Chunks& chunks, std::size_t limit, bool more) {
  JsonText json;
  json.begin_object().key("data").begin_array();
  for (std::size_t i = 0; i < std::min(limit, chunks.size()); ++i) put_chunk(json, chunks[i]);
  json.end_array().key("pagination").begin_object();
  if (more) json.number("next", chunks[std::min(limit, chunks.size()) - 1].sequence);
  json.end_object().end_object();
  return json.take();
}

// Why the stream ends before the run does.
std::string failure_piece(const store::Status& status, Form form) {
  const std::string json = error_response(status).body;
  return form == Form::kLines ? json + "\n" : "event: error\ndata: " + json + "\n\n";
}

Handling follow(Api& api, ExchangePtr exchange, store::RunId id, std::string name, std::uint64_t after, Form form) {
  const std::shared_ptr<Signal> signal = exchange->signal();
  const auto watching = api.engine.watch(id, [signal] { signal->notify(); });
  const AllWritten written{api};
  Response head{.content_type = form == Form::kLines ? "application/x-ndjson" : "text/event-stream"};
  if (form == Form::kRecords) head.headers.push_back({"x-stream-version", "v2"});
  exchange->begin_stream(std::move(head));
  while (!exchange->hurried() && exchange->request().method != Method::kHead) {
    // The status first: what is appended before the end is there when the end is seen.
    const store::Result<store::Run> run = api.engine.store().run(id);
    const store::Result<Chunks> chunks = api.engine.store().read_stream(id, name, after, kMostChunks);
    if (!run || !chunks) {
      exchange->stream(failure_piece(run ? chunks.status() : run.status(), form));
      break;
    }
    const bool ended = store::is_final(run->status) && chunks->empty();
    if (ended || !chunks->empty()) {
      const store::Status durable = co_await until_ok(*exchange, written);
      if (unless_durable(durable)) {
        exchange->stream(failure_piece(durable, form));
        break;
      }
    }
    if (ended) {
      if (form == Form::kEvents) exchange->stream("event: end\ndata: {}\n\n");
      break;
    }
    for (const store::StreamChunk& chunk : *chunks) {
      std::string piece;
      put_piece(piece, chunk, form);
      exchange->stream(piece);
      after = chunk.sequence;
    }
    while (exchange->congested() && !exchange->hurried()) co_await signal->wait(SteadyTime::max());
    if (!chunks->empty()) continue;
    const SteadyTime beat = steady_clock::now() + api.options.limits.stream_beat;
    co_await signal->wait(beat);
    if (steady_clock::now() >= beat) exchange->stream(form == Form::kLines ? "\n" : ": still here\n\n");
  }
  exchange->end_stream();
}

bool accepts_events(const Request& request) {
  const std::string* const accept = request.header("accept");
  return accept != nullptr && accept->find("text/event-stream") != std::string::npos;
}

// Why there is no such stream to be read, if so.
std::optional<Response> unless_readable(Api& api, const store::RunId& id, const std::string& name) {
  if (!store::is_run_id(id.text())) return no_such("run", id.text());
  if (const store::Result<store::Run> run = api.engine.store().run(id); !run) {
    return run.status().code() == store::Code::kNotFound ? no_such("run", id.text()) : error_response(run.status());
  }
  if (name.size() > store::kLongestStreamName) {
    return error_response(404, "a stream's name has at most " + std::to_string(store::kLongestStreamName) + " bytes");
  }
  return std::nullopt;
}

// The number after the '-' of an event's id; 0 when there is none.
std::uint64_t sequence_in(const std::string* event_id) {
  std::uint64_t sequence = 0;
  if (event_id == nullptr) return 0;
  const std::string_view text = std::string_view(*event_id).substr(event_id->find('-') + 1);
  std::from_chars(text.data(), text.data() + text.size(), sequence);
  return sequence;
}

}  // namespace

Handling list_streams(Api& api, ExchangePtr exchange) {
  const store::RunId id(exchange->request().argument);
  if (std::optional<Response> refusal = unless_readable(api, id, {})) {
    exchange->reply(std::move(*refusal));
    co_return;
  }
  const store::Result<std::vector<store::StreamInfo>> streams = api.engine.store().streams(id);
  if (!streams) {
    exchange->reply(error_response(streams.status()));
    co_return;
  }
  if (std::optional<Response> refusal = co_await refusal_unless_durable(*exchange, api)) {
    exchange->reply(std::move(*refusal));
    co_return;
  }
  JsonText json;
  json.begin_object().key("data").begin_array();
  for (const store::StreamInfo& stream : *streams) {
    json.begin_object().text("name", stream.name).number("chunks", stream.chunks).number("bytes", stream.bytes);
    json.end_object();
  }
  json.end_array().end_object();
  exchange->reply(ok(json.take()));
}

Handling show_stream(Api& api, ExchangePtr exchange) {
  const Request& request = exchange->request();
  const store::RunId id(request.argument);
  const std::string name = request.second_argument;
  std::optional<QueryFault> fault;
  const std::uint64_t after = number_parameter(request, "after", 0, INT64_MAX, fault).value_or(0);
  const std::uint64_t limit = number_parameter(request, "limit", 1, kMostChunks, fault).value_or(kUsualChunks);
  const bool following = flag_parameter(request, "follow", fault).value_or(false);
  if (fault) {
    exchange->reply(query_error(fault->parameter, fault->message));
    co_return;
  }
  if (std::optional<Response> refusal = unless_readable(api, id, name)) {
    exchange->reply(std::move(*refusal));
    co_return;
  }
  if (following) {
    follow(api, exchange, id, name, after, accepts_events(request) ? Form::kEvents : Form::kLines);
    co_return;
  }
  const store::Result<Chunks> chunks = api.engine.store().read_stream(id, name, after, limit);
  if (!chunks) {
    exchange->reply(error_response(chunks.status()));
    co_return;
  }
  bool more = false;  // a page may be cut by its bytes
  if (!chunks->empty()) {
    const store::Result<Chunks> next = api.engine.store().read_stream(id, name, chunks->back().sequence, 1);
    more = next && !next->empty();
  }
  std::optional<Response> refusal = co_await refusal_unless_durable(*exchange, api);
  exchange->reply(refusal ? std::move(*refusal) : ok(page_document(chunks.value(), limit, more)));
}

Handling follow_stream(Api& api, ExchangePtr exchange) {
  const Request& request = exchange->request();
  const store::RunId id(request.argument);
  if (std::optional<Response> refusal = unless_readable(api, id, request.second_argument)) {
    exchange->reply(std::move(*refusal));
    co_return;
  }
  if (std::optional<Response> refusal = refuse_run(request, "read", api.engine.store(), id)) {
    exchange->reply(std::move(*refusal));
    co_return;
  }
  const std::string* const version = request.header("x-trigger-realtime-streams-version");
  const Form form = version != nullptr && *version == "v2" ? Form::kRecords : Form::kPublic;
  follow(api, exchange, id, request.second_argument, sequence_in(request.header("last-event-id")), form);
}

}  // namespace perdure::api
