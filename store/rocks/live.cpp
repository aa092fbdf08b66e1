// What changes a run besides its status: metadata, tags, streams. See rocks_store.h.
#include <algorithm>
#include <utility>

#include "store/rocks/live_records.h"
#include "store/rocks/rocks_store.h"
#include "store/rocks/stream_index.h"

namespace perdure::store::rocks {
namespace {
Status no_run(const RunId& id) { return Status::not_found("there is no run " + id.text()); }
}  // namespace

Result<RunRecord*> RocksStore::record_to_change(PackedId id, RunRecord& other) {
  const auto executing = hot_.executing.find(id);
  if (executing != hot_.executing.end()) return &executing->second.record;
  Result<RunRecord> stored = stored_run(*database_, id);
  if (!stored) return stored.status();
  other = std::move(*stored);
  return &other;
}

Result<bool> RocksStore::is_repeated(const AttemptRequestId& asked) {
  const std::optional<PackedId> id = asked.request == 0 ? std::nullopt : pack(asked.run);
  const auto found = id ? hot_.executing.find(*id) : hot_.executing.end();
  if (found == hot_.executing.end()) return false;
  std::optional<AskedRequest>& last = found->second.asked;
  if (!last) {
    std::string bytes;
    const Status got = database_->get(Family::kLive, live_prefix(*id, LivePart::kAsked), bytes);
    if (!got && got.code() != Code::kNotFound) return got;
    const Result<AskedRequest> decoded = got ? decode_asked(bytes) : AskedRequest{};
    if (!decoded) return decoded.status();
    last = *decoded;
  }
  return last->number == asked.number && asked.request <= last->request;
}

// A batch that cannot be written leaves the store to be opened again, which forgets what is cached here.
void RocksStore::note(const AttemptRequestId& asked, Batch& batch) {
  const std::optional<PackedId> id = asked.request == 0 ? std::nullopt : pack(asked.run);
  const auto found = id ? hot_.executing.find(*id) : hot_.executing.end();
  if (found == hot_.executing.end()) return;
  found->second.asked = {asked.number, asked.request};
  batch.put(Family::kLive, live_prefix(*id, LivePart::kAsked), encode(*found->second.asked));
}

Status RocksStore::write_unawaited(Batch& batch) {
  Status written = write(batch);
  if (written && commit_thread_idle_) wake_commit_thread();
  return written;
}

void RocksStore::change_metadata(const RunId& run, std::vector<MetadataOperation> operations,
                                 const AttemptRequestId& asked, DoneStatus done) {
  const std::optional<PackedId> id = pack(run);
  if (!id) return done(no_run(run));
  Lock lock(mutex_);
  const auto change = [&]() -> Status {
    if (!health_) return refused();
    RunRecord other;
    const Result<RunRecord*> record = record_to_change(*id, other);
    if (!record || operations.empty()) return record.status();
    Run& changed = (*record)->run;
    const Result<bool> repeated = is_repeated(asked);
    if (!repeated || *repeated) return repeated.status();
    Batch batch(*database_);
    Status done_so = hot_.metadata.change(*database_, *id, changed.options.metadata, operations, batch);
    if (!done_so) return done_so;
    note(asked, batch);
    if (!std::exchange(changed.metadata_changed, true))
      batch.put(Family::kRuns, run_key(*id), encode_timed(**record, batch.ahead()));
    return write_unawaited(batch);
  };
  const Status changed = change();
  lock.unlock();
  done(changed);
}

void RocksStore::add_tags(const RunId& run, const std::vector<std::string>& tags, Done<std::size_t> done) {
  const std::optional<PackedId> id = pack(run);
  if (!id) return done(no_run(run));
  Lock lock(mutex_);
  const auto add = [&]() -> Result<std::size_t> {
    if (!health_) return refused();
    RunRecord other;
    const Result<RunRecord*> record = record_to_change(*id, other);
    if (!record) return record.status();
    std::vector<std::string>& has = (*record)->run.options.tags;
    const Result<std::vector<std::string>> added = tags_to_add(has, tags);
    if (!added) return added.status();
    if (added->empty()) return std::size_t{0};
    has.insert(has.end(), added->begin(), added->end());
    Batch batch(*database_);
    batch.put(Family::kRuns, run_key(*id), encode_timed(**record, batch.ahead()));
    for (const std::string& tag : *added) batch.put(Family::kByTag, tag_key(tag, *id), {});
    if (Status written = write_unawaited(batch); !written) return written;
    return added->size();
  };
  Result<std::size_t> added = add();
  lock.unlock();
  done(std::move(added));
}

void RocksStore::append_stream(StreamAppend append, DoneStatus done) {
  const std::optional<PackedId> id = pack(append.run);
  if (!id) return done(no_run(append.run));
  Lock lock(mutex_);
  const auto add = [&]() -> Status {
    if (!health_) return refused();
    saw_time(append.now);
    std::optional<std::vector<StreamInfo>> unknown;
    const auto executing = hot_.executing.find(*id);
    if (executing == hot_.executing.end()) {
      if (const Result<RunRecord> record = stored_run(*database_, *id); !record) return record.status();
    }
    std::optional<std::vector<StreamInfo>>& streams =
        executing == hot_.executing.end() ? unknown : executing->second.streams;
    if (!streams) {
      Result<std::vector<StreamInfo>> read = stored_streams(*database_, *id);
      if (!read) return read.status();
      streams = std::move(*read);
    }
    if (!space_->may_grow()) {  // what is left is for the ends of attempts
      return Status::no_space("the disk of " + options_.directory + " is nearly full, and streams take no more");
    }
    const Result<bool> repeated = is_repeated(append.asked);
    if (!repeated || *repeated) return repeated.status();
    if (Status checked = check_append(*streams, append.name, append.chunks, append.limit); !checked) return checked;
    if (append.chunks.empty()) return Status::ok();
    auto stream = std::ranges::find(*streams, append.name, &StreamInfo::name);
    if (stream == streams->end()) stream = streams->insert(stream, StreamInfo{append.name, 0, 0});
    stream->chunks += append.chunks.size();
    stream->bytes += stream_bytes(append.chunks);
    Batch batch(*database_);
    note(append.asked, batch);
    batch.put(Family::kLive, stream_key(*id, append.name, stream->chunks),
              encode(StreamPiece{append.now, stream->bytes, std::move(append.chunks)}));
    return write_unawaited(batch);
  };
  const Status appended = add();
  lock.unlock();
  done(appended);
}

}  // namespace perdure::store::rocks
