// The tasks of the behaviours plugin, in their order, for the plugin and for the tests that start them by number.
#pragma once

#define PERDURE_BEHAVIOURS(X) \
  X(echo)                     \
  X(fail)                     \
  X(status)                   \
  X(throw_error)              \
  X(throw_int)                \
  X(throw_bad_alloc)          \
  X(raise_signal)             \
  X(null_write)               \
  X(overflow_stack)           \
  X(overflow_thread_stack)    \
  X(terminate)                \
  X(leave)                    \
  X(leave_at_once)            \
  X(thread_exit)              \
  X(print)                    \
  X(log_lines)                \
  X(log_bad_fields)           \
  X(large_result)             \
  X(until_cancelled)          \
  X(sleep_forever)            \
  X(ignore_sigterm)           \
  X(stop_itself)              \
  X(daemonize)                \
  X(daemonize_and_stay)       \
  X(child_crashes)            \
  X(surroundings)             \
  X(describe)                 \
  X(ask_host)                 \
  X(count)                    \
  X(close_everything)         \
  X(poll_cancel)              \
  X(config_and_usage)         \
  X(library_path)             \
  X(result_from_thread)
