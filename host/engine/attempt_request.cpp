#include "host/engine/attempt_request.h"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <charconv>

#include "store/model/json_text.h"

namespace perdure::engine {
namespace {

namespace json = boost::json;
using protocol::ReplyStatus;

constexpr store::JsonLimits kRequestLimits{std::size_t{512} << 10, 130};

ReplyStatus status_of(store::Code code) {
  switch (code) {
    case store::Code::kOk:
      return ReplyStatus::kOk;
    case store::Code::kNotFound:
      return ReplyStatus::kNotFound;
    case store::Code::kInvalid:
      return ReplyStatus::kInvalid;
    default:
      return ReplyStatus::kFailed;
  }
}

json::object shown(std::uint64_t number, store::CallKind kind, const std::string& name) {
  const std::uint64_t place = number & ((std::uint64_t{1} << protocol::kCallerShift) - 1);
  return {{"call", place}, {"kind", store::call_kind_name(kind)}, {"name", name}};
}

}  // namespace

store::Result<std::vector<store::JsonMember>> members_of(const std::string& json) {
  if (store::Status checked = store::check_json(json, kRequestLimits, "the request"); !checked) return checked;
  std::optional<std::vector<store::JsonMember>> members = store::json_members(json);
  if (!members) return store::Status::invalid("a request is a JSON object");
  return std::move(*members);
}

std::string text_member(const std::vector<store::JsonMember>& members, std::string_view name) {
  const auto value = store::find_member(members, name);
  return value ? store::json_string(*value).value_or("") : "";
}

std::uint64_t number_member(const std::vector<store::JsonMember>& members, std::string_view name) {
  const auto value = store::find_member(members, name);
  std::uint64_t number = 0;
  if (!value) return 0;
  const auto [end, failed] = std::from_chars(value->data(), value->data() + value->size(), number);
  const bool whole = failed == std::errc() && end == value->data() + value->size();
  return whole && number <= std::uint64_t{1} << 63 ? number : 0;
}

process::AttemptReply reply_of(const store::Status& status) { return {status_of(status.code()), status.message(), {}}; }

process::AttemptReply call_reply(const store::Store& store, const store::RunId& run, const AskedCall& asked,
                                 const store::Status& status) {
  if (status.code() != store::Code::kConflict) return reply_of(status);
  const store::Result<store::RecordedCall> recorded = store.recorded_call(run, asked.number);
  if (!recorded || check_same_call(run, *recorded, asked.kind, asked.name)) return reply_of(status);
  const json::object error{{"name", "STEP_MISMATCH"},
                           {"message", status.message()},
                           {"details", json::object{{"expected", shown(asked.number, recorded->kind, recorded->name)},
                                                    {"got", shown(asked.number, asked.kind, asked.name)}}}};
  return {ReplyStatus::kMismatch, json::serialize(error), status.message()};
}

}  // namespace perdure::engine
