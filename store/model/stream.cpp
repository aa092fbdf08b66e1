#include "store/model/stream.h"

#include <algorithm>

namespace perdure::store {

std::uint64_t stream_bytes(const std::vector<std::string>& chunks) {
  std::uint64_t bytes = 0;
  for (const std::string& chunk : chunks) bytes += chunk.size() + kChunkCost;
  return bytes;
}

Status check_append(const std::vector<StreamInfo>& streams, const std::string& name,
                    const std::vector<std::string>& chunks, std::uint64_t limit) {
  if (name.empty() || name.size() > kLongestStreamName) {
    return Status::invalid("a stream's name has 1 to " + std::to_string(kLongestStreamName) + " bytes, not " +
                           std::to_string(name.size()));
  }
  for (const std::string& chunk : chunks) {
    if (chunk.size() <= kMostChunk) continue;
    return Status::invalid("a chunk of a stream has at most " + std::to_string(kMostChunk) + " bytes, not " +
                           std::to_string(chunk.size()) + "; append it in pieces");
  }
  std::uint64_t bytes = stream_bytes(chunks);
  for (const StreamInfo& stream : streams) bytes += stream.bytes;
  if (bytes > limit) {
    return Status::invalid("the streams of the run would have " + std::to_string(bytes) + " bytes; its limit is " +
                           std::to_string(limit) + " ([limits] stream)");
  }
  if (streams.size() >= kMostStreams && std::ranges::find(streams, name, &StreamInfo::name) == streams.end()) {
    return Status::invalid("a run has at most " + std::to_string(kMostStreams) + " streams, and \"" + name +
                           "\" would be one more");
  }
  return Status::ok();
}

}  // namespace perdure::store
