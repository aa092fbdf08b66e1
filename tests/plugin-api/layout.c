#include "layout.h"

#include <perdure/plugin.h>
#include <stddef.h>
#include <stdio.h>

struct entry {
  const char* name;
  long offset; /* -1: a whole struct, -2: a constant */
  long size;   /* or the constant's value */
};

#define STRUCT(type) \
  { #type, -1, (long)sizeof(type) }
#define MEMBER(type, member) \
  { #type "." #member, (long)offsetof(type, member), (long)sizeof(((type*)0)->member) }
#define CONSTANT(name) \
  { #name, -2, (long)(name) }

static const struct entry entries[] = {
    CONSTANT(PERDURE_ABI_MAJOR),
    CONSTANT(PERDURE_HOOKS_GLOBAL),
    CONSTANT(PERDURE_OK),
    CONSTANT(PERDURE_FAILED),
    CONSTANT(PERDURE_ABORTED),
    CONSTANT(PERDURE_OUT_OF_MEMORY),
    CONSTANT(PERDURE_CANCELLED),
    CONSTANT(PERDURE_SUSPENDED),
    CONSTANT(PERDURE_TIMED_OUT),
    CONSTANT(PERDURE_CHILD_FAILED),
    CONSTANT(PERDURE_NOT_FOUND),
    CONSTANT(PERDURE_INVALID),
    CONSTANT(PERDURE_DISCONNECTED),
    CONSTANT(PERDURE_TRACE),
    CONSTANT(PERDURE_DEBUG),
    CONSTANT(PERDURE_INFO),
    CONSTANT(PERDURE_WARN),
    CONSTANT(PERDURE_ERROR),
    CONSTANT(PERDURE_META_SET),
    CONSTANT(PERDURE_META_DELETE),
    CONSTANT(PERDURE_META_INCREMENT),
    CONSTANT(PERDURE_META_APPEND),
    CONSTANT(PERDURE_META_REMOVE),
    CONSTANT(PERDURE_META_SELF),
    CONSTANT(PERDURE_META_PARENT),
    CONSTANT(PERDURE_META_ROOT),
    STRUCT(perdure_str),
    MEMBER(perdure_str, data),
    MEMBER(perdure_str, len),
    STRUCT(perdure_next),
    MEMBER(perdure_next, struct_size),
    MEMBER(perdure_next, host),
    MEMBER(perdure_next, call),
    STRUCT(perdure_hooks),
    MEMBER(perdure_hooks, struct_size),
    MEMBER(perdure_hooks, user),
    MEMBER(perdure_hooks, middleware),
    MEMBER(perdure_hooks, on_start_attempt),
    MEMBER(perdure_hooks, on_start),
    MEMBER(perdure_hooks, init),
    MEMBER(perdure_hooks, on_success),
    MEMBER(perdure_hooks, catch_error),
    MEMBER(perdure_hooks, on_failure),
    MEMBER(perdure_hooks, on_complete),
    MEMBER(perdure_hooks, cleanup),
    MEMBER(perdure_hooks, on_wait),
    MEMBER(perdure_hooks, on_resume),
    MEMBER(perdure_hooks, on_cancel),
    STRUCT(perdure_task),
    MEMBER(perdure_task, struct_size),
    MEMBER(perdure_task, id),
    MEMBER(perdure_task, options),
    MEMBER(perdure_task, user),
    MEMBER(perdure_task, run),
    MEMBER(perdure_task, hooks),
    STRUCT(perdure_plugin),
    MEMBER(perdure_plugin, struct_size),
    MEMBER(perdure_plugin, abi_minor),
    MEMBER(perdure_plugin, flags),
    MEMBER(perdure_plugin, name),
    MEMBER(perdure_plugin, version),
    MEMBER(perdure_plugin, self_test),
    MEMBER(perdure_plugin, user),
    MEMBER(perdure_plugin, drop_local),
    STRUCT(perdure_registrar),
    MEMBER(perdure_registrar, struct_size),
    MEMBER(perdure_registrar, abi_major),
    MEMBER(perdure_registrar, abi_minor),
    MEMBER(perdure_registrar, host),
    MEMBER(perdure_registrar, plugin),
    MEMBER(perdure_registrar, task),
    MEMBER(perdure_registrar, hooks),
    MEMBER(perdure_registrar, fail),
    STRUCT(perdure_attempt),
    MEMBER(perdure_attempt, struct_size),
    MEMBER(perdure_attempt, services),
    MEMBER(perdure_attempt, host),
    MEMBER(perdure_attempt, user),
    MEMBER(perdure_attempt, task_id),
    MEMBER(perdure_attempt, run_id),
    MEMBER(perdure_attempt, payload),
    MEMBER(perdure_attempt, context),
    MEMBER(perdure_attempt, event),
    MEMBER(perdure_attempt, init),
    MEMBER(perdure_attempt, number),
    MEMBER(perdure_attempt, replay),
    STRUCT(perdure_error),
    MEMBER(perdure_error, struct_size),
    MEMBER(perdure_error, type),
    MEMBER(perdure_error, message),
    MEMBER(perdure_error, detail),
    MEMBER(perdure_error, retry_at_ms),
    MEMBER(perdure_error, stack),
    STRUCT(perdure_trigger),
    MEMBER(perdure_trigger, struct_size),
    MEMBER(perdure_trigger, task_id),
    MEMBER(perdure_trigger, payload),
    MEMBER(perdure_trigger, options),
    STRUCT(perdure_services),
    MEMBER(perdure_services, struct_size),
    MEMBER(perdure_services, set_result),
    MEMBER(perdure_services, set_error),
    MEMBER(perdure_services, last_error),
    MEMBER(perdure_services, release),
    MEMBER(perdure_services, log),
    MEMBER(perdure_services, set_metadata),
    MEMBER(perdure_services, add_tags),
    MEMBER(perdure_services, stream_append),
    MEMBER(perdure_services, heartbeat),
    MEMBER(perdure_services, is_cancelled),
    MEMBER(perdure_services, cancel_fd),
    MEMBER(perdure_services, config),
    MEMBER(perdure_services, usage),
    MEMBER(perdure_services, memo_get),
    MEMBER(perdure_services, memo_put),
    MEMBER(perdure_services, trigger),
    MEMBER(perdure_services, trigger_and_wait),
    MEMBER(perdure_services, batch_trigger),
    MEMBER(perdure_services, batch_trigger_and_wait),
    MEMBER(perdure_services, wait_for),
    MEMBER(perdure_services, wait_until),
    MEMBER(perdure_services, token_create),
    MEMBER(perdure_services, token_wait),
    MEMBER(perdure_services, token_complete),
    MEMBER(perdure_services, local),
    MEMBER(perdure_services, await_result),
    MEMBER(perdure_services, wait_many),
};

const char* layout_line(int number) {
  static char line[200];
  if (number < 0 || (size_t)number >= sizeof entries / sizeof entries[0]) return NULL;
  const struct entry* e = &entries[number];
  if (e->offset == -2) {
    snprintf(line, sizeof line, "%s = %ld", e->name, e->size);
  } else if (e->offset == -1) {
    snprintf(line, sizeof line, "%s %ld", e->name, e->size);
  } else {
    snprintf(line, sizeof line, "%s %ld %ld", e->name, e->offset, e->size);
  }
  return line;
}
