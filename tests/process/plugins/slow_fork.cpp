// A plugin that makes its zygote slow to fork, as a machine that has too much to do does.
#include <perdure/plugin.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

namespace {

constexpr unsigned kMicroseconds = 150'000;

perdure_status wait_for_cancel(const perdure_attempt* a) {
  a->services->log(a, PERDURE_INFO, PERDURE_STR("waiting"), {});
  while (a->services->is_cancelled(a) == 0) usleep(1000);
  return a->services->set_result(a, PERDURE_STR("\"done\""));
}

}  // namespace

extern "C" PERDURE_EXPORT perdure_status perdure_register_v1(const perdure_registrar* host) {
  pthread_atfork([] { usleep(kMicroseconds); }, nullptr, nullptr);
  perdure_plugin plugin{};
  plugin.struct_size = sizeof plugin;
  plugin.abi_minor = PERDURE_ABI_MINOR;
  plugin.name = PERDURE_STR("slow-fork");
  if (const perdure_status s = host->plugin(host, &plugin)) return s;
  perdure_task task{};
  task.struct_size = sizeof task;
  task.id = PERDURE_STR("wait");
  task.run = wait_for_cancel;
  return host->task(host, &task);
}
