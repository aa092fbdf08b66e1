// GET /realtime/v1/runs?tags=a,b: all runs that have these tags live, the new ones too. GET /realtime/v1/batches/{id}:
// all runs of a batch.
#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/api/access.h"
#include "host/api/durable.h"
#include "host/api/errors.h"
#include "host/api/query.h"
#include "host/api/realtime/run_sets.h"
#include "host/api/realtime/shape.h"
#include "host/api/related_runs.h"

namespace perdure::api {
namespace {

constexpr std::size_t kMostRows = 1000;  // of the first answer: the newest
constexpr store::Duration kUsualPast = std::chrono::hours(24);

// "3_0": a client that has got answer number 3.
std::string offset_of(std::uint64_t answer) { return std::to_string(answer) + "_0"; }

std::optional<std::uint64_t> answer_in(const std::string& offset) {
  std::uint64_t answer = 0;
  const auto [end, error] = std::from_chars(offset.data(), offset.data() + offset.size(), answer);
  const bool whole = error == std::errc() && std::string_view(end, offset.data() + offset.size()) == "_0";
  return whole ? std::optional(answer) : std::nullopt;
}

// Adds the run's row when it is another than the one that was sent last.
void add_row(const store::Store& store, RunSet& set, const store::Run& stored, const ShapeQuery& query,
             ShapeMessages& messages, std::vector<store::RunId>& added) {
  const store::Run run = as_it_is(store, stored);
  const std::string changing_row = row_of(store, run, changing(query.columns));
  const RunSet::Sending sending = set.send(run.id, mark_of(changing_row));
  if (!sending.news) return;
  if (sending.first) {
    messages.add(Operation::kInsert, run.id, row_of(store, run, query.columns));
  } else {
    messages.add(Operation::kUpdate, run.id, changing_row);
  }
  added.push_back(run.id);
}

// The newest runs of the set.
store::Result<std::vector<store::Run>> runs_of(const store::Store& store, const RunSet& set) {
  store::RunFilter filter;
  if (!set.rule().tags.empty()) filter.tags = {set.rule().tags.front()};
  filter.batch = set.rule().batch;
  if (set.rule().since > store::Time{}) filter.from = set.rule().since;
  filter.limit = 100;
  std::vector<store::Run> runs;
  for (;;) {
    store::Result<store::RunPage> page = store.list(filter);
    if (!page) return page.status();
    for (store::Run& run : page->runs) {
      if (set.has(run) && runs.size() < kMostRows) runs.push_back(std::move(run));
    }
    if (!page->more_after || page->after.empty() || runs.size() >= kMostRows) return runs;
    filter.after = page->after;
  }
}

Response first_answer(Api& api, const ShapeQuery& query, RunSetRule rule) {
  const std::shared_ptr<RunSet> set = api.sets.add(std::move(rule));
  if (!set) return error_response(503, "there are too many subscriptions; try again in some time");
  // It is told of changes already, so none is missed between here and the next request.
  const auto runs = runs_of(api.engine.store(), *set);
  if (!runs) return error_response(runs.status());
  ShapeMessages messages;
  std::vector<store::RunId> added;
  for (const store::Run& run : *runs) add_row(api.engine.store(), *set, run, query, messages, added);
  return std::move(messages).answer(query, offset_of(0), set->handle());
}

// What a live request has found.
struct News {
  ShapeMessages messages;
  std::vector<store::RunId> runs;
  bool lost = false;  // the client has to begin again
};

News news_of(Api& api, RunSet& set, std::uint64_t answer, const ShapeQuery& query) {
  News news;
  auto changed = set.take(answer);
  news.lost = !changed;
  if (!changed) return news;
  std::ranges::sort(*changed);
  for (const store::RunId& id : *changed) {
    if (const auto run = api.engine.store().run(id)) {
      add_row(api.engine.store(), set, *run, query, news.messages, news.runs);
    }
  }
  return news;
}

Handling follow(Api& api, ExchangePtr exchange, ShapeQuery query, std::shared_ptr<RunSet> set, std::uint64_t answer) {
  const SteadyTime deadline = held_until(api, exchange->request());
  const std::shared_ptr<Signal> signal = exchange->signal();
  exchange->hold();
  set->wake(signal);
  News news;
  for (;;) {
    news = news_of(api, *set, answer, query);
    const bool some = news.lost || !news.runs.empty();
    if (some || exchange->hurried() || std::chrono::steady_clock::now() >= deadline) break;
    co_await signal->wait(deadline);
  }
  if (news.lost) {
    exchange->reply(must_refetch());
    co_return;
  }
  if (news.runs.empty()) {
    exchange->reply(std::move(news.messages).answer(query, offset_of(answer), set->handle()));
    co_return;
  }
  set->answered(answer + 1, news.runs);
  // A client that gets the refusal asks for the same again.
  std::optional<Response> refusal = co_await refusal_unless_durable(*exchange, api);
  exchange->reply(refusal ? std::move(*refusal)
                          : std::move(news.messages).answer(query, offset_of(answer + 1), set->handle()));
}

Handling subscribe(Api& api, ExchangePtr exchange, RunSetRule rule) {
  const ShapeQuery query = read_shape_query(exchange->request());
  if (query.live) {
    const std::shared_ptr<RunSet> set = api.sets.find(query.handle);
    const auto answer = answer_in(query.offset);
    if (!set || !answer || set->rule().tags != rule.tags || set->rule().batch != rule.batch) {
      exchange->reply(must_refetch());
      co_return;
    }
    follow(api, exchange, query, set, *answer);
    co_return;
  }
  Response response = first_answer(api, query, std::move(rule));
  std::optional<Response> refusal = co_await refusal_unless_durable(*exchange, api);
  exchange->reply(refusal ? std::move(*refusal) : std::move(response));
}

}  // namespace

Handling subscribe_tags(Api& api, ExchangePtr exchange) {
  Request& request = exchange->request();
  RunSetRule rule{.tags = list_parameter(request, "tags"), .since = wall_clock() - kUsualPast};
  std::optional<QueryFault> fault;
  if (const auto past = duration_parameter(request, "createdAt", fault)) rule.since = wall_clock() - *past;
  if (rule.tags.empty()) fault = {"tags", "tags must name at least one tag"};
  if (fault) {
    exchange->reply(query_error(fault->parameter, fault->message));
    co_return;
  }
  if (std::optional<Response> refusal = refuse_tags(request, rule.tags)) {
    exchange->reply(std::move(*refusal));
    co_return;
  }
  subscribe(api, exchange, std::move(rule));
}

Handling subscribe_batch(Api& api, ExchangePtr exchange) {
  const store::BatchId id(exchange->request().argument);
  const store::Result<store::Batch> batch = api.engine.store().batch(id);
  if (!batch) {
    exchange->reply(batch.status().code() == store::Code::kNotFound ? no_such("batch", id.text())
                                                                    : error_response(batch.status()));
    co_return;
  }
  subscribe(api, exchange, {.batch = id});
}

}  // namespace perdure::api
