// POST /api/v1/runs/{id}/tags: adds tags to a run, all or none. Blank ones are dropped, known ones ignored.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/api/api.h"
#include "host/api/errors.h"
#include "host/api/json_members.h"
#include "host/api/json_text.h"
#include "store/model/json_text.h"

namespace perdure::api {
namespace {

constexpr store::JsonLimits kBodyLimits{std::size_t{64} << 10, 8};

// The tags of {"tags": string or list}, without blank ones; nothing when the body is something else.
std::optional<std::vector<std::string>> tags_in(std::string_view body) {
  if (!store::check_json(body, kBodyLimits)) return std::nullopt;
  const auto members = json_members(body);
  const auto value = members ? find_member(*members, "tags") : std::nullopt;
  if (!value) return std::nullopt;
  std::vector<std::string_view> parts{*value};
  if (const auto elements = json_elements(*value)) parts = *elements;
  std::vector<std::string> tags;
  for (const std::string_view part : parts) {
    const auto tag = json_string(part);
    if (!tag) return std::nullopt;
    if (!trimmed(*tag).empty()) tags.push_back(*tag);
  }
  return tags;
}

std::string said(std::size_t added) {
  if (added == 0) return "No new tags to add";
  return "Successfully set " + std::to_string(added) + " new tag" + (added == 1 ? "." : "s.");
}

}  // namespace

Handling add_tags(Api& api, ExchangePtr exchange) {
  const store::RunId id(exchange->request().argument);
  if (!store::is_run_id(id.text())) {
    exchange->reply(no_such("run", id.text()));
    co_return;
  }
  const std::optional<std::vector<std::string>> tags = tags_in(exchange->request().body);
  if (!tags) {
    exchange->reply(body_error("it must be {\"tags\": a tag, or a list of tags}"));
    co_return;
  }
  const auto ask = [&](store::Done<std::size_t> done) { api.engine.add_tags(id, *tags, std::move(done)); };
  const store::Result<std::size_t> added = co_await until_done<std::size_t>(*exchange, ask);
  if (!added) {
    exchange->reply(error_response(added.status()));
    co_return;
  }
  JsonText json;
  json.begin_object().text("message", said(added.value())).end_object();
  exchange->reply(ok(json.take()));
}

}  // namespace perdure::api
