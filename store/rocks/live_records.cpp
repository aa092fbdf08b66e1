#include "store/rocks/live_records.h"

#include <utility>

#include "store/rocks/codec.h"
#include "store/rocks/wait_record.h"

namespace perdure::store::rocks {
namespace {

// The first version of a call is a trigger; a call of another kind has this one.
constexpr std::uint8_t kOtherCall = 2;

}  // namespace

std::string encode(const std::vector<MetadataOperation>& operations) {
  std::string bytes;
  Encoder out(bytes);
  out.u8(kValueVersion);
  out.u64(operations.size());
  for (const MetadataOperation& operation : operations) {
    out.u8(static_cast<std::uint8_t>(operation.change));
    out.text(operation.key);
    out.text(operation.value);
  }
  return bytes;
}

Result<std::vector<MetadataOperation>> decode_operations(std::string_view bytes) {
  Decoder in(bytes);
  if (!has_version(in)) return damaged("change of metadata");
  std::vector<MetadataOperation> operations;
  const std::size_t count = in.count();
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    MetadataOperation operation;
    operation.change = in.one_of(MetadataChange::kSet, MetadataChange::kReplace);
    operation.key = in.string();
    operation.value = in.string();
    operations.push_back(std::move(operation));
  }
  if (!in.ok()) return damaged("change of metadata");
  return operations;
}

std::string encode(const StreamPiece& piece) {
  std::string bytes;
  std::size_t size = 32;
  for (const std::string& chunk : piece.chunks) size += chunk.size() + 4;
  bytes.reserve(size);
  Encoder out(bytes);
  out.u8(kValueVersion);
  out.u64(piece.bytes);
  out.time(piece.at);
  out.u64(piece.chunks.size());
  for (const std::string& chunk : piece.chunks) out.text(chunk);
  return bytes;
}

Result<std::uint64_t> decode_stream_bytes(std::string_view bytes) {
  Decoder in(bytes);
  if (!has_version(in)) return damaged("piece of a stream");
  const std::uint64_t total = in.u64();
  if (!in.ok()) return damaged("piece of a stream");
  return total;
}

Result<StreamPiece> decode_stream_piece(std::string_view bytes) {
  Decoder in(bytes);
  if (!has_version(in)) return damaged("piece of a stream");
  StreamPiece piece;
  piece.bytes = in.u64();
  piece.at = in.time();
  const std::size_t count = in.count();
  for (std::size_t i = 0; i < count && in.ok(); ++i) piece.chunks.push_back(in.string());
  if (!in.ok()) return damaged("piece of a stream");
  return piece;
}

std::string encode(const AskedRequest& asked) {
  std::string bytes;
  Encoder out(bytes);
  out.u8(kValueVersion);
  out.u64(asked.number);
  out.u64(asked.request);
  return bytes;
}

Result<AskedRequest> decode_asked(std::string_view bytes) {
  Decoder in(bytes);
  if (!has_version(in)) return damaged("last request of an attempt");
  AskedRequest asked;
  asked.number = static_cast<std::uint32_t>(in.u64());
  asked.request = in.u64();
  if (!in.ok()) return damaged("last request of an attempt");
  return asked;
}

std::string encode(const RecordedCall& call) {
  std::string bytes;
  Encoder out(bytes);
  if (call.kind == CallKind::kTrigger) {
    const PackedId child = pack(call.child).value_or(PackedId{});
    out.u8(kValueVersion);
    out.u64(child.high);
    out.u64(child.low);
    out.text(call.name);
    return bytes;
  }
  bytes.reserve(call.name.size() + call.result.size() + 16);
  out.u8(kOtherCall);
  out.u8(static_cast<std::uint8_t>(call.kind));
  out.text(call.name);
  if (call.kind == CallKind::kWait) {
    out.time(call.until);
    out.flag(call.calendar);
    put_wait(out, call.wait);
  } else {
    out.text(call.result);
  }
  return bytes;
}

Result<RecordedCall> decode_call(std::string_view bytes) {
  Decoder in(bytes);
  const std::uint8_t version = in.u8();
  RecordedCall call;
  if (version == kValueVersion) {
    call.kind = CallKind::kTrigger;
    const std::uint64_t high = in.u64();
    call.child = unpack({high, in.u64()});
    call.name = in.string();
  } else if (version == kOtherCall) {
    call.kind = in.one_of(CallKind::kStep, CallKind::kBatch);
    call.name = in.string();
    if (call.kind == CallKind::kWait) {
      call.until = in.maybe_time();
      call.calendar = in.flag();
      call.wait = take_wait(in);
    } else {
      call.result = in.string();
    }
  } else {
    return damaged("durable call");
  }
  if (!in.ok()) return damaged("durable call");
  return call;
}

}  // namespace perdure::store::rocks
