// POST /api/v1/runs/{id}/reschedule: a run that is DELAYED by its trigger starts at another time. A run that waits for
// its next attempt is no delayed one: clients are told that it is QUEUED.
#include <optional>
#include <string>
#include <utility>

#include "host/api/api.h"
#include "host/api/errors.h"
#include "host/api/json_members.h"
#include "store/model/delay.h"
#include "store/model/json_text.h"

namespace perdure::api {
namespace {

constexpr store::JsonLimits kBodyLimits{std::size_t{64} << 10, 8};

store::Result<store::Delay> delay_in(std::string_view body) {
  const store::Status expected =
      store::Status::invalid("it must be {\"delay\": a duration such as \"1h30m\", or an ISO 8601 time}");
  if (!store::check_json(body, kBodyLimits)) return expected;
  const auto members = json_members(body);
  const auto value = members ? find_member(*members, "delay") : std::nullopt;
  const auto text = value ? json_string(*value) : std::nullopt;
  return text ? store::parse_delay(*text) : expected;
}

}  // namespace

Handling reschedule_run(Api& api, ExchangePtr exchange) {
  const store::RunId id(exchange->request().argument);
  if (!store::is_run_id(id.text())) {
    exchange->reply(no_such("run", id.text()));
    co_return;
  }
  const store::Result<store::Delay> delay = delay_in(exchange->request().body);
  if (!delay) {
    exchange->reply(body_error(delay.status().message()));
    co_return;
  }
  const auto ask = [&](store::Done<store::Run> done) { api.engine.reschedule(id, *delay, std::move(done)); };
  const store::Result<store::Run> run = co_await until_done<store::Run>(*exchange, ask);
  if (!run) {
    const bool refused = run.status().code() == store::Code::kConflict;
    exchange->reply(refused ? error_response(400, run.status().message()) : error_response(run.status()));
    co_return;
  }
  retrieve_run(api, std::move(exchange));
}

}  // namespace perdure::api
