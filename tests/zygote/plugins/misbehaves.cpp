// A plugin that does one wrong thing while it is loaded or registers: the one that PERDURE_FIXTURE names in its
// environment.
#include <fcntl.h>
#include <perdure/plugin.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <string_view>

namespace {

bool asked(std::string_view name) {
  const char* fixture = getenv("PERDURE_FIXTURE");
  return fixture != nullptr && name == fixture;
}

void* wait_forever(void*) {
  for (;;) pause();
}

// As written, whatever a sanitizer would make of it.
__attribute__((no_sanitize("undefined"))) void write_null() { *static_cast<volatile int*>(nullptr) = 1; }

// The order of what a static initialiser can do wrong.
__attribute__((constructor)) void initialise() {
  if (asked("crash")) raise(SIGSEGV);
  if (asked("write-null")) write_null();
  if (asked("abort")) abort();
  if (asked("exit")) exit(0);
  if (asked("exit-3")) exit(3);
  if (asked("_exit")) _exit(0);
  if (asked("hang")) wait_forever(nullptr);
  if (asked("throw")) throw std::runtime_error("thrown by an initialiser");
  if (asked("fork")) fork();
  if (asked("child") && fork() == 0) wait_forever(nullptr);
  if (asked("thread")) {
    pthread_t thread;
    pthread_create(&thread, nullptr, wait_forever, nullptr);
  }
  if (asked("descriptor")) (void)open("/dev/zero", O_RDONLY | O_CLOEXEC);
  if (asked("ignore-children")) signal(SIGCHLD, SIG_IGN);
}

int loads = 0;

perdure_status count(const perdure_attempt* a) {
  loads++;
  return a->services->set_result(a, loads == 1 ? PERDURE_STR("1") : PERDURE_STR("2"));
}

}  // namespace

extern "C" PERDURE_EXPORT perdure_status perdure_register_v1(const perdure_registrar* host) {
  if (asked("register-throw")) throw std::runtime_error("no licence");
  if (asked("register-crash")) raise(SIGSEGV);
  if (asked("register-exit")) exit(0);
  if (asked("register-fail")) {
    host->fail(host, PERDURE_STR("the licence \"A\" is missing"));
    return PERDURE_FAILED;
  }
  if (asked("register-status")) return PERDURE_OUT_OF_MEMORY;
  perdure_plugin plugin{};
  plugin.struct_size = asked("small-plugin") ? 8 : sizeof plugin;
  plugin.abi_minor = asked("newer-minor") ? PERDURE_ABI_MINOR + 1 : PERDURE_ABI_MINOR;
  plugin.name = PERDURE_STR("misbehaves");
  plugin.version = PERDURE_STR("1");
  perdure_task task{};
  task.struct_size = sizeof task;
  task.id = asked("bad-id") ? PERDURE_STR("not an id") : PERDURE_STR("count");
  task.options = asked("bad-options") ? PERDURE_STR("{\"a\":}") : PERDURE_STR("");
  task.run = asked("no-run") ? nullptr : count;
  if (asked("nothing")) return PERDURE_OK;
  if (asked("task-first")) host->task(host, &task);
  host->plugin(host, &plugin);
  if (asked("twice")) host->plugin(host, &plugin);
  if (!asked("no-task")) host->task(host, &task);
  if (asked("duplicate")) host->task(host, &task);
  if (asked("hooks")) {
    perdure_hooks hooks{};
    hooks.struct_size = sizeof hooks;
    hooks.on_start = count;
    hooks.cleanup = count;
    host->hooks(host, &hooks, PERDURE_HOOKS_GLOBAL);
  }
  return PERDURE_OK;
}
