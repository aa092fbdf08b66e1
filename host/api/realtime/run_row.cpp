#include "host/api/realtime/run_row.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "host/api/json_text.h"
#include "host/api/typed_error.h"
#include "store/model/duration.h"
#include "store/model/run_filter.h"
#include "store/model/timestamp.h"

namespace perdure::api {
namespace {

using store::Run;
using store::RunStatus;
using Value = std::optional<std::string>;

// The names that the wire has for statuses; the others are the same.
std::string raw_status(RunStatus status) {
  switch (status) {
    case RunStatus::kQueued:
      return "PENDING";
    case RunStatus::kWaiting:
      return "WAITING_TO_RESUME";
    case RunStatus::kCompleted:
      return "COMPLETED_SUCCESSFULLY";
    case RunStatus::kFailed:
      return "COMPLETED_WITH_ERRORS";
    default:
      return std::string(store::status_name(status));
  }
}

// Without the Z, which clients add.
Value wire_time(std::optional<store::Time> time) {
  if (!time) return std::nullopt;
  std::string text = store::format_time(*time);
  if (text.ends_with('Z')) text.pop_back();
  return text;
}

// {"a","b"} with what is special in it escaped.
template <class Texts, class TextOf>
std::string wire_list(const Texts& texts, TextOf text_of) {
  std::string out = "{";
  for (const auto& each : texts) {
    out += out.size() == 1 ? "\"" : ",\"";
    for (const char c : text_of(each)) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    out += '"';
  }
  return out + "}";
}

Value text_or_null(const std::string& text) { return text.empty() ? Value() : Value(text); }

Value payload(const store::Store& store, const Run& run) {
  const auto found = store.payload(run.id);
  if (!found || run.options.payload_notes.empty()) return found ? Value(found.value()) : Value();
  return R"({"json":)" + found.value() + R"(,"meta":)" + run.options.payload_notes + "}";
}

Value payload_type(const store::Store&, const Run& run) {
  return run.options.payload_notes.empty() ? "application/json" : "application/super+json";
}

Value output(const store::Store& store, const Run& run) {
  if (run.status != RunStatus::kCompleted) return std::nullopt;
  const auto found = store.output(run.id);
  return found ? Value(found.value()) : Value();
}

Value error(const store::Store&, const Run& run) {
  if (!ended_badly(run)) return std::nullopt;
  JsonText json;
  put_typed_error(json, run);
  return json.take();
}

Value streams(const store::Store& store, const Run& run) {
  const auto found = store.streams(run.id);
  return wire_list(found ? found.value() : std::vector<store::StreamInfo>{},
                   [](const store::StreamInfo& stream) -> const std::string& { return stream.name; });
}

constexpr std::string_view kText = R"({"type":"text"})";
constexpr std::string_view kTime = R"({"type":"timestamp"})";
constexpr std::string_view kInteger = R"({"type":"int4"})";
constexpr std::string_view kNumber = R"({"type":"float8"})";
constexpr std::string_view kTexts = R"({"type":"text","dims":1})";

struct Column {
  std::string_view name;
  std::string_view schema;
  Value (*value)(const store::Store& store, const Run& run);
  bool needed = false;    // clients refuse rows without it
  bool constant = false;  // it never changes
};

constexpr std::array kColumns{
    Column{"id", kText, [](const store::Store&, const Run& run) { return Value(run.id.text()); }, true},
    Column{"taskIdentifier", kText, [](const store::Store&, const Run& run) { return Value(run.task.text()); }, true},
    Column{"createdAt", kTime, [](const store::Store&, const Run& run) { return wire_time(run.created_at); }, true},
    Column{"updatedAt", kTime, [](const store::Store&, const Run& run) { return wire_time(run.updated_at); }, true},
    Column{"startedAt", kTime, [](const store::Store&, const Run& run) { return wire_time(run.started_at); }},
    Column{
        "delayUntil", kTime,
        [](const store::Store&, const Run& run) { return run.attempts == 0 ? wire_time(run.ready_at) : std::nullopt; }},
    Column{"queuedAt", kTime, [](const store::Store&, const Run&) { return Value(); }},
    Column{"expiredAt", kTime,
           [](const store::Store&, const Run& run) {
             return run.status == RunStatus::kExpired ? wire_time(run.finished_at) : std::nullopt;
           }},
    Column{"completedAt", kTime, [](const store::Store&, const Run& run) { return wire_time(run.finished_at); }},
    Column{"friendlyId", kText, [](const store::Store&, const Run& run) { return Value(run.id.text()); }, true},
    Column{"number", kInteger, [](const store::Store&, const Run&) { return Value("0"); }},
    Column{"isTest", R"({"type":"bool"})",
           [](const store::Store&, const Run& run) { return Value(run.options.is_test ? "t" : "f"); }},
    Column{"status", kText,
           [](const store::Store&, const Run& run) { return Value(raw_status(store::told_status(run))); }, true},
    Column{"usageDurationMs", kInteger,
           [](const store::Store&, const Run& run) { return Value(std::to_string(run.executed.count())); }},
    Column{"costInCents", kNumber, [](const store::Store&, const Run&) { return Value("0"); }},
    Column{"baseCostInCents", kNumber, [](const store::Store&, const Run&) { return Value("0"); }},
    Column{"ttl", kText,
           [](const store::Store&, const Run& run) {
             const bool has_one = run.options.ttl && *run.options.ttl > store::Duration::zero();
             return has_one ? Value(store::format_duration(*run.options.ttl)) : Value();
           }},
    Column{"payload", kText, payload, false, true},
    Column{"payloadType", kText, payload_type, false, true},
    Column{"metadata", kText, [](const store::Store&, const Run& run) { return text_or_null(run.options.metadata); }},
    Column{"metadataType", kText, [](const store::Store&, const Run&) { return Value("application/json"); }},
    Column{"output", kText, output},
    Column{"outputType", kText, [](const store::Store&, const Run&) { return Value("application/json"); }},
    Column{"runTags", kTexts,
           [](const store::Store&, const Run& run) {
             return Value(
                 wire_list(run.options.tags, [](const std::string& tag) -> const std::string& { return tag; }));
           }},
    Column{"error", R"({"type":"jsonb"})", error},
    Column{"realtimeStreams", kTexts, streams},
    Column{"idempotencyKey", kText,
           [](const store::Store&, const Run& run) {
             return text_or_null(run.options.idempotency_shown.empty() ? run.options.idempotency_key
                                                                       : run.options.idempotency_shown);
           }},
};
static_assert(kColumns.size() <= 32, "a bit of Columns for each");

constexpr Columns bit(std::size_t index) { return Columns{1} << index; }

}  // namespace

Columns columns_without(const std::vector<std::string>& skipped) {
  Columns columns = 0;
  for (std::size_t i = 0; i < kColumns.size(); ++i) {
    if (kColumns[i].needed || std::ranges::find(skipped, kColumns[i].name) == skipped.end()) columns |= bit(i);
  }
  return columns;
}

Columns changing(Columns columns) {
  for (std::size_t i = 0; i < kColumns.size(); ++i) {
    if (kColumns[i].constant) columns &= ~bit(i);
  }
  return columns;
}

std::string schema_of(Columns columns) {
  JsonText json;
  json.begin_object();
  for (std::size_t i = 0; i < kColumns.size(); ++i) {
    if ((columns & bit(i)) != 0) json.raw(kColumns[i].name, kColumns[i].schema);
  }
  return json.end_object().take();
}

std::string row_of(const store::Store& store, const store::Run& run, Columns columns) {
  JsonText json;
  json.begin_object();
  for (std::size_t i = 0; i < kColumns.size(); ++i) {
    if ((columns & bit(i)) == 0) continue;
    if (const Value value = kColumns[i].value(store, run)) {
      json.text(kColumns[i].name, *value);
    } else {
      json.raw(kColumns[i].name, "null");
    }
  }
  return json.end_object().take();
}

// FNV-1a.
std::uint64_t mark_of(const std::string& row) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : row) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return (hash ^ hash >> 53) & ((std::uint64_t{1} << 53) - 1);
}

}  // namespace perdure::api
