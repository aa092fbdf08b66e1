#include "host/api/schedule_body.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/api/errors.h"
#include "host/api/json_members.h"
#include "store/model/json_text.h"
#include "store/model/timestamp.h"
#include "store/model/timetable.h"

namespace perdure::api {
namespace {

constexpr store::JsonLimits kBodyLimits{std::size_t{64} << 10, 8};
constexpr std::size_t kLongestText = 2048;

// The texts of an object, by name. The first thing that is wrong becomes `refusal`.
class Texts {
 public:
  Texts(std::string_view body, std::string_view example) {
    if (store::Status checked = store::check_json(body, kBodyLimits, "the body"); !checked) {
      refusal = body_error(checked.message());
    } else if (auto members = json_members(body)) {
      members_ = std::move(*members);
    } else {
      refusal = body_error("it must be an object such as " + std::string(example));
    }
  }

  std::optional<std::string> text(std::string_view name, bool required = false) {
    const std::optional<std::string_view> value = find_member(members_, name);
    if (!value || *value == "null") {
      if (required) refuse(name, "is missing");
      return std::nullopt;
    }
    std::optional<std::string> text = json_string(*value);
    if (!text) {
      refuse(name, "must be a string");
    } else if (text->size() > kLongestText || (required && trimmed(*text).empty())) {
      refuse(name, "must have 1 to " + std::to_string(kLongestText) + " bytes");
    }
    return text;
  }

  std::optional<Response> refusal;

 private:
  void refuse(std::string_view name, const std::string& what) {
    if (!refusal) refusal = body_error("\"" + std::string(name) + "\" " + what);
  }

  std::vector<JsonMember> members_;
};

Response unknown(std::string_view name, std::string_view value, std::string_view expected) {
  return error_response(422, "\"" + std::string(name) + "\" must be one of " + std::string(expected) + ", not \"" +
                                 std::string(value.substr(0, 60)) + "\"");
}

}  // namespace

std::variant<engine::ScheduleRequest, Response> read_schedule(std::string_view body, ScheduleBody kind) {
  Texts in(body, R"({"task": "report", "cron": "0 9 * * MON-FRI", "deduplicationKey": "daily report"})");
  engine::ScheduleRequest request;
  request.task = store::TaskId(in.text("task", true).value_or(""));
  request.rule.pattern = in.text("cron", true).value_or("");
  if (kind == ScheduleBody::kCreate) request.deduplication_key = in.text("deduplicationKey", true).value_or("");
  request.external_id = in.text("externalId").value_or("");
  if (auto timezone = in.text("timezone")) request.rule.timezone = std::move(*timezone);
  request.rule.window = in.text("window").value_or("");
  const std::optional<std::string> catch_up = in.text("catchUp");
  const std::optional<std::string> overlap = in.text("overlap");
  if (in.refusal) return std::move(*in.refusal);
  if (catch_up) {
    const std::optional<store::CatchUp> known = store::parse_catch_up(*catch_up);
    if (!known) return unknown("catchUp", *catch_up, "none, latest, all");
    request.rule.catch_up = *known;
  }
  if (overlap) {
    const std::optional<store::Overlap> known = store::parse_overlap(*overlap);
    if (!known) return unknown("overlap", *overlap, "allow, skip, queue_one, cancel_previous");
    request.rule.overlap = *known;
  }
  const store::Result<store::Timetable> timetable = store::Timetable::parse(request.rule);
  if (!timetable) return error_response(timetable.status());
  return request;
}

std::variant<BackfillRange, Response> read_backfill(std::string_view body) {
  constexpr std::string_view kExample = R"({"from": "2026-11-01T00:00:00Z", "to": "2026-11-08T00:00:00Z"})";
  Texts in(body, kExample);
  BackfillRange range;
  for (const auto& [name, time] : {std::pair{"from", &range.from}, std::pair{"to", &range.to}}) {
    const std::optional<std::string> text = in.text(name, true);
    if (in.refusal) return std::move(*in.refusal);
    const store::Result<store::Time> read = store::parse_time(*text);
    if (!read) return body_error("\"" + std::string(name) + "\": " + read.status().message());
    *time = *read;
  }
  if (range.to < range.from) return body_error("\"to\" is before \"from\"; send " + std::string(kExample));
  return range;
}

}  // namespace perdure::api
