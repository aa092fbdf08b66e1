// Waitpoint tokens that attempts make and complete: durable calls, each answered once it is.
#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "host/engine/attempt_request.h"
#include "host/engine/core_engine.h"
#include "store/model/nearest.h"

namespace perdure::engine {
namespace {

using store::Duration;
using store::Status;

constexpr std::uint64_t kLongestMilliseconds = std::uint64_t{10} * 365 * 86400 * 1000;

std::optional<Duration> milliseconds(std::string_view value) {
  std::uint64_t count = 0;
  const auto [end, failed] = std::from_chars(value.data(), value.data() + value.size(), count);
  const bool whole = failed == std::errc() && end == value.data() + value.size();
  return whole && count <= kLongestMilliseconds ? std::optional(Duration(count)) : std::nullopt;
}

Status read_timeout(std::string_view value, TokenRequest& request) {
  const auto timeout = milliseconds(value);
  if (!timeout) return Status::invalid("timeoutMs is a whole number of milliseconds, at most ten years");
  request.timeout = *timeout;
  return {};
}

Status read_tags(std::string_view value, TokenRequest& request) {
  const auto elements = store::json_elements(value);
  if (!elements) return Status::invalid("tags are an array of strings");
  for (const std::string_view element : *elements) request.tags.push_back(store::json_string(element).value_or(""));
  return {};
}

Status read_key(std::string_view value, TokenRequest& request) {
  request.idempotency_key = store::json_string(value).value_or("");
  if (request.idempotency_key.empty()) return Status::invalid("idempotencyKey is a string that is not empty");
  return {};
}

Status read_key_ttl(std::string_view value, TokenRequest& request) {
  request.idempotency_ttl = milliseconds(value);
  if (!request.idempotency_ttl) return Status::invalid("idempotencyKeyTtlMs is a whole number of milliseconds");
  return {};
}

struct Option {
  std::string_view name;
  Status (*read)(std::string_view value, TokenRequest& request);
};
constexpr std::array kOptions{Option{"timeoutMs", read_timeout}, Option{"tags", read_tags},
                              Option{"idempotencyKey", read_key}, Option{"idempotencyKeyTtlMs", read_key_ttl}};

Status read_options(std::string_view json, TokenRequest& request) {
  const auto members = store::json_members(json);
  if (!members) return Status::invalid("the options of a token are a JSON object");
  for (const store::JsonMember& member : *members) {
    const auto* const option = std::ranges::find(kOptions, member.name, &Option::name);
    if (option == kOptions.end()) {
      std::array<std::string_view, kOptions.size()> names;
      std::ranges::transform(kOptions, names.begin(), &Option::name);
      return Status::invalid("\"" + member.name.substr(0, 60) + "\" is no option of a token; the nearest is \"" +
                             std::string(store::nearest_name(member.name, names)) + '"');
    }
    if (member.value == "null") continue;
    if (Status read = option->read(member.value, request); !read) return read;
  }
  return {};
}

std::string created_json(const store::TokenId& id, const std::string& url) {
  return R"({"id":")" + id.text() + R"(","url":")" + url + "\"}";
}

}  // namespace

void CoreEngine::ask_token_create(process::AttemptHandle attempt, const Slot& slot,
                                  const process::AttemptRequest& request) {
  const auto refuse = [&](const Status& why) { launcher_.reply(attempt, request.id, reply_of(why)); };
  const store::Result<std::vector<store::JsonMember>> members = members_of(request.json);
  if (!members) return refuse(members.status());
  const AskedCall asked{number_member(*members, "call"), store::CallKind::kCreateToken, {}};
  if (asked.number == 0) return refuse(Status::invalid("a token's \"call\" is a number from 1"));
  TokenRequest token;
  token.by = store::AttemptCall{slot.run.id, slot.attempt.number, slot.attempt.token, asked.number};
  if (const auto options = store::find_member(*members, "options")) {
    if (Status read = read_options(*options, token); !read) return refuse(read);
  }
  tokens_.create(std::move(token), on_core([this, attempt, id = request.id, run = slot.run.id,
                                            asked](const store::Result<store::CreatedToken>& made) {
                   process::AttemptReply reply = call_reply(store_, run, asked, made.status());
                   if (made) {
                     const store::TokenId& token_id = made->token.id;
                     reply.raw = created_json(token_id, options_.token_url ? options_.token_url(token_id) : "");
                   }
                   launcher_.reply(attempt, id, std::move(reply));
                 }));
}

void CoreEngine::ask_token_complete(process::AttemptHandle attempt, const Slot& slot, process::AttemptRequest request) {
  const auto refuse = [&](const Status& why) { launcher_.reply(attempt, request.id, reply_of(why)); };
  const store::Result<std::vector<store::JsonMember>> members = members_of(request.json);
  if (!members) return refuse(members.status());
  const AskedCall asked{number_member(*members, "call"), store::CallKind::kCompleteToken,
                        text_member(*members, "token")};
  if (asked.number == 0) return refuse(Status::invalid("a token's \"call\" is a number from 1"));
  if (request.raw.empty()) return refuse(Status::invalid("a token is completed with one JSON value"));
  const store::AttemptCall by{slot.run.id, slot.attempt.number, slot.attempt.token, asked.number};
  tokens_.complete(
      store::TokenId(asked.name), std::move(request.raw), by,
      on_core([this, attempt, id = request.id, run = slot.run.id, asked](const store::Result<store::Token>& completed) {
        launcher_.reply(attempt, id, call_reply(store_, run, asked, completed.status()));
      }));
}

}  // namespace perdure::engine
