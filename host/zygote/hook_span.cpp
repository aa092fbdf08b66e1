#include "host/zygote/hook_span.h"

#include <atomic>
#include <string>

namespace perdure::zygote {
namespace {

std::atomic<std::uint64_t> last_id{0};

std::string_view name_of(Scope scope) {
  switch (scope) {
    case Scope::kGlobal:
      return "global";
    case Scope::kPlugin:
      return "plugin";
    case Scope::kTask:
      return "task";
  }
  return "task";
}

void send(AttemptState& state, std::uint64_t id, bool begins, std::string_view json) {
  protocol::Outgoing frame;
  frame.kind = protocol::Kind::kSpan;
  frame.id = id;
  frame.arg = begins ? 0 : 1;
  frame.json = json;
  (void)state.link.send(frame);
}

std::string members(std::string_view hook, Scope scope) {
  std::string json = "{\"hook\":\"";
  json += hook;
  json += "\",\"scope\":\"";
  json += name_of(scope);
  return json + '"';
}

}  // namespace

HookSpan::HookSpan(AttemptState& state, std::string_view hook, Scope scope)
    : state_(state),
      hook_(hook),
      scope_(scope),
      id_(++last_id),
      started_at_(unix_ms()),
      started_(std::chrono::steady_clock::now()) {
  send(state_, id_, true, members(hook_, scope_) + '}');
}

void HookSpan::end(std::string_view error, bool ignored) {
  const auto taken = std::chrono::steady_clock::now() - started_;
  std::string json = members(hook_, scope_) + ",\"startedAt\":" + std::to_string(started_at_) + ",\"durationUs\":" +
                     std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(taken).count());
  if (!error.empty()) {
    json += ",\"error\":";
    json += error;
    if (ignored) json += ",\"ignored\":true";
  }
  send(state_, id_, false, json + '}');
}

}  // namespace perdure::zygote
