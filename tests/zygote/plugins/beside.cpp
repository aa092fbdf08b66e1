// A plugin that needs a library which lies beside it.
#include <perdure/plugin.h>

extern "C" int perdure_fixture_library();

namespace {
perdure_status answer(const perdure_attempt* a) {
  return perdure_fixture_library() == 42 ? a->services->set_result(a, PERDURE_STR("42")) : PERDURE_FAILED;
}
}  // namespace

extern "C" PERDURE_EXPORT perdure_status perdure_register_v1(const perdure_registrar* host) {
  perdure_plugin plugin{};
  plugin.struct_size = sizeof plugin;
  plugin.name = PERDURE_STR("beside");
  perdure_task task{};
  task.struct_size = sizeof task;
  task.id = PERDURE_STR("answer");
  task.run = answer;
  const perdure_status status = host->plugin(host, &plugin);
  return status != PERDURE_OK ? status : host->task(host, &task);
}
