// GET /realtime/v1/runs/{id}: one run live. Nothing is kept between two requests: the offset that the client brings has
// a mark of the row that it was sent, so that whatever happened to the run in between is seen by comparing.
#include <optional>
#include <string>
#include <utility>

#include "host/api/access.h"
#include "host/api/durable.h"
#include "host/api/errors.h"
#include "host/api/realtime/shape.h"
#include "host/api/related_runs.h"

namespace perdure::api {
namespace {

struct Look {
  std::optional<Response> refusal;
  std::string offset;
  std::string row;  // when it is asked for
};

// The run as it is now. Its row is made for its mark in any case; what is not sent is not kept while the request waits.
Look look_at(const Api& api, const Request& request, const store::RunId& id, const ShapeQuery& query) {
  Look look;
  const store::Store& store = api.engine.store();
  const store::Result<store::Run> stored = store.run(id);
  if (!stored) {
    look.refusal =
        stored.status().code() == store::Code::kNotFound ? no_such("run", id.text()) : error_response(stored.status());
    return look;
  }
  look.refusal = refuse_run(request, "read", *stored);
  if (look.refusal) return look;
  const store::Run run = as_it_is(store, *stored);
  std::string row = row_of(store, run, changing(query.columns));
  look.offset = std::to_string(run.updated_at.time_since_epoch().count()) + "_" + std::to_string(mark_of(row));
  if (!query.live) row = row_of(store, run, query.columns);
  if (!query.live || look.offset != query.offset) look.row = std::move(row);
  return look;
}

}  // namespace

Handling subscribe_run(Api& api, ExchangePtr exchange) {
  const store::RunId id(exchange->request().argument);
  if (!store::is_run_id(id.text())) {
    exchange->reply(no_such("run", id.text()));
    co_return;
  }
  const ShapeQuery query = read_shape_query(exchange->request());
  const SteadyTime deadline = held_until(api, exchange->request());
  const std::shared_ptr<Signal> signal = exchange->signal();
  // Before the first look, so that no change is missed.
  std::unique_ptr<engine::Subscription> watching;
  if (query.live) {
    exchange->hold();
    watching = api.engine.watch(id, [signal] { signal->notify(); });
  }
  Look look;
  for (;;) {
    look = look_at(api, exchange->request(), id, query);
    const bool news = look.refusal || !look.row.empty();
    if (news || exchange->hurried() || std::chrono::steady_clock::now() >= deadline) break;
    co_await signal->wait(deadline);
  }
  watching.reset();
  if (look.refusal) {
    exchange->reply(std::move(*look.refusal));
    co_return;
  }
  if (!look.row.empty()) {
    if (std::optional<Response> refusal = co_await refusal_unless_durable(*exchange, api)) {
      exchange->reply(std::move(*refusal));
      co_return;
    }
  }
  ShapeMessages messages;
  if (!look.row.empty()) messages.add(query.live ? Operation::kUpdate : Operation::kInsert, id, look.row);
  exchange->reply(std::move(messages).answer(query, look.offset, "run-" + id.text()));
}

}  // namespace perdure::api
