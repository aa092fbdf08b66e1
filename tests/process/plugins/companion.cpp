// A plugin with nothing but global hooks, to be loaded beside others. There it does what its file is called: crashes,
// exits, exits_silently, hangs, refuses, starts_a_thread.
#include <dlfcn.h>
#include <perdure/plugin.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>

namespace {

// What this file is called, when the process was told to load it beside another plugin.
std::string role() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  const std::string line{std::istreambuf_iterator<char>(file), {}};
  Dl_info self{};
  dladdr(reinterpret_cast<void*>(role), &self);
  std::string name = self.dli_fname;
  if (line.find("--with" + ('\0' + name)) == std::string::npos) return {};
  name = name.substr(name.rfind('/') + 1);
  return name.substr(0, name.rfind('.'));
}

perdure_status nothing(const perdure_attempt*) { return PERDURE_OK; }

void* wait_forever(void*) {
  for (;;) pause();
}

}  // namespace

PERDURE_EXPORT perdure_status perdure_register_v1(const perdure_registrar* host) {
  const std::string as = role();
  if (as == "crashes") abort();
  if (as == "exits") exit(3);
  if (as == "exits_silently") _exit(4);
  if (as == "hangs") wait_forever(nullptr);
  if (as == "refuses") {
    host->fail(host, PERDURE_STR("not beside others"));
    return PERDURE_FAILED;
  }
  if (as == "starts_a_thread") {
    pthread_t thread{};
    pthread_create(&thread, nullptr, wait_forever, nullptr);
  }
  perdure_plugin plugin{};
  plugin.struct_size = sizeof plugin;
  plugin.abi_minor = PERDURE_ABI_MINOR;
  plugin.name = PERDURE_STR("companion");
  if (const perdure_status status = host->plugin(host, &plugin)) return status;
  perdure_hooks hooks{};
  hooks.struct_size = sizeof hooks;
  hooks.on_start_attempt = nothing;
  return host->hooks(host, &hooks, PERDURE_HOOKS_GLOBAL);
}
