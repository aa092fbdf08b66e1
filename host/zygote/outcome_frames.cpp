#include "host/zygote/outcome_frames.h"

#include <stdio.h>

#include <utility>

#include "host/zygote/json_text.h"
#include "host/zygote/resource_usage.h"

namespace perdure::zygote {
namespace {

using protocol::Incoming;
using protocol::Kind;
using protocol::Outcome;

// The json beside an outcome: its error, or the size of an output that was not kept.
std::string beside(Outcome outcome, const Said& said) {
  if (outcome == Outcome::kSuccess) {
    return said.too_large == 0 ? std::string() : "{\"too_large\":" + std::to_string(said.too_large) + "}";
  }
  if (said.retry_at == 0) return said.error;
  std::string json = said.error;
  json.pop_back();  // its last brace
  return json + ",\"retry_at\":" + std::to_string(said.retry_at) + "}";
}

std::string_view output_of(Outcome outcome, const Said& said) {
  if (outcome != Outcome::kSuccess || said.too_large != 0) return {};
  return said.result.empty() ? std::string_view("null") : said.result;
}

void append_member(std::string& json, std::string_view key, std::string_view value) {
  if (value.empty()) return;
  json += ",\"";
  json += key;
  json += "\":";
  json += value;
}

void send_usage(AttemptState& state) {
  const protocol::UsageReport report = own_usage();
  protocol::Outgoing frame;
  frame.kind = Kind::kUsage;
  frame.raw = {reinterpret_cast<const char*>(&report), sizeof report};
  (void)state.link.send(frame);
}

}  // namespace

void send_outcome(AttemptState& state, Outcome outcome, Said said) {
  (void)fflush(nullptr);
  state.close_log();
  if (state.elapsed_ms() >= static_cast<std::uint64_t>(protocol::kMoment.count())) send_usage(state);
  SentOutcome& sent = state.sent;
  sent.said = std::move(said);
  sent.json = beside(outcome, sent.said);
  protocol::Outgoing& frame = sent.frame = {};
  frame.kind = Kind::kOutcome;
  frame.id = state.info.ordinal;
  frame.arg = static_cast<std::uint32_t>(outcome);
  frame.json = sent.json;
  frame.raw = output_of(outcome, sent.said);
  if (!state.link.send_outcome(frame) && !state.link.host_gone()) {
    sent.json = error_json("OutcomeNotSent", "the outcome could not be sent; most likely memory was short");
    frame.arg = static_cast<std::uint32_t>(Outcome::kFailed);
    frame.json = sent.json;
    frame.raw = {};
    (void)state.link.send_outcome(frame);
  }
}

bool await_confirm(AttemptLink& link) {
  Incoming confirm;
  do {
    if (!link.receive(confirm)) return false;
  } while (confirm.kind != Kind::kConfirm);
  return confirm.arg == 1;
}

std::optional<Judgement> ask_judgement(AttemptState& state, Outcome outcome, const Said& said, const Caught& caught) {
  std::string json = "{\"outcome\":" + std::to_string(static_cast<std::uint32_t>(outcome));
  append_member(json, "said", beside(outcome, said));
  append_member(json, "replaced", caught.replaced);
  append_member(json, "failed", caught.failed);
  if (!caught.decision.empty()) {
    std::string decision = caught.decision;
    if (!is_json(decision)) {  // the host says what is wrong with a text
      decision.clear();
      append_json_string(decision, caught.decision);
    }
    append_member(json, "decision", decision);
  }
  json += '}';
  Incoming reply;
  if (!state.link.ask(protocol::RequestKind::kJudge, json, output_of(outcome, said), reply)) return std::nullopt;
  Judgement judgement;
  judgement.ended = outcome == Outcome::kSuccess ? "success" : outcome == Outcome::kCanceled ? "canceled" : "failure";
  JsonMembers members(reply.json);
  std::string_view key, value;
  while (members.next(key, value)) {
    if (key == "ended") judgement.ended = json_plain_string(value);
    if (key == "final") judgement.is_final = value == "true";
    if (key == "retryAtMs") judgement.retry_at_ms = value;
    if (key == "retry") judgement.retry = value;
    if (key == "error") judgement.error = value;
  }
  json.back() = ',';
  json += "\"toldRetryAtMs\":" + judgement.retry_at_ms + '}';
  state.link.remember_judgement(std::move(json), std::string(output_of(outcome, said)));
  return judgement;
}

}  // namespace perdure::zygote
