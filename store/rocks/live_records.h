// The values of Family::kLive and how they are written; see records.h for how all values are. Pure functions; any
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "store/model/call.h"
#include "store/model/metadata.h"
#include "store/model/stream.h"
#include "store/rocks/keys.h"

namespace perdure::store::rocks {

/// Consecutive chunks of one stream, the last of which is in the key.
struct StreamPiece {
  Time at{};
  std::uint64_t bytes = 0;  // of the stream up to its end: StreamInfo::bytes
  std::vector<std::string> chunks;
  bool operator==(const StreamPiece&) const = default;
};

/// The last request of an attempt that was done: see AttemptRequestId.
struct AskedRequest {
  std::uint32_t number = 0;  // of the attempt
  std::uint64_t request = 0;
};

std::string encode(const AskedRequest& asked);
std::string encode(const std::vector<MetadataOperation>& operations);
std::string encode(const StreamPiece& piece);
std::string encode(const RecordedCall& call);

Result<AskedRequest> decode_asked(std::string_view bytes);
Result<std::vector<MetadataOperation>> decode_operations(std::string_view bytes);
/// How many bytes the stream has up to the end of a piece.
Result<std::uint64_t> decode_stream_bytes(std::string_view bytes);
Result<StreamPiece> decode_stream_piece(std::string_view bytes);
Result<RecordedCall> decode_call(std::string_view bytes);

}  // namespace perdure::store::rocks
