// What an executing attempt asks: metadata, tags, streams and triggers; its steps are in steps.cpp. Each request is
// done and answered, or refused with words, before the attempt goes on; what was answered is written, and durable with
// the outcome at the latest.
#include <string_view>
#include <utility>

#include "host/engine/attempt_request.h"
#include "host/engine/child_trigger.h"
#include "host/engine/core_engine.h"
#include "host/process/utf8_text.h"
#include "store/model/json_members.h"

namespace perdure::engine {

using process::AttemptReply;
using protocol::ReplyStatus;
using protocol::RequestKind;

void CoreEngine::on_request(process::AttemptHandle attempt, process::AttemptRequest request) {
  const auto it = slots_.find(attempt);
  if (it == slots_.end()) {
    return launcher_.reply(attempt, request.id, {ReplyStatus::kInvalid, "this is asked of no attempt of a run", {}});
  }
  const store::Run& run = it->second.run;
  switch (request.kind) {
    case RequestKind::kMetadata:
      return ask_metadata(attempt, it->second, std::move(request));
    case RequestKind::kTags:
      return ask_tags(attempt, run, request);
    case RequestKind::kStream:
      return ask_stream(attempt, it->second, request);
    case RequestKind::kTrigger:
      return ask_trigger(attempt, it->second, std::move(request));
    case RequestKind::kBatch:
      return ask_batch(attempt, it->second, request);
    case RequestKind::kRecall:
      return ask_recall(attempt, run, request);
    case RequestKind::kRecord:
      return ask_record(attempt, it->second, std::move(request));
    case RequestKind::kWait:
      return ask_wait(attempt, it->second, request);
    case RequestKind::kTokenCreate:
      return ask_token_create(attempt, it->second, request);
    case RequestKind::kTokenComplete:
      return ask_token_complete(attempt, it->second, std::move(request));
    default:
      launcher_.reply(attempt, request.id, {ReplyStatus::kInvalid, "this host does not answer such a request", {}});
  }
}

void CoreEngine::ask_metadata(process::AttemptHandle attempt, const Slot& slot, process::AttemptRequest request) {
  const store::Run& run = slot.run;
  const std::uint32_t number = slot.attempt.number;
  const auto refuse = [&](const store::Status& why) { launcher_.reply(attempt, request.id, reply_of(why)); };
  const store::Result<std::vector<store::JsonMember>> members = members_of(request.json);
  if (!members) return refuse(members.status());
  store::MetadataOperation operation;
  const auto change = store::parse_metadata_change(text_member(*members, "type"));
  if (!change || *change == store::MetadataChange::kReplace) {
    return refuse(store::Status::invalid("metadata is changed by set, delete, increment, append or remove"));
  }
  operation.change = *change;
  operation.key = text_member(*members, "key");
  operation.value = std::move(request.raw);
  if (store::Status checked = store::check_operation(operation); !checked) return refuse(checked);
  const std::string target = text_member(*members, "target");
  store::RunId whose = run.id;
  if (target == "parent" && !run.parent.empty()) whose = run.parent;
  if (target == "root" && !run.root.empty()) whose = run.root;
  store_.change_metadata(whose, {std::move(operation)}, {run.id, number, request.id},
                         on_core([this, attempt, whose, id = request.id](const store::Status& status) {
                           launcher_.reply(attempt, id, reply_of(status));
                           if (status) watchers_->tell(whose);
                         }));
}

void CoreEngine::ask_tags(process::AttemptHandle attempt, const store::Run& run,
                          const process::AttemptRequest& request) {
  const auto refuse = [&](const store::Status& why) { launcher_.reply(attempt, request.id, reply_of(why)); };
  const store::Result<std::vector<store::JsonMember>> members = members_of(request.json);
  if (!members) return refuse(members.status());
  const auto list = store::find_member(*members, "tags");
  const auto elements = list ? store::json_elements(*list) : std::nullopt;
  if (!elements) return refuse(store::Status::invalid("tags are an array of strings"));
  std::vector<std::string> tags;
  for (const std::string_view element : *elements) tags.push_back(store::json_string(element).value_or(""));
  store_.add_tags(run.id, tags,
                  on_core([this, attempt, whose = run.id, id = request.id](const store::Result<std::size_t>& added) {
                    launcher_.reply(attempt, id, reply_of(added.status()));
                    if (added) watchers_->tell(whose);
                  }));
}

void CoreEngine::ask_stream(process::AttemptHandle attempt, const Slot& slot, const process::AttemptRequest& request) {
  const store::Run& run = slot.run;
  const store::Result<std::vector<store::JsonMember>> members = members_of(request.json);
  if (!members) return launcher_.reply(attempt, request.id, reply_of(members.status()));
  store::StreamAppend append;
  append.run = run.id;
  append.name = text_member(*members, "stream");
  append.chunks.push_back(process::to_utf8(request.raw));
  append.now = core_.now();
  append.limit = options_.stream_limit;
  append.asked = {run.id, slot.attempt.number, request.id};
  store_.append_stream(std::move(append),
                       on_core([this, attempt, whose = run.id, id = request.id](const store::Status& status) {
                         launcher_.reply(attempt, id, reply_of(status));
                         if (status) watchers_->tell(whose);
                       }));
}

void CoreEngine::ask_trigger(process::AttemptHandle attempt, Slot& slot, process::AttemptRequest request) {
  store::Result<TriggerRequest> child =
      read_child_trigger(request.json, std::move(request.raw), slot.run, slot.attempt.number, core_.now());
  if (!child) return launcher_.reply(attempt, request.id, reply_of(child.status()));
  // A run that is waited for runs on the version that waits for it.
  const bool awaited = child->awaited && slot.catalog->find(slot.attempt.version, child->task) != nullptr;
  if (awaited) child->version = slot.attempt.version;
  child->allow_pending = child->allow_pending || options_.allow_pending;
  if (child->on_success) return keep_for_success(attempt, slot, request.id, std::move(*child));
  const AskedCall asked{child->call, store::CallKind::kTrigger, child->task.text()};
  trigger(std::move(*child), on_core([this, attempt, id = request.id, whose = slot.run.id,
                                      asked](const store::Result<Triggered>& triggered) {
            AttemptReply reply = call_reply(store_, whose, asked, triggered.status());
            if (triggered) reply.raw = triggered->id.text();
            launcher_.reply(attempt, id, std::move(reply));
          }));
}

}  // namespace perdure::engine
