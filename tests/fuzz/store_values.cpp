// Target: the store's values and keys. Input: a letter for the kind of value, eight bytes for how far timer time is
// ahead, sixteen for the id in the key, the value.
#include <string>
#include <utility>
#include <vector>

#include "store/rocks/batch_record.h"
#include "store/rocks/bulk_action_record.h"
#include "store/rocks/keys.h"
#include "store/rocks/live_records.h"
#include "store/rocks/queue_records.h"
#include "store/rocks/records.h"
#include "store/rocks/schedule_record.h"
#include "store/rocks/timer_time.h"
#include "store/rocks/token_record.h"
#include "tests/fuzz/claim.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/targets.h"

namespace perdure::fuzz {
namespace {

using namespace store::rocks;  // NOLINT(google-build-using-namespace): all of it is under test

struct Place {
  PackedId id;
  store::Duration ahead;
};

// What is read and written again comes back as it was: once it has been written, its bytes stay the same.
template <class Decode, class Encode>
void try_value(std::string_view bytes, Decode decode, Encode encode_value) {
  const auto read = decode(bytes);
  if (!read) {
    claim(read.status().code() == store::Code::kCorruption, "what is no value is refused as kCorruption");
    return;
  }
  const std::string written = encode_value(*read);
  const auto again = decode(written);
  claim(again.status().is_ok(), "a value that was read and written can be read");
  claim(encode_value(*again) == written, "a value that was read and written comes back as it was");
  const auto longer = decode(written + '\0');
  claim(longer.status().is_ok() || written.empty(), "what a newer version adds is ignored");
}

template <class T>
std::string encoded(const T& value) {
  return encode(value);
}

void try_run(std::string_view bytes, const Place& place) {
  try_value(
      bytes, [&](std::string_view in) { return decode_run(place.id, in); }, encoded<RunRecord>);
  if (store::Result<RunRecord> record = decode_run(place.id, bytes)) {
    claim(record->run.id == unpack(place.id), "a run has the id of its key");
    store::Run run = record->run;
    to_wall(run, place.ahead);
    record->run = run;
    claim(decode_run(place.id, encode_timed(*record, place.ahead)).is_ok(), "a run in timer time can be read");
  }
}

void try_waiting(std::string_view bytes, const Place& place) {
  try_value(bytes, decode_waiting, encoded<Waiting>);
  if (store::Result<Waiting> waiting = decode_waiting(bytes)) {
    to_wall(*waiting, store::RunStatus::kDelayed, place.ahead);
    claim(decode_waiting(encode_timed(*waiting, store::RunStatus::kDelayed, place.ahead)).is_ok(),
          "a queue entry in timer time can be read");
  }
}

void try_attempt(std::string_view bytes, const Place& place) {
  const store::RunId run = unpack(place.id);
  try_value(
      bytes, [&](std::string_view in) { return decode_attempt(run, in); }, encoded<store::Attempt>);
}

void try_events(std::string_view bytes, const Place&) {
  using Events = std::vector<store::TimelineEvent>;
  const auto decode = [](std::string_view in) -> store::Result<Events> {
    Events events;
    const store::Status read = decode_events(in, events);
    return read ? store::Result<Events>(std::move(events)) : read;
  };
  try_value(bytes, decode, [](const Events& events) { return encode(std::span(events)); });
}

void try_logs(std::string_view bytes, const Place& place) {
  using Entries = std::vector<store::LogEntry>;
  const auto after = [&bytes](std::uint64_t sequence, std::size_t limit) {
    Entries entries;
    const bool read = decode_logs(bytes, sequence, limit, entries).is_ok();
    claim(entries.size() <= limit, "no more entries are read than were asked for");
    for (const store::LogEntry& entry : entries) claim(entry.sequence > sequence, "entries are later than asked for");
    return read;
  };
  const bool first = after(place.id.low, 3);
  const bool all = after(0, bytes.size());
  claim(first || !all, "a part of a log can be read when all of it can");
  Entries entries;
  if (decode_logs(bytes, 0, bytes.size(), entries)) {
    Entries again;
    claim(decode_logs(encode(entries), 0, bytes.size(), again).is_ok() && again == entries,
          "a log comes back as it was");
  }
}

void try_token(std::string_view bytes, const Place& place) {
  try_value(
      bytes, [&](std::string_view in) { return decode_token(place.id, in, place.ahead); },
      [&](const store::Token& token) { return encode(token, place.ahead); });
}

void try_token_timeout(std::string_view bytes, const Place& place) {
  try_value(
      bytes, [&](std::string_view in) { return decode_token_timeout(in, place.ahead); },
      [&](const TokenTimeout& timeout) { return encode(timeout, place.ahead); });
}

void try_stream(std::string_view bytes, const Place&) {
  try_value(bytes, decode_stream_piece, encoded<StreamPiece>);
  const store::Result<StreamPiece> piece = decode_stream_piece(bytes);
  const store::Result<std::uint64_t> size = decode_stream_bytes(bytes);
  claim(!piece || (size && *size == piece->bytes), "the size of a stream can be read alone");
}

// Keys: an id and its text are one, and what a key is made of can be taken out of it again.
void try_keys(std::string_view bytes, const Place& place) {
  const PackedId id{place.id.high & (UINT64_MAX >> 3), place.id.low};
  claim(pack(unpack(id)) == id, "a run's id comes back as it was");
  claim(pack(unpack_schedule(id)) == id, "a schedule's id comes back as it was");
  claim(pack(unpack_batch(id)) == id, "a batch's id comes back as it was");
  claim(pack(unpack_bulk_action(id)) == id, "a bulk action's id comes back as it was");
  claim(pack(unpack_token(id)) == id, "a token's id comes back as it was");
  const PackedId next{id.high, id.low ^ 1};
  claim((id < next) == (unpack(id) < unpack(next)), "packed ids sort as their texts");
  if (const auto packed = pack(store::RunId(std::string(bytes)))) {
    claim(unpack(*packed).text() == bytes, "a text that is an id comes back as it was");
  }

  const std::string_view text = bytes.substr(0, 4096);
  const std::string by_tag = tag_key(text, id);
  claim(by_tag.starts_with(tag_prefix(text)), "a tag's key begins with its prefix");
  claim(run_in_key(by_tag, tag_prefix(text).size()) == id, "the run in a tag's key is found");
  const std::string starts = starts_key(store::QueueName(std::string(text)), text.substr(text.size() / 2));
  const auto parts = sub_queue_in_key(starts);
  claim(parts && parts->first.text() == text && parts->second == text.substr(text.size() / 2),
        "queue and concurrency key are found in their key");
  const std::string stream = stream_key(id, text, place.id.high);
  claim(stream_in_key(stream) == text, "a stream's name is found in its key");
  claim(u64_at_end(stream) == place.id.high, "the sequence at the end of a stream's key is found");
  // … and in what is no such key.
  (void)sub_queue_in_key(bytes);
  (void)stream_in_key(bytes);
  (void)run_in_key(bytes, place.id.low & 0xff);
  (void)u32_at_end(bytes);
  (void)u64_at_end(bytes);
}

template <auto kDecode, class T>
void try_plain(std::string_view bytes, const Place&) {
  try_value(bytes, kDecode, encoded<T>);
}

template <auto kDecode, class T>
void try_with_id(std::string_view bytes, const Place& place) {
  try_value(
      bytes, [&](std::string_view in) { return kDecode(place.id, in); }, encoded<T>);
}

constexpr std::pair<const char*, void (*)(std::string_view, const Place&)> kKinds[] = {
    {"a run", try_run},
    {"b attempt", try_attempt},
    {"c events", try_events},
    {"d logs", try_logs},
    {"e queue entry", try_waiting},
    {"f clock", try_plain<decode_clock, ClockRecord>},
    {"g idempotency key", try_plain<decode_key, KeyRecord>},
    {"h finished", try_plain<decode_finished, FinishedCounts>},
    {"i asked", try_plain<decode_asked, AskedRequest>},
    {"j operations", try_plain<decode_operations, std::vector<store::MetadataOperation>>},
    {"k stream", try_stream},
    {"l call", try_plain<decode_call, store::RecordedCall>},
    {"m queue", try_plain<decode_queue, store::QueueSettings>},
    {"n starts", try_plain<decode_window, store::RateWindow>},
    {"o schedule", try_with_id<decode_schedule, store::Schedule>},
    {"p batch", try_with_id<decode_batch, store::Batch>},
    {"q bulk action", try_with_id<decode_bulk_action, store::BulkAction>},
    {"r token", try_token},
    {"s timeout", try_token_timeout},
    {"t keys", try_keys},
};

}  // namespace

void store_values(std::string_view bytes) {
  Input input(bytes);
  const std::size_t kind = input.letter(std::size(kKinds));
  Place place{};
  place.ahead = store::Duration(input.i64());
  place.id.high = input.u64();
  place.id.low = input.u64();
  kKinds[kind].second(input.rest(), place);
}

}  // namespace perdure::fuzz
