// A plugin whose hooks hang or end their process, and tasks that tell of hooks by hand what cannot be.
#include <perdure/plugin.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <string>

namespace {

perdure_status succeed(const perdure_attempt* a) { return a->services->set_result(a, PERDURE_STR("\"done\"")); }
perdure_status fail(const perdure_attempt* a) {
  perdure_error error{};
  error.struct_size = sizeof error;
  error.type = PERDURE_STR("FixtureError");
  error.message = PERDURE_STR("boom");
  a->services->set_error(a, &error);
  return PERDURE_FAILED;
}
perdure_status nothing(const perdure_attempt*) { return PERDURE_OK; }
perdure_status hang(const perdure_attempt* a) {
  a->services->log(a, PERDURE_INFO, PERDURE_STR("hangs"), {});
  for (;;) pause();
}
perdure_status leave(const perdure_attempt*) { _exit(7); }
perdure_status pass(const perdure_attempt* a, const perdure_next* next) {
  usleep(300'000);  // longer than a hook may take in the tests
  const perdure_status status = next->call(next);
  if (next->call(next) != PERDURE_INVALID) return fail(a);
  return status;
}
perdure_status decide(const perdure_attempt* a) {
  return a->services->set_result(a, PERDURE_STR("{\"retryAfterMs\":5}"));
}

struct Header {
  std::uint32_t magic = 0x31445250;
  std::uint16_t kind = 0, flags = 0;
  std::uint32_t arg = 0, json_size = 0;
  std::uint64_t id = 0, raw_size = 0;
};
void say(std::uint16_t kind, std::uint32_t arg, std::uint64_t id, const std::string& json) {
  Header header;
  header.kind = kind;
  header.arg = arg;
  header.id = id;
  header.json_size = static_cast<std::uint32_t>(json.size());
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
  bytes += json;
  (void)send(3, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}
constexpr std::uint16_t kRequest = 52, kSpan = 53;
const char* const kInit = R"({"hook":"init","scope":"task"})";

perdure_status end_what_did_not_begin(const perdure_attempt*) {
  say(kSpan, 1, 5, kInit);
  for (;;) pause();
}
perdure_status begin_twice(const perdure_attempt*) {
  say(kSpan, 0, 5, kInit);
  say(kSpan, 0, 5, kInit);
  for (;;) pause();
}
perdure_status end_as_another(const perdure_attempt*) {
  say(kSpan, 0, 5, kInit);
  say(kSpan, 1, 5, R"({"hook":"cleanup","scope":"task"})");
  for (;;) pause();
}
perdure_status begin_an_unknown_hook(const perdure_attempt*) {
  say(kSpan, 0, 5, R"({"hook":"on_tuesday","scope":"task"})");
  for (;;) pause();
}
perdure_status begin_too_many(const perdure_attempt*) {
  for (std::uint64_t i = 1; i <= 65; i++) say(kSpan, 0, i, R"({"hook":"on_cancel","scope":"task"})");
  for (;;) pause();
}
perdure_status judge_garbage(const perdure_attempt*) {
  say(kRequest, 1, 1, "[1]");
  for (;;) pause();
}
perdure_status judge_without_outcome(const perdure_attempt*) {
  say(kRequest, 1, 1, "{}");
  for (;;) pause();
}
perdure_status judge_three_times(const perdure_attempt*) {
  for (std::uint64_t i = 1; i <= 3; i++) say(kRequest, 1, i, R"({"outcome":1,"said":{"name":"x","message":"y"}})");
  for (;;) pause();
}

using Hook = perdure_task_fn perdure_hooks::*;
struct Entry {
  const char* id;
  perdure_task_fn run;
  Hook hook = nullptr;
  perdure_task_fn function = nullptr;
};
#define PERDURE_HOSTILE(name) \
  { #name, name }
const Entry kTasks[] = {
    {"hang_in_init", succeed, &perdure_hooks::init, hang},
    {"hang_in_catch_error", fail, &perdure_hooks::catch_error, hang},
    {"hang_in_on_complete", succeed, &perdure_hooks::on_complete, hang},
    {"leave_in_on_failure", fail, &perdure_hooks::on_failure, leave},
    {"decide", fail, &perdure_hooks::catch_error, decide},
    {"announce", succeed, &perdure_hooks::on_complete, nothing},
    {"announce_large",
     [](const perdure_attempt* a) {
       std::string json(1000, 'x');
       json.front() = json.back() = '"';
       return a->services->set_result(a, {json.data(), json.size()});
     },
     &perdure_hooks::on_success, nothing},
    PERDURE_HOSTILE(end_what_did_not_begin),
    PERDURE_HOSTILE(begin_twice),
    PERDURE_HOSTILE(end_as_another),
    PERDURE_HOSTILE(begin_an_unknown_hook),
    PERDURE_HOSTILE(begin_too_many),
    PERDURE_HOSTILE(judge_garbage),
    PERDURE_HOSTILE(judge_without_outcome),
    PERDURE_HOSTILE(judge_three_times),
};

perdure_status add(const perdure_registrar* host, const char* id, perdure_task_fn run, const perdure_hooks* hooks) {
  perdure_task task{};
  task.struct_size = sizeof task;
  task.id = {id, strlen(id)};
  task.run = run;
  task.hooks = hooks;
  return host->task(host, &task);
}

}  // namespace

extern "C" PERDURE_EXPORT perdure_status perdure_register_v1(const perdure_registrar* host) {
  perdure_plugin plugin{};
  plugin.struct_size = sizeof plugin;
  plugin.abi_minor = PERDURE_ABI_MINOR;
  plugin.name = PERDURE_STR("hooks");
  if (const perdure_status s = host->plugin(host, &plugin)) return s;
  perdure_hooks slow{};
  slow.struct_size = sizeof slow;
  slow.middleware = pass;
  if (const perdure_status s = add(host, "slow_middleware", succeed, &slow)) return s;
  for (const Entry& entry : kTasks) {
    perdure_hooks hooks{};
    hooks.struct_size = sizeof hooks;
    if (entry.hook != nullptr) hooks.*entry.hook = entry.function;
    if (const perdure_status s = add(host, entry.id, entry.run, entry.hook != nullptr ? &hooks : nullptr)) return s;
  }
  return PERDURE_OK;
}
