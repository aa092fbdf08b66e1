// Target: the bodies and parameters of the HTTP contract, each given to what reads it. Input: a letter for the kind,
// then the body; of parameters a query, of filters lines of NAME=VALUES.
#include <algorithm>
#include <optional>
#include <string>
#include <variant>

#include "host/api/batch_lines.h"
#include "host/api/gzip.h"
#include "host/api/query.h"
#include "host/api/queue_id.h"
#include "host/api/run_filter.h"
#include "host/api/schedule_body.h"
#include "host/api/target.h"
#include "host/api/trigger_body.h"
#include "host/api/waitpoint_body.h"
#include "store/model/json_text.h"
#include "store/model/machine.h"
#include "store/model/metadata.h"
#include "store/model/tags.h"
#include "store/model/timetable.h"
#include "store/model/token.h"
#include "tests/fuzz/answer.h"
#include "tests/fuzz/claim.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/targets.h"

namespace perdure::fuzz {
namespace {

using api::Response;

const store::Time kNow{std::chrono::milliseconds(1'700'000'000'000)};
constexpr std::uint32_t kItems = 8;

bool is_json(std::string_view text) { return store::check_json(text, store::kPayloadLimits).is_ok(); }

const api::Packets& packets() {
  static const api::Packets* const kept = [] {
    auto* made = new api::Packets();
    const auto now = std::chrono::steady_clock::now();
    made->put("json", {"application/json", R"({"a":1})"}, now + std::chrono::hours(24 * 365));
    made->put("super", {"application/super+json", R"({"json":{"a":1}})"}, now + std::chrono::hours(24 * 365));
    made->put("text", {"text/plain", "\xff text"}, now + std::chrono::hours(24 * 365));
    return made;
  }();
  return *kept;
}

void claim_trigger(const engine::TriggerRequest& request) {
  const store::RunOptions& options = request.options;
  claim(is_json(request.payload), "the payload of a trigger is JSON");
  claim(options.tags.size() <= store::kMostTags, "a trigger has few tags");
  claim(options.metadata.size() <= store::kMostMetadata, "a trigger's metadata keeps its bound");
  claim(options.metadata.empty() || is_json(options.metadata), "a trigger's metadata is JSON");
  claim(!options.max_attempts || *options.max_attempts > 0, "a trigger permits an attempt");
  claim(options.machine.empty() || store::parse_machine(options.machine).has_value(), "a trigger's machine is one");
  claim(!request.debounce || (!request.delay && !request.delayed_until), "a debounced trigger has no other delay");
  claim(!request.delay || *request.delay > store::Duration::zero(), "a delay is longer than nothing");
  claim(!request.delayed_until || *request.delayed_until > kNow, "a delay ends later than now");
  claim(!request.queue || !request.queue->empty(), "a queue has a name");
  claim(request.priority >= store::Duration::zero(), "a priority is not negative");
}

template <class T>
const T* accepted(const std::variant<T, Response>& read) {
  if (const auto* refusal = std::get_if<Response>(&read)) claim_refusal(*refusal);
  return std::get_if<T>(&read);
}

void try_trigger(std::string_view body) {
  const auto read = api::parse_trigger(store::TaskId("echo"), body, kNow, false, &packets());
  if (const auto* request = accepted(read)) claim_trigger(*request);
}

void try_batch(std::string_view body) {
  const auto read = api::read_batch_lines(body, kItems, kNow, true, &packets());
  const auto* lines = accepted(read);
  if (lines == nullptr) return;
  for (const auto& [index, line] : lines->items) {
    claim(index == line.index && index < kItems, "an item has its place in the batch");
    claim(!line.text.empty() && line.text.data() >= body.data() &&
              line.text.data() + line.text.size() <= body.data() + body.size(),
          "an item's text is in the body");
    claim(!line.request.task.empty(), "an item names its task");
    claim_trigger(line.request);
  }
}

void try_schedule(std::string_view body, api::ScheduleBody kind) {
  const auto read = api::read_schedule(body, kind);
  const auto* request = accepted(read);
  if (request != nullptr)
    claim(store::Timetable::parse(request->rule).is_ok(), "a timetable can be made of a schedule");
}

void try_backfill(std::string_view body) {
  const auto read = api::read_backfill(body);
  (void)accepted(read);
}

void try_waitpoint(std::string_view body) {
  const auto read = api::read_waitpoint(body);
  const auto* request = accepted(read);
  if (request == nullptr) return;
  claim(store::check_token(request->tags, request->idempotency_key).is_ok(), "a token may be made of what is accepted");
}

void try_completion(std::string_view body) {
  const auto read = api::read_completion(body);
  if (const auto* value = accepted(read)) claim(value->empty() || is_json(*value), "a token's value is JSON");
  const auto called = api::read_callback(body);
  if (const auto* value = accepted(called)) claim(is_json(*value), "what calls back is JSON, or counts as {}");
}

void try_payload(std::string_view bytes) {
  Input input(bytes);
  const std::string_view type = input.line();
  const std::string_view value = store::trimmed(input.rest());
  if (!is_json(value)) return;  // a member of what was checked
  engine::TriggerRequest request;
  request.options.payload_type = type;
  const auto refusal = api::unpack_payload(value, request, &packets());
  if (refusal) return claim_refusal(*refusal);
  claim(is_json(request.payload), "a payload that is unpacked is JSON");
  claim(request.options.payload_notes.empty() || is_json(request.options.payload_notes), "what it notes is JSON");
}

void try_filters(std::string_view text) {
  Input input(text);
  store::RunFilter filter;
  while (!input.rest().empty()) {
    const std::string_view line = input.line();
    const std::string name(line.substr(0, line.find('=')));
    std::vector<std::string> values;
    for (std::size_t at = line.find('='); at != std::string_view::npos; at = line.find(',', at)) {
      ++at;
      values.emplace_back(line.substr(at, line.find(',', at) - at));
    }
    (void)api::read_filter(name, values, kNow, filter);
  }
}

void try_query(std::string_view target) {
  api::Request request;
  if (!api::take_apart(std::string("/") += target, request.path, request.query)) return;
  std::optional<api::QueryFault> fault;
  const auto number = api::number_parameter(request, "n", 1, 100, fault);
  claim(!number || (*number >= 1 && *number <= 100), "a number is within its bounds");
  (void)api::flag_parameter(request, "f", fault);
  (void)api::duration_parameter(request, "d", fault);
  (void)api::time_parameter(request, "t", fault);
  for (const std::string& each : api::list_parameter(request, "l")) claim(!each.empty(), "a list has no empty parts");
  for (const api::Field& field : request.query) (void)api::filter_in(field.name);
  claim(!fault || !fault->message.empty(), "a parameter is refused in words");
}

void try_queue_id(std::string_view text) {
  const store::QueueName name{std::string(text)};
  claim(api::queue_with_id(api::queue_id(name)) == name, "a queue is found by its id");
  if (const auto queue = api::queue_with_id(text)) claim(api::queue_id(*queue) == text, "a queue has one id");
}

void try_escapes(std::string_view bytes) {
  std::string escaped;
  for (const char c : bytes) {
    constexpr std::string_view kHex = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    escaped += {'%', kHex[byte >> 4], kHex[byte & 15]};
  }
  claim(api::percent_decoded(escaped) == bytes, "what is escaped comes back as it was");
  const auto decoded = api::percent_decoded(bytes, true);
  claim(!decoded || decoded->size() <= bytes.size(), "what is decoded gets no longer");
}

// … of `bytes` in pieces; nothing when they are no gzip, or too much.
std::optional<std::string> decompressed(std::string_view bytes, std::size_t piece) {
  constexpr std::size_t kLimit = 4096;
  api::GzipReader reader;
  std::string out;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    const auto outcome = reader.feed(bytes.substr(0, piece), out, kLimit);
    claim(out.size() <= kLimit, "what is decompressed keeps its bound");
    if (outcome != api::GzipReader::Outcome::kGood) return std::nullopt;
  }
  return reader.complete() ? std::optional(out) : std::nullopt;
}

void try_gzip(std::string_view bytes) {
  static api::GzipWriter& writer = *new api::GzipWriter();
  claim(decompressed(bytes, bytes.size() + 1) == decompressed(bytes, 3), "gzip is the same, however it is cut");
  if (const auto compressed = writer.compress(bytes.substr(0, 4096))) {
    claim(decompressed(*compressed, 7) == bytes.substr(0, 4096), "what is compressed comes back as it was");
  }
}

}  // namespace

void http_bodies(std::string_view bytes) {
  Input input(bytes);
  const std::size_t kind = input.letter(13);
  const std::string_view body = input.rest();
  switch (kind) {
    case 0:
      return try_trigger(body);
    case 1:
      return try_batch(body);
    case 2:
      return try_schedule(body, api::ScheduleBody::kCreate);
    case 3:
      return try_schedule(body, api::ScheduleBody::kUpdate);
    case 4:
      return try_backfill(body);
    case 5:
      return try_waitpoint(body);
    case 6:
      return try_completion(body);
    case 7:
      return try_payload(body);
    case 8:
      return try_filters(body);
    case 9:
      return try_query(body);
    case 10:
      return try_queue_id(body);
    case 11:
      return try_escapes(body);
    default:
      return try_gzip(body);
  }
}

}  // namespace perdure::fuzz
