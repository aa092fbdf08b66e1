// Steps of an executing attempt: what an earlier one has recorded, and what this one records.
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <utility>

#include "host/engine/attempt_request.h"
#include "host/engine/core_engine.h"

namespace perdure::engine {
namespace {

store::Result<AskedCall> step_of(const std::vector<store::JsonMember>& members) {
  AskedCall step{number_member(members, "call"), store::CallKind::kStep, text_member(members, "name")};
  if (step.number == 0) return store::Status::invalid("a step's \"call\" is a number from 1");
  return step;
}

store::TimelineEvent step_event(store::Time now, std::uint32_t attempt, const AskedCall& step,
                                std::uint64_t duration_us) {
  store::TimelineEvent event;
  event.at = now;
  event.name = "step";
  event.attempt = attempt;
  event.data = boost::json::serialize(boost::json::object{{"name", step.name}, {"durationUs", duration_us}});
  return event;
}

}  // namespace

void CoreEngine::ask_recall(process::AttemptHandle attempt, const store::Run& run,
                            const process::AttemptRequest& request) {
  const store::Result<std::vector<store::JsonMember>> members = members_of(request.json);
  if (!members) return launcher_.reply(attempt, request.id, reply_of(members.status()));
  const store::Result<AskedCall> step = step_of(*members);
  if (!step) return launcher_.reply(attempt, request.id, reply_of(step.status()));
  store::Result<store::RecordedCall> recorded = store_.recorded_call(run.id, step->number);
  const store::Status status =
      recorded ? check_same_call(run.id, *recorded, step->kind, step->name) : recorded.status();
  process::AttemptReply reply = call_reply(store_, run.id, *step, status);
  if (status) reply.raw = std::move(recorded->result);
  launcher_.reply(attempt, request.id, std::move(reply));
}

void CoreEngine::ask_record(process::AttemptHandle attempt, const Slot& slot, process::AttemptRequest request) {
  const store::Result<std::vector<store::JsonMember>> members = members_of(request.json);
  if (!members) return launcher_.reply(attempt, request.id, reply_of(members.status()));
  const store::Result<AskedCall> step = step_of(*members);
  if (!step) return launcher_.reply(attempt, request.id, reply_of(step.status()));
  store::NewStep record{slot.run.id,  slot.attempt.number, slot.attempt.token,
                        step->number, step->name,          std::move(request.raw)};
  store_.record_step(std::move(record),
                     on_core([this, attempt, id = request.id, step = *step, run = slot.run.id,
                              took = number_member(*members, "durationUs")](const store::Status& status) {
                       launcher_.reply(attempt, id, call_reply(store_, run, step, status));
                       const auto it = slots_.find(attempt);
                       if (!status || it == slots_.end()) return;
                       it->second.events.push_back(step_event(core_.now(), it->second.attempt.number, step, took));
                       write_soon();
                     }));
}

}  // namespace perdure::engine
