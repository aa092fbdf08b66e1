// A plugin whose tasks each do one thing a runtime must cope with, written against the C interface. The tests name
// tasks by their place in kTasks.
#include <fcntl.h>
#include <perdure/plugin.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string>

#include "behaviours.h"

namespace {

perdure_str str(const std::string& text) { return {text.data(), text.size()}; }
perdure_status result(const perdure_attempt* a, const std::string& json) {
  return a->services->set_result(a, str(json));
}
std::string payload(const perdure_attempt* a) { return {a->payload.data, a->payload.len}; }

perdure_status echo(const perdure_attempt* a) { return a->services->set_result(a, a->payload); }

perdure_status fail(const perdure_attempt* a) {
  perdure_error error{};
  error.struct_size = sizeof error;
  error.type = PERDURE_STR("FixtureError");
  error.message = PERDURE_STR("boom \"quoted\"");
  error.detail = PERDURE_STR("{\"code\":7}");
  error.retry_at_ms = 1234567890123;
  a->services->set_error(a, &error);
  return PERDURE_FAILED;
}

// Returns the status its payload names, without setting an error.
perdure_status status(const perdure_attempt* a) { return static_cast<perdure_status>(atoi(payload(a).c_str())); }

perdure_status throw_error(const perdure_attempt*) { throw std::runtime_error("thrown by the fixture"); }
perdure_status throw_int(const perdure_attempt*) { throw 42; }
perdure_status throw_bad_alloc(const perdure_attempt*) { throw std::bad_alloc(); }

perdure_status raise_signal(const perdure_attempt* a) {
  raise(atoi(payload(a).c_str()));
  return PERDURE_OK;
}

// As written, whatever a sanitizer would make of it.
__attribute__((no_sanitize("undefined"))) perdure_status null_write(const perdure_attempt*) {
  volatile int* nowhere = nullptr;
  *nowhere = 1;
  return PERDURE_OK;
}

[[gnu::noinline]] int descend(int depth) {
  volatile char frame[4096];
  frame[0] = static_cast<char>(depth);
  return depth < 0 ? 0 : descend(depth + 1) + frame[0];
}
perdure_status overflow_stack(const perdure_attempt*) { return descend(0) == 1 ? PERDURE_OK : PERDURE_FAILED; }

void* overflow_in_thread(void*) {
  descend(0);
  return nullptr;
}
perdure_status overflow_thread_stack(const perdure_attempt*) {
  pthread_t thread;
  pthread_create(&thread, nullptr, overflow_in_thread, nullptr);
  pthread_join(thread, nullptr);
  return PERDURE_OK;
}

perdure_status terminate(const perdure_attempt*) { std::terminate(); }
perdure_status leave(const perdure_attempt* a) { exit(atoi(payload(a).c_str())); }
perdure_status leave_at_once(const perdure_attempt* a) { _exit(atoi(payload(a).c_str())); }
perdure_status thread_exit(const perdure_attempt*) { pthread_exit(nullptr); }

perdure_status print(const perdure_attempt* a) {
  printf("to stdout");  // no newline: it must be flushed before the outcome
  fprintf(stderr, "to stderr");
  return result(a, "null");
}

perdure_status log_lines(const perdure_attempt* a) {
  const int count = atoi(payload(a).c_str());
  for (int i = 0; i < count; i++) {
    a->services->log(a, PERDURE_INFO, str("line " + std::to_string(i)), PERDURE_STR("{\"n\":1}"));
  }
  return PERDURE_OK;
}

perdure_status log_bad_fields(const perdure_attempt* a) {
  const perdure_status status = a->services->log(a, PERDURE_INFO, PERDURE_STR("x"), PERDURE_STR("[1"));
  const perdure_str words = a->services->last_error(a);
  return result(a,
                "{\"status\":" + std::to_string(status) + ",\"words\":\"" + std::string(words.data, words.len) + "\"}");
}

perdure_status large_result(const perdure_attempt* a) {
  const auto size = static_cast<std::size_t>(atol(payload(a).c_str()));
  std::string json(size, 'x');
  json.front() = json.back() = '"';
  return result(a, json);
}

// Ends when it is cancelled, asking in a loop.
perdure_status until_cancelled(const perdure_attempt* a) {
  result(a, "\"started\"");
  a->services->log(a, PERDURE_INFO, PERDURE_STR("started"), {});
  while (a->services->is_cancelled(a) == PERDURE_OK) usleep(1000);
  return PERDURE_CANCELLED;
}

// Ends when the descriptor says that it is cancelled.
perdure_status poll_cancel(const perdure_attempt* a) {
  std::int32_t fd = -1;
  if (a->services->cancel_fd(a, &fd) != PERDURE_OK) return PERDURE_FAILED;
  a->services->log(a, PERDURE_INFO, PERDURE_STR("started"), {});
  pollfd cancelled{fd, POLLIN, 0};
  poll(&cancelled, 1, -1);
  return a->services->is_cancelled(a);
}

perdure_status config_and_usage(const perdure_attempt* a) {
  perdure_str config{}, usage{};
  if (a->services->config(a, &config) != PERDURE_OK || a->services->usage(a, &usage) != PERDURE_OK)
    return PERDURE_FAILED;
  const perdure_status status = result(a, "{\"config\":" + std::string(config.data, config.len) +
                                              ",\"usage\":" + std::string(usage.data, usage.len) + "}");
  a->services->release(a, usage);
  return status;
}

perdure_status sleep_forever(const perdure_attempt* a) {
  a->services->log(a, PERDURE_INFO, PERDURE_STR("started"), {});
  for (;;) pause();
}

perdure_status ignore_sigterm(const perdure_attempt* a) {
  signal(SIGTERM, SIG_IGN);
  return sleep_forever(a);
}

perdure_status stop_itself(const perdure_attempt* a) {
  a->services->log(a, PERDURE_INFO, PERDURE_STR("started"), {});
  raise(SIGSTOP);
  return PERDURE_OK;
}

// Starts a daemon in a session of its own, and returns its pid.
perdure_status daemonize(const perdure_attempt* a) {
  int ends[2];
  if (pipe(ends) != 0) return PERDURE_FAILED;
  if (fork() == 0) {
    setsid();
    if (fork() != 0) _exit(0);
    const pid_t self = getpid();
    if (write(ends[1], &self, sizeof self) < 0) _exit(1);
    for (;;) pause();
  }
  pid_t daemon = 0;
  if (read(ends[0], &daemon, sizeof daemon) != sizeof daemon) return PERDURE_FAILED;
  return result(a, std::to_string(daemon));
}

perdure_status daemonize_and_stay(const perdure_attempt* a) {
  if (daemonize(a) != PERDURE_OK) return PERDURE_FAILED;
  a->services->log(a, PERDURE_INFO, PERDURE_STR("started"), {});
  for (;;) pause();
}

// A process that the task forked dies of a signal; the attempt goes on.
perdure_status child_crashes(const perdure_attempt* a) {
  if (fork() == 0) abort();
  usleep(20000);
  return result(a, "\"still here\"");
}

// What of the zygote's doing a task can see.
perdure_status surroundings(const perdure_attempt* a) {
  sigset_t mask;
  sigprocmask(SIG_BLOCK, nullptr, &mask);
  int blocked = 0;
  for (int i = 1; i < NSIG; i++) blocked += sigismember(&mask, i) == 1;
  int open_fds = 0;
  for (int fd = 0; fd < 1024; fd++) open_fds += fcntl(fd, F_GETFD) >= 0;
  int subreaper = 0;
  prctl(PR_GET_CHILD_SUBREAPER, &subreaper);
  rlimit core{};
  getrlimit(RLIMIT_CORE, &core);
  char byte = 0;
  char text[256];
  snprintf(text, sizeof text,
           "{\"blocked\":%d,\"descriptors\":%d,\"subreaper\":%d,\"core\":%d,\"leader\":%d,\"stdin\":%d}", blocked,
           open_fds, subreaper, static_cast<int>(core.rlim_cur), getsid(0) == getpid(),
           static_cast<int>(read(0, &byte, 1)));
  return result(a, text);
}

perdure_status describe(const perdure_attempt* a) {
  const auto text = [](perdure_str s) { return std::string(s.data != nullptr ? s.data : "", s.len); };
  return result(a, "{\"task\":\"" + text(a->task_id) + "\",\"run\":\"" + text(a->run_id) +
                       "\",\"number\":" + std::to_string(a->number) + ",\"context\":" + text(a->context) +
                       ",\"user\":\"" + static_cast<const char*>(a->user) + "\"}");
}

// Asks the host all it answers, once each; the statuses, the run triggered, and the last words.
perdure_status ask_host(const perdure_attempt* a) {
  const perdure_services& services = *a->services;
  const perdure_str tags[] = {PERDURE_STR("x"), PERDURE_STR("y")};
  perdure_trigger trigger{};
  trigger.struct_size = sizeof trigger;
  trigger.task_id = PERDURE_STR("child");
  trigger.payload = PERDURE_STR("[1]");
  trigger.options = PERDURE_STR("{\"ttlMs\":5}");
  perdure_str run{};
  std::string statuses;
  for (const perdure_status status :
       {services.set_metadata(a, PERDURE_META_ROOT, PERDURE_META_APPEND, PERDURE_STR("k\""), PERDURE_STR("[2]")),
        services.add_tags(a, tags, 2), services.stream_append(a, PERDURE_STR("lines"), PERDURE_STR("a\n")),
        services.trigger(a, &trigger, &run)}) {
    statuses += (statuses.empty() ? "" : ",") + std::to_string(status);
  }
  const perdure_str words = services.last_error(a);
  return result(a, "{\"statuses\":[" + statuses + "],\"run\":\"" +
                       std::string(run.data != nullptr ? run.data : "", run.len) + "\",\"words\":\"" +
                       std::string(words.data, words.len) + "\"}");
}

int counter = 0;
perdure_status count(const perdure_attempt* a) { return result(a, std::to_string(++counter)); }

perdure_status close_everything(const perdure_attempt* a) {
  result(a, "1");
  for (int fd = 0; fd < 1024; fd++) close(fd);
  return PERDURE_OK;
}

perdure_status library_path(const perdure_attempt* a) {
  const char* path = getenv("LD_LIBRARY_PATH");
  return result(a, path != nullptr ? "\"" + std::string(path) + "\"" : "null");
}

perdure_status result_from_thread(const perdure_attempt* a) {
  struct Call {
    const perdure_attempt* attempt;
    perdure_status status;
  } call{a, PERDURE_OK};
  pthread_t thread;
  pthread_create(
      &thread, nullptr,
      [](void* raw) -> void* {
        auto* made = static_cast<Call*>(raw);
        made->status = result(made->attempt, "0");
        return nullptr;
      },
      &call);
  pthread_join(thread, nullptr);
  return result(a, std::to_string(call.status));
}

struct Entry {
  const char* id;
  perdure_task_fn run;
};
const Entry kTasks[] = {
#define PERDURE_BEHAVIOUR(name) {#name, name},
    PERDURE_BEHAVIOURS(PERDURE_BEHAVIOUR)
#undef PERDURE_BEHAVIOUR
};

}  // namespace

extern "C" PERDURE_EXPORT perdure_status perdure_register_v1(const perdure_registrar* host) {
  perdure_plugin plugin{};
  plugin.struct_size = sizeof plugin;
  plugin.abi_minor = PERDURE_ABI_MINOR;
  plugin.name = PERDURE_STR("behaviours");
  plugin.version = PERDURE_STR("1.2.3");
  if (const perdure_status s = host->plugin(host, &plugin)) return s;
  perdure_hooks echo_hooks{};
  echo_hooks.struct_size = sizeof echo_hooks;
  echo_hooks.on_wait = echo;
  for (const Entry& entry : kTasks) {
    perdure_task task{};
    task.struct_size = sizeof task;
    task.id = {entry.id, strlen(entry.id)};
    task.options = PERDURE_STR("{\"maxDurationMs\": 5000}");
    task.user = const_cast<char*>("user data");
    task.run = entry.run;
    if (entry.run == echo) task.hooks = &echo_hooks;
    if (const perdure_status s = host->task(host, &task)) return s;
  }
  return PERDURE_OK;
}
