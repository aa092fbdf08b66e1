/* A plugin in C: one task, "hello-c". */
#include <perdure/plugin.h>

static perdure_status hello(const perdure_attempt* attempt) {
  const perdure_services* services = attempt->services;
  services->log(attempt, PERDURE_INFO, PERDURE_STR("greeting"), PERDURE_STR("{\"from\":\"C\"}"));
  return services->set_result(attempt, PERDURE_STR("{\"message\":\"Hello from C!\"}"));
}

PERDURE_EXPORT perdure_status perdure_register_v1(const perdure_registrar* registrar) {
  perdure_plugin plugin = {.struct_size = sizeof plugin, .abi_minor = PERDURE_ABI_MINOR};
  plugin.name = PERDURE_STR("hello-c");
  plugin.version = PERDURE_STR("1.0.0");
  perdure_status status = registrar->plugin(registrar, &plugin);
  if (status) return status;

  perdure_task task = {.struct_size = sizeof task, .run = hello};
  task.id = PERDURE_STR("hello-c");
  task.options = PERDURE_STR("{\"description\":\"Greets, from C\"}");
  return registrar->task(registrar, &task);
}
