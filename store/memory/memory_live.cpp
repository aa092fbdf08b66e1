// What changes a run besides its status: metadata, tags, streams, children. See memory_store.h.
#include <utility>

#include "store/memory/mutation.h"
#include "store/model/metadata_document.h"

namespace perdure::store {
namespace {
Status no_run(const RunId& id) { return Status::not_found("there is no run " + id.text()); }
}  // namespace

bool MemoryStore::is_repeated(const AttemptRequestId& asked) const {
  const auto found = asked.request == 0 ? runs_.end() : runs_.find(asked.run);
  return found != runs_.end() && found->second.asking == asked.number && asked.request <= found->second.asked;
}

void MemoryStore::note(const AttemptRequestId& asked) {
  const auto found = asked.request == 0 ? runs_.end() : runs_.find(asked.run);
  if (found == runs_.end() || found->second.run.status != RunStatus::kExecuting) return;
  found->second.asking = asked.number;
  found->second.asked = asked.request;
}

void MemoryStore::change_metadata(const RunId& run, std::vector<MetadataOperation> operations,
                                  const AttemptRequestId& asked, DoneStatus done) {
  if (Status admitted = admit("change_metadata"); !admitted) return done(admitted);
  Status changed = no_run(run);
  {
    std::lock_guard lock(mutex_);
    if (const auto found = runs_.find(run); found != runs_.end()) {
      Entry& entry = found->second;
      MetadataDocument document(entry.metadata);
      const bool repeated = is_repeated(asked);
      changed = repeated ? Status::ok() : document.change(operations);
      if (changed && !operations.empty() && !repeated) {
        entry.metadata = document.text();
        entry.run.metadata_changed = true;
        note(asked);
      }
    }
  }
  done(changed);
}

void MemoryStore::add_tags(const RunId& run, const std::vector<std::string>& tags, Done<std::size_t> done) {
  if (Status admitted = admit("add_tags"); !admitted) return done(admitted);
  Result<std::vector<std::string>> added = no_run(run);
  {
    std::lock_guard lock(mutex_);
    if (const auto found = runs_.find(run); found != runs_.end()) {
      std::vector<std::string>& has = found->second.run.options.tags;
      added = tags_to_add(has, tags);
      if (added) has.insert(has.end(), added->begin(), added->end());
    }
  }
  done(added ? Result<std::size_t>(added->size()) : added.status());
}

std::vector<StreamInfo> MemoryStore::infos(const Entry& entry) {
  std::vector<StreamInfo> streams;
  for (const auto& [name, chunks] : entry.streams) {
    StreamInfo& info = streams.emplace_back(StreamInfo{name, chunks.size(), 0});
    for (const StreamChunk& chunk : chunks) info.bytes += stream_bytes({chunk.text});
  }
  return streams;
}

void MemoryStore::append_stream(StreamAppend append, DoneStatus done) {
  if (Status admitted = admit("append_stream"); !admitted) return done(admitted);
  Status appended = no_run(append.run);
  {
    std::lock_guard lock(mutex_);
    if (const auto found = runs_.find(append.run); found != runs_.end()) {
      Entry& entry = found->second;
      const bool repeated = is_repeated(append.asked);
      appended = repeated ? Status::ok() : check_append(infos(entry), append.name, append.chunks, append.limit);
      if (appended && !append.chunks.empty() && !repeated) {
        note(append.asked);
        std::vector<StreamChunk>& chunks = entry.streams[append.name];
        for (std::string& text : append.chunks) chunks.push_back({chunks.size() + 1, append.now, std::move(text)});
      }
    }
  }
  done(appended);
}

Result<std::optional<RunId>> MemoryStore::called_before(const NewRun& created) const {
  const Entry* const parent = created.call == 0 ? nullptr : find(created.parent);
  if (parent == nullptr) return std::optional<RunId>();
  const RecordedCall* const call = standing_call(*parent, created.call);
  if (call == nullptr) return std::optional<RunId>();
  if (Status same = check_same_call(created.parent, *call, CallKind::kTrigger, created.task.text()); !same) {
    return same;
  }
  return std::optional(call->child);
}

// One whose run was removed stands for nothing.
const RecordedCall* MemoryStore::standing_call(const Entry& entry, std::uint64_t call) const {
  const auto found = entry.calls.find(call);
  if (found == entry.calls.end()) return nullptr;
  const bool removed = found->second.kind == CallKind::kTrigger && !runs_.contains(found->second.child);
  return removed ? nullptr : &found->second;
}

void MemoryStore::record_step(NewStep step, DoneStatus done) {
  if (Status admitted = admit("record_step"); !admitted) return done(admitted);
  Mutation mutation(*this);
  mutation.finish([done = std::move(done), recorded = record(std::move(step))] { done(recorded); });
}

Status MemoryStore::record(NewStep step) {
  if (Status checked = check_step(step.name, step.result); !checked) return checked;
  const Result<const RecordedCall*> before =
      recorded_by({step.run, step.number, step.token, step.call}, CallKind::kStep, step.name);
  if (!before) return before.status();
  if (*before == nullptr) {
    runs_.at(step.run).calls[step.call] = {CallKind::kStep, std::move(step.name), std::move(step.result), {}};
  }
  return Status::ok();
}

Result<const RecordedCall*> MemoryStore::recorded_by(const AttemptCall& by, CallKind kind,
                                                     std::string_view name) const {
  const Result<const Entry*> process = process_of(by.run, by.number, by.token);
  if (!process) return process.status();
  const Entry& entry = **process;
  const RecordedCall* const before = standing_call(entry, by.call);
  if (before == nullptr) return before;
  if (Status same = check_same_call(by.run, *before, kind, name); !same) return same;
  return before;
}

Result<RecordedCall> MemoryStore::recorded_call(const RunId& run, std::uint64_t call) const {
  Result<RecordedCall> found = Status::not_found("run " + run.text() + " has recorded no call " + std::to_string(call));
  const auto copy = [&](const Entry& entry) {
    if (const RecordedCall* const standing = standing_call(entry, call)) found = *standing;
    return true;
  };
  if (const Result<bool> there = read<bool>(run, copy); !there) return there.status();
  return found;
}

Result<std::string> MemoryStore::metadata(const RunId& id) const {
  return read<std::string>(id, [](const Entry& entry) { return entry.metadata; });
}

Result<std::vector<StreamInfo>> MemoryStore::streams(const RunId& id) const {
  return read<std::vector<StreamInfo>>(id, [](const Entry& entry) { return infos(entry); });
}

Result<std::vector<StreamChunk>> MemoryStore::read_stream(const RunId& id, const std::string& name, std::uint64_t after,
                                                          std::size_t limit) const {
  return read<std::vector<StreamChunk>>(id, [&](const Entry& entry) {
    std::vector<StreamChunk> page;
    const auto found = entry.streams.find(name);
    if (found == entry.streams.end()) return page;
    std::size_t bytes = 0;
    for (const StreamChunk& chunk : found->second) {
      if (chunk.sequence <= after) continue;
      if (page.size() >= limit || bytes >= kStreamPage) break;
      bytes += chunk.text.size();
      page.push_back(chunk);
    }
    return page;
  });
}

Result<std::vector<RunId>> MemoryStore::children(const RunId& parent, const RunId& after, std::size_t limit) const {
  return read<std::vector<RunId>>(parent, [&](const Entry& entry) {
    std::vector<RunId> page;
    for (auto child = entry.children.upper_bound(after); child != entry.children.end() && page.size() < limit;
         ++child) {
      page.push_back(*child);
    }
    return page;
  });
}

}  // namespace perdure::store
