// A plugin with a self test that does what PERDURE_FIXTURE names in its environment: one word, or "thread-" and a word,
// then it starts a thread while it is loaded as well.
#include <perdure/plugin.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <string>
#include <string_view>

namespace {

std::string_view wish() {
  const char* fixture = getenv("PERDURE_FIXTURE");
  std::string_view word = fixture != nullptr ? fixture : "";
  if (word.substr(0, 7) == "thread-") word.remove_prefix(7);
  return word;
}

void* wait_forever(void*) {
  for (;;) pause();
}

__attribute__((constructor)) void initialise() {
  const char* fixture = getenv("PERDURE_FIXTURE");
  pthread_t thread;
  if (fixture != nullptr && strncmp(fixture, "thread-", 7) == 0)
    pthread_create(&thread, nullptr, wait_forever, nullptr);
}

int tested = 0;

void say(const perdure_attempt* a, perdure_level level, const std::string& line) {
  a->services->log(a, level, {line.data(), line.size()}, PERDURE_STR("{\"n\":1}"));
}

__attribute__((noinline, no_sanitize("undefined"))) void write_null() {
  volatile int* volatile nowhere = nullptr;
  *nowhere = 1;
}

perdure_status self_test(const perdure_attempt* a) {
  tested++;
  if (wish() == "warn") {
    say(a, PERDURE_INFO, "looking");
    say(a, PERDURE_WARN, "the cache is cold");
  }
  if (wish() == "fail") {
    say(a, PERDURE_INFO, "looking");
    perdure_error error{};
    error.struct_size = sizeof error;
    error.type = PERDURE_STR("NoModel");
    error.message = PERDURE_STR("the \"model\" is missing");
    a->services->set_error(a, &error);
    return PERDURE_FAILED;
  }
  if (wish() == "status") return PERDURE_ABORTED;
  if (wish() == "crash") write_null();
  if (wish() == "exit") exit(3);
  if (wish() == "kill") raise(SIGKILL);
  if (wish() == "hang") wait_forever(nullptr);
  if (wish() == "leave" || wish() == "leave-and-hang") {
    const pid_t left = fork();
    if (left == 0) wait_forever(nullptr);
    say(a, PERDURE_WARN, std::to_string(left));
    if (wish() == "leave-and-hang") wait_forever(nullptr);
  }
  if (wish() == "environment") {
    const bool empty = a->task_id.len == 0 && a->run_id.len == 0 && a->number == 1;
    const bool null = std::string_view(a->payload.data, a->payload.len) == "null";
    perdure_str json{};
    const bool no_memo = a->services->memo_get(a, PERDURE_STR("x"), &json) == PERDURE_INVALID;
    if (!empty || !null || !no_memo || a->user != &tested) return PERDURE_FAILED;
  }
  return PERDURE_OK;
}

perdure_status count(const perdure_attempt* a) {
  return a->services->set_result(a, tested == 0 ? PERDURE_STR("0") : PERDURE_STR("1"));
}

}  // namespace

extern "C" PERDURE_EXPORT perdure_status perdure_register_v1(const perdure_registrar* host) {
  perdure_plugin plugin{};
  plugin.struct_size = sizeof plugin;
  plugin.abi_minor = PERDURE_ABI_MINOR;
  plugin.name = PERDURE_STR("self-test");
  plugin.self_test = self_test;
  plugin.user = &tested;
  perdure_task task{};
  task.struct_size = sizeof task;
  task.id = PERDURE_STR("count");
  task.run = count;
  const perdure_status status = host->plugin(host, &plugin);
  return status != PERDURE_OK ? status : host->task(host, &task);
}
