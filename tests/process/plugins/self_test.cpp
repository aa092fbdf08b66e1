// A plugin whose self test does what PERDURE_SELF_TEST says and adds a byte to the file PERDURE_SELF_TEST_MARK.
#include <fcntl.h>
#include <perdure/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <string_view>

namespace {

[[gnu::noinline]] void write_to_null() {
  volatile int* volatile nowhere = nullptr;
  *nowhere = 1;
}

perdure_status self_test(const perdure_attempt* a) {
  const char* mark = getenv("PERDURE_SELF_TEST_MARK");
  const int file = mark != nullptr ? open(mark, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
  if (file >= 0) (void)!write(file, "x", 1);
  const char* text = getenv("PERDURE_SELF_TEST");
  const std::string_view wish = text != nullptr ? text : "";
  if (wish == "fail") {
    puts("printed by the test");
    a->services->log(a, PERDURE_INFO, PERDURE_STR("looked"), {});
    perdure_error error{};
    error.struct_size = sizeof error;
    error.message = PERDURE_STR("no model");
    a->services->set_error(a, &error);
    return PERDURE_FAILED;
  }
  if (wish == "crash") write_to_null();
  if (wish == "exit") exit(3);
  while (wish == "hang") pause();
  return PERDURE_OK;
}

perdure_status null(const perdure_attempt* a) { return a->services->set_result(a, PERDURE_STR("null")); }

}  // namespace

extern "C" PERDURE_EXPORT perdure_status perdure_register_v1(const perdure_registrar* host) {
  perdure_plugin plugin{};
  plugin.struct_size = sizeof plugin;
  plugin.abi_minor = PERDURE_ABI_MINOR;
  plugin.name = PERDURE_STR("self-test");
  plugin.self_test = self_test;
  perdure_task task{};
  task.struct_size = sizeof task;
  task.id = PERDURE_STR("null");
  task.run = null;
  const perdure_status status = host->plugin(host, &plugin);
  return status != PERDURE_OK ? status : host->task(host, &task);
}
