#include "host/api/batch_lines.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "host/api/errors.h"
#include "host/api/trigger_body.h"
#include "store/model/json_text.h"

namespace perdure::api {
namespace {

// The line is an object around the payload, and that one may be nested as deeply as its own limit says.
constexpr store::JsonLimits kLineLimits{8u << 20, store::kPayloadLimits.depth + 1};

Response wrong_item(std::string_view message) { return error_response(422, message); }

// The same answer, with where in the batch it was found before its sentence.
Response at_line(Response refusal, std::size_t line) {
  const std::optional<std::vector<JsonMember>> members = json_members(refusal.body);
  const auto error = members ? find_member(*members, "error") : std::nullopt;
  const std::string sentence = error ? json_string(*error).value_or("") : "";
  return error_response(refusal.status, "line " + std::to_string(line) + ": " + sentence);
}

}  // namespace

std::variant<BatchLine, Response> read_batch_line(std::string_view line, std::uint32_t count, store::Time now,
                                                  bool allow_pending, const Packets* packets) {
  if (const store::Status checked = store::check_json(line, kLineLimits, "the item"); !checked) {
    return error_response(400, checked.message());
  }
  const std::optional<std::vector<JsonMember>> members = json_members(line);
  if (!members) return error_response(400, "an item is an object: {\"index\": 0, \"task\": ..., \"payload\": ...}");
  BatchLine item;
  item.text = line;
  const std::string_view index = find_member(*members, "index").value_or("");
  const auto [end, failed] = std::from_chars(index.data(), index.data() + index.size(), item.index);
  if (index.empty() || failed != std::errc() || end != index.data() + index.size()) {
    return wrong_item("an item has its \"index\" in the batch, a whole number from 0");
  }
  if (item.index >= count) {
    return wrong_item("the index " + std::to_string(item.index) + " is none of a batch of " + std::to_string(count) +
                      " items, which count from 0");
  }
  const std::string task = json_string(find_member(*members, "task").value_or("")).value_or("");
  if (!store::is_task_id(task)) return wrong_item("an item names its \"task\", by its id");
  engine::TriggerRequest& request = item.request;
  request.task = store::TaskId(task);
  request.payload = "null";
  request.allow_pending = allow_pending;
  request.options.payload_type = "application/json";
  if (const auto options = find_member(*members, "options"); options && *options != "null") {
    if (std::optional<Response> refusal = read_trigger_options(*options, now, request)) return std::move(*refusal);
  }
  if (const auto payload = find_member(*members, "payload")) {
    std::optional<Response> refusal = unpack_payload(*payload, request, packets);
    if (refusal) return std::move(*refusal);
  }
  return item;
}

std::variant<BatchLines, Response> read_batch_lines(std::string_view body, std::uint32_t count, store::Time now,
                                                    bool allow_pending, const Packets* packets) {
  BatchLines lines;
  std::size_t number = 0;
  while (!body.empty()) {
    const std::size_t end = std::min(body.find('\n'), body.size());
    const std::string_view line = trimmed(body.substr(0, end));
    body.remove_prefix(std::min(end + 1, body.size()));
    ++number;
    if (line.empty()) continue;
    std::variant<BatchLine, Response> read = read_batch_line(line, count, now, allow_pending, packets);
    if (Response* const refusal = std::get_if<Response>(&read)) return at_line(std::move(*refusal), number);
    auto& item = std::get<BatchLine>(read);
    const std::uint32_t index = item.index;
    if (!lines.items.emplace(index, std::move(item)).second) ++lines.repeated;
  }
  return lines;
}

}  // namespace perdure::api
