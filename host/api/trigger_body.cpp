#include "host/api/trigger_body.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "host/api/errors.h"
#include "host/api/json_members.h"
#include "host/api/json_text.h"
#include "store/model/json_text.h"

namespace perdure::api {
namespace {

// The body is an object around the payload, and that one may be nested as deeply as its own limit says.
constexpr store::JsonLimits kBodyLimits{8u << 20, store::kPayloadLimits.depth + 1};

// Bytes of superjson's notes that are kept with the run, for those who follow it; beyond, they see plain JSON.
constexpr std::size_t kMostNotes = 16u << 10;

Response too_large() {
  return error_response(413, "the payload has more than " + std::to_string(store::kPayloadLimits.bytes) +
                                 " bytes: store it elsewhere and send where");
}

// Unpacks the text of a packet that is JSON, or a superjson document.
std::optional<Response> unpack_json(std::string text, bool check, bool super, engine::TriggerRequest& request) {
  if (text.size() > store::kPayloadLimits.bytes) return too_large();
  if (check) {
    const store::Status checked = store::check_json(text, store::kPayloadLimits, "the payload");
    if (!checked) {
      return body_error(checked.message() +
                        "; a payload that is a string must hold JSON, unless options.payloadType is text/plain");
    }
  }
  if (!super) {
    request.payload = std::move(text);
    return std::nullopt;
  }
  const std::optional<std::vector<JsonMember>> members = json_members(text);
  const std::optional<std::string_view> json = members ? find_member(*members, "json") : std::nullopt;
  if (!json) return body_error("the payload is no superjson document: it has no member \"json\"");
  request.payload = *json;
  const std::string_view notes = find_member(*members, "meta").value_or("");
  if (notes.size() <= kMostNotes && notes != "null") request.options.payload_notes = notes;
  return std::nullopt;
}

constexpr std::string_view kSuper = "application/super+json";

std::optional<Response> unpack_stored(std::string_view value, const Packets& packets, engine::TriggerRequest& request) {
  const std::optional<std::string> name = json_string(value);
  if (!name) return body_error("a payload of the type application/store must be the name of a packet");
  store::Result<Packet> packet = packets.get(*name, std::chrono::steady_clock::now());
  if (!packet) return error_response(422, packet.status().message());
  if (packet->type != "text/plain") {
    return unpack_json(std::move(packet->text), true, packet->type == kSuper, request);
  }
  if (packet->text.size() > store::kPayloadLimits.bytes) return too_large();
  JsonText json;
  request.payload = json.text(packet->text).take();
  return std::nullopt;
}

}  // namespace

std::optional<Response> unpack_payload(std::string_view value, engine::TriggerRequest& request,
                                       const Packets* packets) {
  const std::string& type = request.options.payload_type;
  request.options.payload_notes.clear();
  const bool is_text = value.starts_with('"');
  if (type == "text/plain") {
    if (!is_text) return body_error("a payload of the type text/plain must be a string");
    if (value.size() > store::kPayloadLimits.bytes) return too_large();
    request.payload = value;  // as JSON, it is the string that it is written as
    return std::nullopt;
  }
  if (type == "application/store" && packets != nullptr) return unpack_stored(value, *packets, request);
  const bool super = type == kSuper;
  if (!super && type != "application/json") {
    return option_error("payloadType",
                        "must be application/json, application/super+json or text/plain, or application/store for a "
                        "packet that was uploaded before");
  }
  // The contract's packet is a string that holds JSON; others send the JSON value itself.
  if (!is_text) return unpack_json(std::string(value), false, super, request);
  std::optional<std::string> unquoted = json_string(value);
  if (!unquoted) return body_error("the payload has a broken \\u escape");
  return unpack_json(std::move(*unquoted), true, super, request);
}

std::variant<engine::TriggerRequest, Response> parse_trigger(const store::TaskId& task, std::string_view body,
                                                             store::Time now, bool allow_pending,
                                                             const Packets* packets) {
  engine::TriggerRequest request;
  request.task = task;
  request.payload = "null";
  request.allow_pending = allow_pending;
  request.options.payload_type = "application/json";
  if (trimmed(body).empty()) return request;
  if (const store::Status checked = store::check_json(body, kBodyLimits, "the body"); !checked) {
    return body_error(checked.message());
  }
  const std::optional<std::vector<JsonMember>> members = json_members(body);
  if (!members) return body_error("it must be an object such as {\"payload\": ..., \"options\": {...}}");
  const auto is = [](std::string_view name) { return [name](const JsonMember& each) { return each.name == name; }; };
  if (!members->empty() && std::ranges::none_of(*members, is("payload")) &&
      std::ranges::none_of(*members, is("options"))) {
    return body_error("it has neither \"payload\" nor \"options\": write {\"payload\": what the task is to get}");
  }
  for (const JsonMember& member : *members) {
    if (is_trigger_option(member.name)) {
      return body_error("\"" + std::string(member.name) + "\" is an option: write {\"payload\": ..., \"options\": {\"" +
                        std::string(member.name) + "\": ...}}");
    }
  }
  if (const std::optional<std::string_view> options = find_member(*members, "options"); options && *options != "null") {
    if (std::optional<Response> refusal = read_trigger_options(*options, now, request)) return std::move(*refusal);
  }
  if (const std::optional<std::string_view> payload = find_member(*members, "payload")) {
    std::optional<Response> refusal = unpack_payload(*payload, request, packets);
    if (refusal) return std::move(*refusal);
  }
  return request;
}

}  // namespace perdure::api
