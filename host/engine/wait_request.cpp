#include "host/engine/wait_request.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "host/engine/attempt_request.h"
#include "host/engine/hook_children.h"
#include "host/process/json_slices.h"

namespace perdure::engine {
namespace {

using process::AttemptReply;
using protocol::ReplyStatus;
using store::Status;
using store::Waitpoint;
using store::WaitpointKind;

constexpr std::size_t kMostRaw = protocol::kMaxRaw - (std::size_t{1} << 20);
constexpr std::uint64_t kLongestWait = std::uint64_t{1} << 53;  // milliseconds

// One element of "for".
Status read_member(std::string_view element, store::Time now, AskedWait& to) {
  const auto members = store::json_members(element);
  if (!members || members->size() != 1) {
    return Status::invalid("what is waited for is {\"ms\"}, {\"until\"}, {\"run\"} or {\"token\"}");
  }
  const std::string& name = members->front().name;
  store::NewWait& wait = to.wait;
  if (name == "ms" || name == "until") {
    const std::uint64_t number = std::min(number_member(*members, name), kLongestWait);
    const bool calendar = name == "until";
    const store::Duration length(static_cast<std::int64_t>(number));
    const store::Time at = calendar ? store::Time(length) : now + length;
    const bool is_later = wait.until && at > *wait.until;
    if (!wait.until || is_later == (wait.wait.mode == store::WaitMode::kAll)) {
      wait.until = at;
      wait.calendar = calendar;
    }
    wait.wait.members.push_back({WaitpointKind::kTime, {}, {}});
    return Status::ok();
  }
  const std::string id = text_member(*members, name);
  if (name == "run") {
    wait.wait.members.push_back({WaitpointKind::kRun, store::RunId(id), {}});
  } else if (name == "token") {
    wait.wait.members.push_back({WaitpointKind::kToken, {}, store::TokenId(id)});
  } else {
    return Status::invalid("\"" + name + "\" is nothing to wait for; ms, until, run and token are");
  }
  return Status::ok();
}

// What became of one member, as JSON; `ok` false: an error.
struct Came {
  bool ok = true;
  std::string json;
};

std::string ended_words(store::RunStatus status) {
  std::string words = "the run ended as ";
  words += status_name(status);
  return words;
}

Came run_that_came(const store::Store& store, const store::RunId& id) {
  const store::Result<store::Run> run = store.run(id);
  if (run && run->status == store::RunStatus::kCompleted) {
    store::Result<std::string> output = store.output(id);
    if (output) return {true, std::move(*output)};
  }
  std::string error;
  if (run && run->failure) {
    error = error_json(*run->failure);
  } else {
    const std::string_view name = run ? status_name(run->status) : std::string_view("RUN_GONE");
    error = "{\"name\":\"" + std::string(name) + "\",\"message\":";
    process::append_string(error, run ? ended_words(run->status) : "the run is not kept any more");
    error += '}';
  }
  error.pop_back();  // its }
  if (run) error += ",\"status\":\"" + std::string(status_name(run->status)) + '"';
  error += ",\"runId\":\"" + id.text() + "\"}";
  return {false, std::move(error)};
}

Came token_that_came(const store::Store& store, const store::TokenId& id) {
  const store::Result<store::Token> token = store.token(id);
  if (token && token->status == store::TokenStatus::kCompleted) {
    return {true, token->output.empty() ? "null" : token->output};
  }
  if (token && token->status == store::TokenStatus::kTimedOut) {
    return {false, store::token_timeout_error(token->completed_at.value_or(store::Time{}))};
  }
  std::string error = R"({"name":"TOKEN_GONE","message":)";
  process::append_string(error, "there is no token " + id.text() + " (any more)");
  return {false, error + '}'};
}

Came what_came(const store::Store& store, const Waitpoint& member) {
  switch (member.kind) {
    case WaitpointKind::kRun:
      return run_that_came(store, member.run);
    case WaitpointKind::kToken:
      return token_that_came(store, member.token);
    case WaitpointKind::kTime:
      break;
  }
  return {true, "null"};
}

AttemptReply too_much() {
  return {ReplyStatus::kFailed,
          "what the awaited runs returned is more than fits into one answer of 63 MB; wait for fewer of them at once",
          {}};
}

}  // namespace

store::Result<AskedWait> read_wait(const std::string& json, store::Time now) {
  const store::Result<std::vector<store::JsonMember>> members = members_of(json);
  if (!members) return members.status();
  AskedWait asked;
  asked.wait.now = now;
  asked.wait.name = text_member(*members, "name");
  asked.wait.wait.call = number_member(*members, "call");
  if (asked.wait.wait.call == 0) return Status::invalid("a wait's \"call\" is a number from 1");
  const std::string mode = text_member(*members, "mode");
  if (mode != "all" && mode != "any" && !mode.empty()) return Status::invalid("a wait is for \"all\" or for \"any\"");
  asked.wait.wait.mode = mode == "any" ? store::WaitMode::kAny : store::WaitMode::kAll;
  asked.tell = store::find_member(*members, "tell") == "true";
  asked.single = store::find_member(*members, "single") == "true";
  const auto list = store::find_member(*members, "for");
  const auto elements = list ? store::json_elements(*list) : std::nullopt;
  if (!elements) return Status::invalid("a wait's \"for\" is an array");
  for (const std::string_view element : *elements) {
    if (Status read = read_member(element, now, asked); !read) return read;
  }
  if (asked.single && asked.wait.wait.members.size() != 1) return Status::invalid("a single wait is for one thing");
  if (Status checked = check_wait(asked.wait.name, asked.wait.wait, asked.wait.until.has_value()); !checked) {
    return checked;
  }
  const auto is_time = [](const Waitpoint& each) { return each.kind == WaitpointKind::kTime; };
  asked.wait.wait.keeps_slot =
      std::ranges::all_of(asked.wait.wait.members, is_time) && *asked.wait.until - now < store::kShortWait;
  return asked;
}

AttemptReply wait_reply(const store::Store& store, const store::RecordedCall& call, bool single) {
  const std::vector<Waitpoint>& members = call.wait.members;
  if (single) {
    if (members.front().kind == WaitpointKind::kToken) {
      if (const store::Result<store::Token> token = store.token(members.front().token); !token) {
        return reply_of(token.status());
      }
    }
    Came came = what_came(store, members.front());
    const bool is_token = members.front().kind == WaitpointKind::kToken;
    const ReplyStatus status = came.ok    ? ReplyStatus::kOk
                               : is_token ? ReplyStatus::kTimedOut
                                          : ReplyStatus::kChildFailed;
    return {status, {}, std::move(came.json)};
  }
  std::string raw = "[";
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (i > 0) raw += ',';
    if (call.wait.first && *call.wait.first != i) {
      raw += "null";
      continue;
    }
    const Came came = what_came(store, members[i]);
    raw += came.ok ? R"({"ok":true)" : R"({"ok":false)";
    if (members[i].kind == WaitpointKind::kRun) raw += R"(,"runId":")" + members[i].run.text() + '"';
    raw += came.ok ? R"(,"output":)" : R"(,"error":)";
    if (raw.size() + came.json.size() > kMostRaw) return too_much();
    raw += came.json + '}';
  }
  return {ReplyStatus::kOk, {}, raw + ']'};
}

}  // namespace perdure::engine
