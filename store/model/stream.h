// What an attempt appends to a named stream of its run, and readers follow live or from the start. Plain structs; any
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "store/model/ids.h"
#include "store/model/status.h"

namespace perdure::store {

inline constexpr std::size_t kMostChunk = std::size_t{1} << 20;  // bytes of one chunk
inline constexpr std::size_t kLongestStreamName = 128;           // bytes
inline constexpr std::size_t kMostStreams = 256;                 // of one run
/// What a chunk costs of a run's limit beside its text.
inline constexpr std::size_t kChunkCost = 32;

struct StreamChunk {
  std::uint64_t sequence = 0;  // from 1 without gaps within the stream
  Time at{};
  std::string text;
  bool operator==(const StreamChunk&) const = default;
};

struct StreamInfo {
  std::string name;
  std::uint64_t chunks = 0;  // the newest one's sequence
  std::uint64_t bytes = 0;   // of their texts, and kChunkCost for each
  bool operator==(const StreamInfo&) const = default;
};

/// What chunks add to StreamInfo::bytes.
std::uint64_t stream_bytes(const std::vector<std::string>& chunks);

/// Whether a run that has these streams may append to `name`: kInvalid when the name has not 1 to kLongestStreamName
/// bytes, a chunk more than kMostChunk, or the run would have more than kMostStreams streams or `limit` bytes in them.
Status check_append(const std::vector<StreamInfo>& streams, const std::string& name,
                    const std::vector<std::string>& chunks, std::uint64_t limit);

}  // namespace perdure::store
