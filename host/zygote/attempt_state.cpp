#include "host/zygote/attempt_state.h"

#include <time.h>

#include "host/zygote/json_text.h"

namespace perdure::zygote {
namespace {

constexpr std::size_t kMaxLine = std::size_t{32} << 10;    // of a log message; the rest is cut
constexpr std::size_t kMaxFields = std::size_t{24} << 10;  // of a line's fields; larger ones are left out
constexpr std::size_t kMaxErrorText = std::size_t{256} << 10;
constexpr std::size_t kMaxDetails = std::size_t{1} << 20;

}  // namespace

std::uint64_t unix_ms() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000 + static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
}

StartInfo parse_start(std::string_view json) {
  StartInfo info;
  JsonMembers members(json);
  std::string_view key, value;
  while (members.next(key, value)) {
    if (key == "run") info.run = json_plain_string(value);
    if (key == "attempt") info.attempt = json_unsigned(value);
    if (key == "replay") info.replay = json_unsigned(value);
    if (key == "resumed") info.resumed = json_unsigned(value);
    if (key == "heartbeat_ms") info.heartbeat_ms = json_unsigned(value);
    if (key == "output_limit") info.output_limit = json_unsigned(value);
    if (key == "log_limit") info.log_limit = json_unsigned(value);
    if (key == "network") info.sandbox.network = value != "false";
    if (key == "exec") info.sandbox.exec = value != "false";
    if (key == "memory_limit") info.memory_limit = json_unsigned(value);
    if (key == "context") info.context = value;
    if (key == "config") info.config = value;
    if (key == "configs") info.configs = value;
    if (key == "environment") info.environment = value;
    if (key == "only") info.only = value;
    if (key == "error") info.error = value;
    if (key == "reason") info.reason = value;
  }
  return info;
}

void AttemptState::begin(const StartInfo& start) {
  info = start;
  local = nullptr;
  awaited_.reset();
  step.reset();
  around_wait = nullptr;
  suspended = false;
  calls_.fill(0);
  logged_ = 0;
  dropped_ = 0;
  started_ = std::chrono::steady_clock::now();
  handed_out_.clear();
  thread_ = pthread_self();
}

std::uint64_t AttemptState::next_call(protocol::Caller caller) {
  step.reset();
  const std::uint64_t number = ++calls_[static_cast<std::size_t>(caller)];
  return static_cast<std::uint64_t>(caller) << protocol::kCallerShift | number;
}

perdure_str AttemptState::hand_out(std::string text) {
  const std::lock_guard lock(handing_out_);
  handed_out_.push_front(std::move(text));
  return {handed_out_.front().data(), handed_out_.front().size()};
}

void AttemptState::take_back(const char* data) {
  const std::lock_guard lock(handing_out_);
  handed_out_.remove_if([data](const std::string& text) { return text.data() == data; });
}

void AttemptState::expect_outcome() { awaited_ = std::make_unique<Awaited>(); }

void AttemptState::tell_outcome(std::string outcome) {
  if (!awaited_) return;
  {
    const std::lock_guard lock(awaited_->mutex);
    if (!awaited_->outcome) awaited_->outcome = std::move(outcome);
  }
  awaited_->told.notify_all();
}

perdure_status AttemptState::await_outcome(std::chrono::milliseconds timeout, perdure_str& outcome) {
  if (!awaited_) return fail(PERDURE_INVALID, "await_result is for attempts with an on_cancel hook");
  if (on_attempt_thread()) return fail(PERDURE_INVALID, "run would wait for itself: await_result is for on_cancel");
  std::unique_lock lock(awaited_->mutex);
  const auto told = [this] { return awaited_->outcome.has_value(); };
  if (timeout.count() < 0) {
    awaited_->told.wait(lock, told);
  } else if (!awaited_->told.wait_for(lock, timeout, told)) {
    return fail(PERDURE_TIMED_OUT, "run still executes");
  }
  outcome = {awaited_->outcome->data(), awaited_->outcome->size()};
  return PERDURE_OK;
}

std::uint64_t AttemptState::elapsed_ms() const {
  const auto elapsed = std::chrono::steady_clock::now() - started_;
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(elapsed).count());
}

void AttemptState::send_log(perdure_level level, std::string_view message, std::string_view fields) {
  protocol::Outgoing frame;
  frame.kind = protocol::Kind::kLog;
  frame.arg = static_cast<std::uint32_t>(level);
  frame.id = unix_ms();
  frame.json = fields;
  frame.raw = message;
  (void)link.send(frame);
}

void AttemptState::log(perdure_level level, std::string_view message, std::string_view fields) {
  std::string shortened;
  if (message.size() > kMaxLine) {
    shortened = message.substr(0, kMaxLine);
    shortened += " [cut: the line had " + std::to_string(message.size()) + " bytes]";
    message = shortened;
  }
  if (fields.size() > kMaxFields) {
    shortened = std::string(message) + " [left out: " + std::to_string(fields.size()) + " bytes of fields]";
    message = shortened;
    fields = {};
  }
  const std::uint64_t size = message.size() + fields.size();
  const std::uint64_t before = logged_.fetch_add(size);
  if (info.log_limit == 0 || before + size <= info.log_limit) {
    send_log(level, message, fields);
  } else if (dropped_.fetch_add(1) == 0) {
    send_log(PERDURE_WARN, "log limit of " + std::to_string(info.log_limit) + " bytes reached, more lines are dropped",
             {});
  }
}

void AttemptState::close_log() {
  const std::uint64_t dropped = dropped_.exchange(0);
  if (dropped == 0) return;
  send_log(PERDURE_WARN, "log limit reached, " + std::to_string(dropped) + " more lines dropped", {});
}

std::string error_json(std::string_view name, std::string_view message, std::string_view stack,
                       std::string_view details) {
  std::string json = "{\"name\":";
  append_json_string(json, name.substr(0, kMaxErrorText));
  json += ",\"message\":";
  append_json_string(json, message.substr(0, kMaxErrorText));
  if (!stack.empty()) {
    json += ",\"stack\":";
    append_json_string(json, stack.substr(0, kMaxErrorText));
  }
  if (!details.empty() && details.size() <= kMaxDetails) {
    json += ",\"details\":";
    if (is_json(details)) {
      json += details;
    } else {
      append_json_string(json, details);
    }
  }
  json += '}';
  return json;
}

}  // namespace perdure::zygote
