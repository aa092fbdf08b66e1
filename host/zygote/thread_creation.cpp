// pthread_create as plugins see it: the executable's own, found before the C library's. It gives every thread that a
// task starts a signal stack, so that a stack overflow in it is reported like any other crash; without one the kernel
// kills the process before the handler runs. Left out under sanitizers, which stand in the same place.
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>

#include "host/zygote/crash.h"

namespace perdure::zygote {
namespace {

using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);

struct Start {
  void* (*function)(void*);
  void* argument;
};

void* run_with_signal_stack(void* raw) {
  const Start start = *static_cast<Start*>(raw);
  free(raw);
  const SignalStack stack;  // also undone when the thread is cancelled or calls pthread_exit: both unwind
  return start.function(start.argument);
}

Create next_create() {
  static const Create create = reinterpret_cast<Create>(dlsym(RTLD_NEXT, "pthread_create"));
  return create;
}

}  // namespace
}  // namespace perdure::zygote

extern "C" __attribute__((visibility("default"))) int pthread_create(pthread_t* thread,
                                                                     const pthread_attr_t* attributes,
                                                                     void* (*function)(void*),
                                                                     void* argument) noexcept {
  using namespace perdure::zygote;
  auto* start = static_cast<Start*>(malloc(sizeof(Start)));
  if (start == nullptr) return next_create()(thread, attributes, function, argument);
  *start = {function, argument};
  const int error = next_create()(thread, attributes, run_with_signal_stack, start);
  if (error != 0) free(start);
  return error;
}
