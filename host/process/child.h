// The host's end of one child process: its attempt socket and output pipes, the attempt it serves, and how both end.
// Whatever it says is checked against the table in child_state.h; what is not allowed ends it. Core thread only.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "host/os/process.h"
#include "host/os/unique_fd.h"
#include "host/process/attempt.h"
#include "host/process/child_state.h"
#include "host/process/deadlines.h"
#include "host/process/descriptor_events.h"
#include "host/process/output_capture.h"
#include "host/process/shared.h"
#include "host/protocol/roster.h"

namespace perdure::process {

class Zygote;

class Child final : public Watcher, public Timed, public LineSink {
 public:
  struct Ends {
    os::UniqueFd link, out, err;
  };
  /// A child that was forked ahead (`pid` known), or one that the zygote is asked for now (`pid` 0).
  Child(Shared& shared, Zygote& zygote, std::uint64_t id, pid_t pid, Ends ends);

  [[nodiscard]] std::uint64_t id() const { return id_; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  /// The process whose child it is.
  [[nodiscard]] pid_t parent() const;
  [[nodiscard]] ChildState state() const { return state_; }
  [[nodiscard]] std::uint32_t served() const { return served_; }
  [[nodiscard]] Attempt* attempt() const { return attempt_; }
  /// Whether it may serve such an attempt after those it has served: not too many, all in one sandbox and on one
  /// machine.
  [[nodiscard]] bool may_serve(const AttemptSpec& spec) const;
  /// Goes on with an attempt that it executes already, the `ordinal`th that it was given, by a host before this one.
  /// `roster`: the attempt's place there.
  void take_over(Attempt& attempt, std::uint32_t ordinal, std::uint32_t roster);
  /// Whether the zygote counts it as a spare still.
  bool spare = false;

  enum class Given : std::uint8_t { kYes, kGone, kImpossible };
  /// Sends it `attempt`. Idle or forking children only. kGone: this child cannot; another may. kImpossible: errno says
  /// why.
  Given give(Attempt& attempt);

  // What the zygote says of it.
  void born(pid_t pid);
  /// It and its descendants are dead. The zygote destroys it afterwards.
  void died(const os::Ended& ended);
  /// Its zygote is dead, and so is it, killed by the host: what is undecided is HOST_LOST.
  void lost(const std::string& why);

  // What the engine wants.
  void confirm();
  void stop(StopReason reason, const std::string& words);
  void reply(std::uint64_t request, const AttemptReply& reply);
  void wait(bool waits);

  /// Its processes used more memory than they may.
  void out_of_memory();

  /// The backtrace that was asked for, as far as there is one, and what became of the core file.
  void backtrace_taken(BacktraceRequests::Taken taken);
  /// Hears nothing of it any more, and leaves it as it is.
  void let_go();
  /// Lets an idle child leave.
  void dismiss();
  /// The attempt of a child that could not be born, for another one to serve. May be null.
  Attempt* disown();

  void on_event(std::uint32_t which, std::uint32_t events) override;
  void on_deadline(Instant now) override;
  void on_line(bool is_stderr, std::string_view line) override;

 private:
  enum : std::uint32_t { kLink, kOut, kErr };

  // child_frames.cpp: what comes over the link
  void read_link(int frames);
  void on_frame(const protocol::Incoming& frame);
  void on_outcome(const protocol::Incoming& frame);
  void on_log(const protocol::Incoming& frame);
  void on_crash(const protocol::Incoming& frame);
  [[nodiscard]] std::optional<CoreWanted> core_wanted() const;
  void on_link_gone();
  void on_request(const protocol::Incoming& frame);

  // child_hooks.cpp: hooks that execute in it
  void on_judge(const protocol::Incoming& frame);
  void on_span(const protocol::Incoming& frame);
  void tell_hook(HookSpan span);
  void tell_open_hooks(const store::Failure& failure);
  [[nodiscard]] Instant hook_due() const;
  void end_overdue_hook(Instant now);
  void tell_log(store::LogSource source, store::LogLevel level, store::Time at, std::string message,
                std::string fields = {});
  void tell_result(AttemptResult result);

  // child_limits.cpp: what it may use, and what it used
  void on_usage(const protocol::Incoming& frame);
  [[nodiscard]] Instant moment() const;
  void limit();
  [[nodiscard]] std::optional<store::Failure> memory_failure() const;
  void see_memory(AttemptResult& result);
  void add_memory_facts(store::Failure& failure) const;
  [[nodiscard]] std::uint64_t peak_memory() const;
  void add_usage(store::Usage& usage) const;
  void leave_limits();

  // child.cpp
  bool advance(ChildEvent event);
  void strike_off();
  bool send(protocol::Kind kind, std::uint32_t arg, std::string_view json = {});
  void settle();
  void close_link();
  void close_all();
  void violation(const std::string& what);
  void ask_to_end(store::Failure verdict, std::uint32_t why, std::chrono::milliseconds grace, Instant now,
                  const std::string& words = {});
  [[nodiscard]] bool judged() const { return attempt_ != nullptr && attempt_->judgements > 0; }
  void apply_verdict(AttemptResult& result) const;
  void kill_now(Instant now);
  void resume(Instant now);
  void schedule();
  [[nodiscard]] std::chrono::milliseconds stall_after() const;
  void check_limits(Instant now);
  void take_next_step(Instant now);
  void wait_on_or_give_up(Instant now);
  void finish(store::Failure failure, const os::Ended* ended);

  Shared& shared_;
  Zygote& zygote_;
  const std::uint64_t id_;
  pid_t pid_;
  os::UniqueFd link_;
  OutputCapture out_, err_;
  ChildState state_;
  bool link_watched_ = false;
  bool settled_ = false;    // has lived for longer than a moment, so its output is watched
  bool limited_ = false;    // the attempt has executed for a moment, so its memory is limited
  bool recyclable_ = true;  // may serve another attempt
  bool killed_ = false;
  bool late_ = false;                               // not forked in time
  bool adopted_ = false;                            // its attempt was started by another host
  bool resending_ = false;                          // … and has not begun to send again what that one may have read
  std::uint64_t adoption_ = 0;                      // by which it will say so
  std::uint32_t roster_ = protocol::Roster::kNone;  // the attempt's place in it
  std::uint32_t served_ = 0;
  store::Sandbox sandbox_;
  Attempt* attempt_ = nullptr;
  Instant last_sign_{};           // of life
  Instant due_ = Instant::max();  // of take_next_step
  std::shared_ptr<GuardedTree> guarded_;
  std::chrono::microseconds cpu_before_{};  // of earlier attempts
};

}  // namespace perdure::process
