// Waits of executing attempts: how they begin, how they are answered, and the processes that leave meanwhile. What is
// waited for, and who goes on next, the store knows; here are the processes only.
#include <utility>

#include "host/engine/attempt_request.h"
#include "host/engine/core_engine.h"
#include "host/engine/wait_request.h"

namespace perdure::engine {

using process::AttemptReply;
using protocol::ReplyStatus;

void CoreEngine::ask_wait(process::AttemptHandle attempt, Slot& slot, const process::AttemptRequest& request) {
  store::Result<AskedWait> asked = read_wait(request.json, core_.now());
  if (!asked) return launcher_.reply(attempt, request.id, reply_of(asked.status()));
  if (slot.wait) {
    return launcher_.reply(attempt, request.id,
                           {ReplyStatus::kInvalid, "the attempt waits already; it waits for one thing at a time", {}});
  }
  OpenWait& open = slot.wait.emplace(OpenWait{});
  open.request = request.id;
  open.tell = asked->tell;
  open.single = asked->single;
  store::NewWait wait = std::move(asked->wait);
  wait.run = slot.run.id;
  wait.number = slot.attempt.number;
  wait.token = slot.attempt.token;
  const AskedCall call{wait.wait.call, store::CallKind::kWait, wait.name};
  store_.begin_wait(std::move(wait), on_core([this, attempt, call](store::Result<store::WaitBegun> begun) {
                      wait_began(attempt, call, std::move(begun));
                    }));
}

void CoreEngine::wait_began(process::AttemptHandle attempt, const AskedCall& asked,
                            store::Result<store::WaitBegun> begun) {
  const auto it = slots_.find(attempt);
  if (it == slots_.end() || !it->second.wait) return;
  Slot& slot = it->second;
  OpenWait& open = *slot.wait;
  if (!begun) {
    const std::uint64_t request = open.request;
    slot.wait.reset();
    return launcher_.reply(attempt, request, call_reply(store_, slot.run.id, asked, begun.status()));
  }
  const bool resumed = open.over;  // claimed again before this was heard
  const std::optional<std::uint32_t> first = open.call.wait.first;
  open.call = std::move(begun->call);
  if (resumed) open.call.wait.first = first;
  if (begun->over || resumed) return answer_wait(attempt, slot);
  open.waits = true;
  open.began = core_.now();
  launcher_.wait(attempt, true);
  if (open.call.wait.keeps_slot) {
    ++kept_waits_;
  } else {
    park(slot);
  }
  if (open.tell) launcher_.reply(attempt, open.request, {ReplyStatus::kBegun, {}, {}});
  evict_later(attempt, slot);
  dispatch();
}

// The slot of a run that waits is another's meanwhile, and its memory too.
void CoreEngine::park(Slot& slot) {
  slot.parked = true;
  ++parked_;
  reserved_ -= slot.memory;
  reserved_now_ = reserved_;
  executing_ = busy();
}

void CoreEngine::unpark(Slot& slot) {
  if (!std::exchange(slot.parked, false)) return;
  --parked_;
  reserved_ += slot.memory;
  reserved_now_ = reserved_;
  executing_ = busy();
}

// A run whose process waits was claimed again: its wait is over.
void CoreEngine::go_on(const store::Claim& claim) {
  const auto found = slot_of_.find(claim.run.id);
  if (found == slot_of_.end()) {
    return warn("Run " + claim.run.id.text() + " is to go on after a wait, and no process of it is known here.");
  }
  Slot& slot = slots_.at(found->second);
  unpark(slot);
  if (!slot.wait) return;
  slot.wait->call.wait.first = claim.resumed->first;
  if (slot.wait->waits) return answer_wait(found->second, slot);
  slot.wait->over = true;
}

// Of a wait that is over, or whose attempt is.
CoreEngine::OpenWait CoreEngine::end_wait(process::AttemptHandle attempt, Slot& slot) {
  OpenWait open = *std::exchange(slot.wait, std::nullopt);
  if (open.evict_at) evictions_.erase({*open.evict_at, attempt});
  if (!open.waits) return open;
  slot.entered_at += core_.now() - open.began;
  if (open.call.wait.keeps_slot) --kept_waits_;
  launcher_.wait(attempt, false);
  return open;
}

void CoreEngine::answer_wait(process::AttemptHandle attempt, Slot& slot) {
  const OpenWait open = end_wait(attempt, slot);
  launcher_.reply(attempt, open.request, wait_reply(store_, open.call, open.single));
}

// ---- processes that leave -------------------------------------------------------------------------------------------

void CoreEngine::evict_later(process::AttemptHandle attempt, Slot& slot) {
  const std::optional<store::Duration> after =
      slot.task != nullptr ? slot.task->options.evict_waits_after : std::nullopt;
  if (!after) return;
  const store::Time now = core_.now();
  OpenWait& open = *slot.wait;
  const bool is_all = open.call.wait.mode == store::WaitMode::kAll || open.call.wait.members.size() == 1;
  const bool known_to_last = is_all && open.call.until && *open.call.until - now > *after;
  if (known_to_last) return evict(attempt, slot);
  open.evict_at = now + *after;
  evictions_.emplace(*open.evict_at, attempt);
  evict_timer_->set(evictions_.begin()->first);
}

void CoreEngine::evict_due() {
  const store::Time now = core_.now();
  while (!evictions_.empty() && evictions_.begin()->first <= now) {
    const process::AttemptHandle attempt = evictions_.begin()->second;
    evictions_.erase(evictions_.begin());
    Slot& slot = slots_.at(attempt);
    slot.wait->evict_at.reset();
    evict(attempt, slot);
  }
  evict_timer_->set(evictions_.empty() ? std::nullopt : std::optional(evictions_.begin()->first));
}

// From here on the run has no process as far as the store is concerned; only then is the process asked to leave.
void CoreEngine::evict(process::AttemptHandle attempt, Slot& slot) {
  if (slot.canceling) return;
  store::Usage usage;
  usage.duration = slot.wait->began - slot.entered_at;
  write_events(slot);
  store_.evict(slot.run.id, slot.attempt.number, slot.attempt.token, usage,
               on_core([this, attempt](const store::Status& evicted) {
                 const auto it = slots_.find(attempt);
                 // It goes on already, or the store could not say so: then the process stays.
                 if (!evicted || it == slots_.end() || !it->second.wait) return;
                 Slot& leaving = it->second;
                 leaving.evicted = true;
                 slot_of_.erase(leaving.run.id);
                 launcher_.reply(attempt, end_wait(attempt, leaving).request, {ReplyStatus::kSuspended, {}, {}});
               }));
}

// The process of a run that waits has left, as it was asked to, or any other way: the run does without it.
void CoreEngine::evicted(process::AttemptHandle attempt, Slot& slot) {
  slot.recorded = true;
  if (slot.launched) launcher_.confirm(attempt);
  leave(attempt);
}

}  // namespace perdure::engine
