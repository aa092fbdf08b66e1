// Batches, in two phases: POST /api/v3/batches makes one that waits for its items, POST …/items brings them, and with
// the last of them all of its runs come to be at once; GET /api/v2/batches/{id}.
#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "host/api/access.h"
#include "host/api/api.h"
#include "host/api/batch_lines.h"
#include "host/api/durable.h"
#include "host/api/errors.h"
#include "host/api/json_members.h"
#include "host/api/json_text.h"
#include "host/api/run_result.h"
#include "host/api/token_header.h"
#include "store/model/batch.h"
#include "store/model/duration.h"
#include "store/model/json_text.h"

namespace perdure::api {
namespace {

constexpr store::JsonLimits kBodyLimits{1u << 20, 32};

Response no_such_batch(const store::BatchId& id) { return no_such("batch", id.text()); }

std::variant<store::NewBatch, Response> read_new_batch(std::string_view body) {
  if (const store::Status checked = store::check_json(body, kBodyLimits, "the body"); !checked) {
    return body_error(checked.message());
  }
  const std::optional<std::vector<JsonMember>> members = json_members(body);
  const std::string_view count = members ? find_member(*members, "runCount").value_or("") : "";
  store::NewBatch batch;
  const auto [end, failed] = std::from_chars(count.data(), count.data() + count.size(), batch.run_count);
  if (count.empty() || failed != std::errc() || end != count.data() + count.size() || batch.run_count == 0) {
    return body_error("it must be an object with \"runCount\", how many items the batch has: from 1");
  }
  if (batch.run_count > store::kMostBatchItems) {
    return error_response(422, "a batch has at most " + std::to_string(store::kMostBatchItems) + " items, not " +
                                   std::to_string(batch.run_count) + "; make several");
  }
  if (const auto key = find_member(*members, "idempotencyKey"); key && *key != "null") {
    batch.idempotency_key = json_string(*key).value_or("");
    if (batch.idempotency_key.empty() || batch.idempotency_key.size() > store::kLongestBatchKey) {
      return error_response(422, "idempotencyKey must be a string of 1 to 2048 bytes");
    }
  }
  if (const auto ttl = find_member(*members, "idempotencyKeyTTL")) {  // by contract, what is none is ignored
    const auto read = store::parse_idempotency_ttl(json_string(*ttl).value_or(""));
    batch.idempotency_ttl = read.value_or(batch.idempotency_ttl);
  }
  return batch;
}

constexpr std::string_view kOfToken = "one-time token ";  // begins the key of a batch that such a token made

void put_key(JsonText& json, const store::Batch& batch) {
  const std::string& key = batch.idempotency_key;
  if (!key.empty() && !key.starts_with(kOfToken)) json.text("idempotencyKey", key);
}

Response created(const Api& api, const Request& request, const store::Batch& batch) {
  JsonText json;
  json.begin_object().text("id", batch.id.text()).number("runCount", batch.run_count);
  json.boolean("isCached", batch.sealed_at.has_value());
  put_key(json, batch);
  json.end_object();
  Response response = ok(json.take());
  response.status = 202;
  hand_back_token(api, request, "read:batch:" + batch.id.text(), kRunTokenLifetime, response);
  return response;
}

Response taken(const store::BatchId& id, std::size_t accepted, std::size_t repeated) {
  JsonText json;
  json.begin_object().text("id", id.text()).number("itemsAccepted", accepted);
  json.number("itemsDeduplicated", repeated).boolean("sealed", true).end_object();
  return ok(json.take());
}

Response kept(const store::Batch& batch, std::size_t accepted, std::size_t repeated, std::size_t there) {
  JsonText json;
  json.begin_object().text("id", batch.id.text()).number("itemsAccepted", accepted);
  json.number("itemsDeduplicated", repeated).boolean("sealed", false);
  json.number("enqueuedCount", there).number("expectedCount", batch.run_count).end_object();
  return ok(json.take());
}

// What has become of a batch's runs; those that were removed were over.
struct Progress {
  std::size_t unfinished = 0, completed = 0, unsuccessful = 0, removed = 0;
  std::optional<store::Time> last_end;
};
store::Result<Progress> progress_of(const store::Store& store, const store::Batch& batch) {
  Progress progress;
  for (const store::RunId& id : batch.runs) {
    if (id.empty()) continue;
    const store::Result<store::Run> run = store.run(id);
    if (!run && run.status().code() != store::Code::kNotFound) return run.status();
    if (!run) {
      ++progress.removed;
    } else if (!store::is_final(run->status)) {
      ++progress.unfinished;
    } else {
      ++(run->status == store::RunStatus::kCompleted ? progress.completed : progress.unsuccessful);
      if (run->finished_at)
        progress.last_end = std::max(progress.last_end.value_or(*run->finished_at), *run->finished_at);
    }
  }
  return progress;
}

Response document(const store::Batch& batch, const Progress& progress) {
  const bool over = batch.sealed_at && progress.unfinished == 0;
  const store::Time updated = batch.sealed_at.value_or(batch.created_at);
  JsonText json;
  json.begin_object().text("id", batch.id.text());
  json.text("status", store::batch_status_name(store::batch_status(batch, over)));
  json.time("createdAt", batch.created_at);
  json.time("updatedAt", over ? std::max(updated, progress.last_end.value_or(updated)) : updated);
  json.number("runCount", batch.run_count);
  put_key(json, batch);
  if (!batch.parent.empty()) json.text("parentRunId", batch.parent.text());
  json.key("runs").begin_array();
  for (const store::RunId& run : batch.runs) {
    if (!run.empty()) json.text(run.text());
  }
  json.end_array().key("progress").begin_object();
  json.number("unfinished", progress.unfinished).number("completed", progress.completed);
  json.number("unsuccessful", progress.unsuccessful).number("removed", progress.removed).end_object();
  json.key("processing").begin_object();
  if (batch.sealed_at && batch.faults.empty()) json.time("completedAt", *batch.sealed_at);
  json.key("errors").begin_array();
  for (const store::BatchFault& fault : batch.faults) {
    json.begin_object().number("index", fault.index).text("taskIdentifier", fault.task.text());
    json.text("error", fault.message).text("errorCode", "TRIGGER_FAILED").end_object();
  }
  json.end_array().end_object().end_object();
  return ok(json.take());
}

// The lines that are kept of the batch, put among those that came now. Those that came twice are counted.
std::optional<Response> add_kept(const std::map<std::uint32_t, std::string>& kept_lines, const store::Batch& batch,
                                 bool allow_pending, const Packets& packets, BatchLines& lines) {
  for (const auto& [index, text] : kept_lines) {
    std::variant<BatchLine, Response> read =
        read_batch_line(text, batch.run_count, wall_clock(), allow_pending, &packets);
    if (Response* const refusal = std::get_if<Response>(&read)) return std::move(*refusal);
    if (!lines.items.insert_or_assign(index, std::move(std::get<BatchLine>(read))).second) ++lines.repeated;
  }
  return std::nullopt;
}

// A public access token that is good for one trigger is good for one batch: its digest is that batch's key, so that the
// store knows what it was used for. Until the batch is sealed it may be asked for again, by a client that lost the
// answer.
const auth::PublicToken* one_time_token(const Request& request) {
  const bool one_time = request.caller && request.caller->token && request.caller->token->one_time;
  return one_time ? &*request.caller->token : nullptr;
}

void bind_to_token(const Request& request, store::NewBatch& batch) {
  const auth::PublicToken* const token = one_time_token(request);
  if (token == nullptr) return;
  batch.idempotency_key = std::string(kOfToken) + token->digest;
  batch.idempotency_ttl = token->expires - wall_clock();
}

// Why the caller may add no items to this batch.
std::optional<Response> refuse_batch_of_another(const Request& request, const store::Batch& batch) {
  const auth::PublicToken* const token = one_time_token(request);
  if (token == nullptr || batch.idempotency_key == std::string(kOfToken) + token->digest) return std::nullopt;
  return error_response(403, "the public access token is good for the batch that was made with it, and no other");
}

// Whether the caller may make a batch of the tasks that the body names, if it names any; the items are looked at when
// they come.
std::optional<Response> refuse_named_tasks(const Request& request) {
  const auto members = store::check_json(request.body, kBodyLimits) ? json_members(request.body) : std::nullopt;
  const auto named = members ? find_member(*members, "taskIdentifiers") : std::nullopt;
  const auto tasks = named ? json_elements(*named) : std::nullopt;
  if (!tasks) return std::nullopt;
  for (const std::string_view task : *tasks) {
    if (auto refusal = refuse_batch_trigger(request, json_string(task).value_or(""))) return refusal;
  }
  return std::nullopt;
}

std::optional<Response> refuse_items(const Request& request, const BatchLines& lines) {
  for (const auto& [index, line] : lines.items) {
    if (auto refusal = refuse_batch_trigger(request, line.request.task.text())) return refusal;
  }
  return std::nullopt;
}

}  // namespace

Handling create_batch(Api& api, ExchangePtr exchange) {
  if (std::optional<Response> refusal = refuse_named_tasks(exchange->request())) {
    exchange->reply(std::move(*refusal));
    co_return;
  }
  std::variant<store::NewBatch, Response> read = read_new_batch(exchange->request().body);
  if (Response* const refusal = std::get_if<Response>(&read)) {
    exchange->reply(std::move(*refusal));
    co_return;
  }
  bind_to_token(exchange->request(), std::get<store::NewBatch>(read));
  const auto ask = [&](store::Done<store::Batch> done) {
    api.engine.create_batch(std::get<store::NewBatch>(std::move(read)), std::move(done));
  };
  const store::Result<store::Batch> batch = co_await until_done<store::Batch>(*exchange, ask);
  if (batch && batch->sealed_at && one_time_token(exchange->request()) != nullptr) {
    exchange->reply(error_response(422, "the public access token was good for one batch, which was made"));
    co_return;
  }
  exchange->reply(batch ? created(api, exchange->request(), *batch) : error_response(batch.status()));
}

Handling add_batch_items(Api& api, ExchangePtr exchange) {
  const store::BatchId id(exchange->request().argument);
  const store::Result<store::Batch> batch = api.engine.store().batch(id);
  if (!batch) {
    exchange->reply(batch.status().code() == store::Code::kNotFound ? no_such_batch(id)
                                                                    : error_response(batch.status()));
    co_return;
  }
  if (std::optional<Response> refusal = refuse_batch_of_another(exchange->request(), *batch)) {
    exchange->reply(std::move(*refusal));
    co_return;
  }
  std::variant<BatchLines, Response> read = read_batch_lines(exchange->request().body, batch->run_count, wall_clock(),
                                                             api.options.allow_pending, &api.packets);
  if (Response* const refusal = std::get_if<Response>(&read)) {
    exchange->reply(std::move(*refusal));
    co_return;
  }
  auto& lines = std::get<BatchLines>(read);
  if (std::optional<Response> refusal = refuse_items(exchange->request(), lines)) {
    exchange->reply(std::move(*refusal));
    co_return;
  }
  const std::size_t sent = lines.items.size() + lines.repeated;
  if (batch->sealed_at) {
    std::optional<Response> refusal = co_await refusal_unless_durable(*exchange, api);
    exchange->reply(refusal ? std::move(*refusal) : taken(id, 0, sent));
    co_return;
  }
  const store::Result<std::map<std::uint32_t, std::string>> before = api.engine.store().kept_items(id);
  if (!before) {
    exchange->reply(error_response(before.status()));
    co_return;
  }
  if (std::optional<Response> refusal = add_kept(*before, *batch, api.options.allow_pending, api.packets, lines)) {
    exchange->reply(std::move(*refusal));
    co_return;
  }
  const std::size_t accepted = sent - lines.repeated;
  if (lines.items.size() < batch->run_count) {
    std::map<std::uint32_t, std::string> items;
    for (const auto& [index, line] : lines.items) items.emplace(index, std::string(line.text));
    const auto keep = [&](store::Done<std::size_t> done) {
      api.engine.store().keep_items(id, std::move(items), std::move(done));
    };
    const store::Result<std::size_t> there = co_await until_done<std::size_t>(*exchange, keep);
    exchange->reply(there ? kept(*batch, accepted, lines.repeated, *there) : error_response(there.status()));
    co_return;
  }
  engine::BatchRequest request;
  request.id = id;
  request.items.reserve(lines.items.size());
  for (auto& [index, line] : lines.items) request.items.push_back(std::move(line.request));
  const auto ask = [&](store::Done<store::Batch> done) {
    api.engine.trigger_batch(std::move(request), std::move(done));
  };
  const store::Result<store::Batch> sealed = co_await until_done<store::Batch>(*exchange, ask);
  exchange->reply(sealed ? taken(id, accepted, lines.repeated) : error_response(sealed.status()));
}

Handling show_batch(Api& api, ExchangePtr exchange) {
  const store::BatchId id(exchange->request().argument);
  const store::Result<store::Batch> batch = api.engine.store().batch(id);
  if (!batch) {
    exchange->reply(batch.status().code() == store::Code::kNotFound ? no_such_batch(id)
                                                                    : error_response(batch.status()));
    co_return;
  }
  const store::Result<Progress> progress = progress_of(api.engine.store(), *batch);
  std::optional<Response> refusal = co_await refusal_unless_durable(*exchange, api);
  if (!progress) refusal = error_response(progress.status());
  exchange->reply(refusal ? std::move(*refusal) : document(*batch, *progress));
}

Handling show_batch_results(Api& api, ExchangePtr exchange) {
  const store::BatchId id(exchange->request().argument);
  const store::Result<store::Batch> batch = api.engine.store().batch(id);
  if (!batch) {
    exchange->reply(batch.status().code() == store::Code::kNotFound ? no_such_batch(id)
                                                                    : error_response(batch.status()));
    co_return;
  }
  JsonText json;
  json.begin_object().text("id", id.text()).key("items").begin_array();
  for (const store::RunId& each : batch->runs) {
    const store::Result<store::Run> run = api.engine.store().run(each);
    if (run && store::is_final(run->status)) put_result(json, api.engine.store(), *run);
  }
  json.end_array().end_object();
  std::optional<Response> refusal = co_await refusal_unless_durable(*exchange, api);
  exchange->reply(refusal ? std::move(*refusal) : ok(json.take()));
}

}  // namespace perdure::api
