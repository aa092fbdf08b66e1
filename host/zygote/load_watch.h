// Speaks for a zygote whose plugin ends it while being loaded: by a fatal signal, or by calling exit(). The refusal is
// sent from the signal handler or the exit handler, so the host learns the reason and not only a death. _exit() and a
// hang leave no word; the host knows the first by the exit code, the second by its deadline. Single-threaded use;
// report_load_crash is async-signal-safe.
#pragma once

namespace perdure::zygote {

/// From now on a death of this process is a failed load, told on `control`. `phase` says what is being executed, as in
/// "while loading"; it must outlive the watch.
void begin_load_watch(int control, const char* phase);
/// Changes what is being executed.
void set_load_phase(const char* phase);
/// The plugin is loaded: deaths are no failed loads any more.
void end_load_watch();

/// Sends the refusal when a load is being watched in this process; called from the fatal-signal handler.
void report_load_crash(int signal);

}  // namespace perdure::zygote
