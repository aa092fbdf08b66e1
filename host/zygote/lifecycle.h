// One attempt with hooks from the first to the last, in the order that plugin.h gives (perdure_hooks). Attempts of
// tasks without any do not come here (attempt.cpp). Attempt's thread; on_cancel is called on one of its own.
#pragma once

#include <string>
#include <vector>

#include "host/zygote/hook_span.h"
#include "host/zygote/outcome_frames.h"
#include "host/zygote/plugin_call.h"
#include "host/zygote/registration.h"

namespace perdure::zygote {

/// Whether hooks stand around `task`.
bool has_hooks(const Registration& registration, const TaskEntry& task);

/// Destroys what the attempt's functions kept for each other, when they did: those of the task's plugin, or of `guest`.
void drop_local(AttemptState& state, const perdure_attempt& attempt, const DropLocal& drop, Guest* guest = nullptr);

class Lifecycle : private AttemptState::AroundWait {
 public:
  /// `attempt` is what all functions of the attempt are given alike.
  Lifecycle(const Registration& registration, const TaskEntry& task, AttemptState& state,
            const perdure_attempt& attempt);

  /// Executes the attempt and sends its outcome.
  void execute();
  /// Calls the hooks that state.info.only names and nothing else, and sends that this is done.
  void execute_only();

 private:
  using Hook = perdure_task_fn perdure_hooks::*;
  struct Named {
    Hook hook;
    const char* name;
    protocol::Caller caller;
  };
  struct Table {
    const perdure_hooks* hooks;
    Scope scope;
    Guest* guest = nullptr;
  };
  /// A plugin beside the task's own, whose global hooks are among the tables.
  struct Beside {
    const Registration* registration;
    Guest guest;
  };
  /// What a middleware stands around.
  struct Inner {
    Lifecycle* self;
    std::size_t depth;
    bool called = false;
    Ended ended{};
  };
  enum class Errors : std::uint8_t { kCount, kIgnored };

  static const Named kOnStartAttempt, kOnStart, kInit, kCleanup, kCatchError, kOnSuccess, kOnFailure, kOnComplete,
      kOnCancel, kOnWait, kOnResume;

  void add_global_hooks();
  std::string_view config_of(const std::string& plugin) const;
  void drop_locals();
  bool has(const Named& hook) const;
  bool is_listed(const Named& hook) const;
  bool out_of_time() const;
  Ended call(const Table& table, const Named& hook, std::string_view event, Errors errors);
  void each_ignored(const Named& hook, std::string_view event);
  Ended start_attempt();
  Ended around(std::size_t depth);
  static perdure_status call_next(const perdure_next* next) noexcept;
  Ended inside();
  Ended clean_up(Ended run);

  void before(const std::string& event) override;
  void after(const std::string& event) override;

  void watch_cancel();
  static void on_cancel(void* self);

  bool wants_judgement(const Ended& ended) const;
  /// Has the outcome judged, asks catch_error, announces.
  void conclude(const Ended& ended);
  std::optional<Judgement> catch_error(const Ended& ended, Judgement judgement);
  void announce(const Ended& ended, const Judgement& judgement);

  const Registration& registration_;
  const TaskEntry& task_;
  AttemptState& state_;
  const perdure_attempt& attempt_;
  std::vector<Beside> beside_;
  std::vector<Table> tables_;  // the outermost first
  std::string init_;           // what init set
};

}  // namespace perdure::zygote
