// gzip (RFC 1952) by zlib, both ways: what clients send compressed, in pieces and within a bound, and answers in one
// go. Values of one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace perdure::api {

/// Decompresses one body, which may be several gzip members one after another.
class GzipReader {
 public:
  enum class Outcome : std::uint8_t { kGood, kTooLarge, kDamaged };

  GzipReader();
  ~GzipReader();
  GzipReader(const GzipReader&) = delete;
  GzipReader& operator=(const GzipReader&) = delete;

  /// Appends what `bytes` are to `out`, which grows to `limit` bytes at most: beyond them nothing is decompressed.
  Outcome feed(std::string_view bytes, std::string& out, std::size_t limit);

  /// Whether what was fed ends where a member does.
  [[nodiscard]] bool complete() const { return !in_member_; }

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;  // null: there was no memory for it
  bool in_member_ = true;           // so that nothing at all is not complete
};

/// Compresses, fast rather than small. Keeps its 260 KB from the first use on.
class GzipWriter {
 public:
  GzipWriter();
  ~GzipWriter();
  GzipWriter(const GzipWriter&) = delete;
  GzipWriter& operator=(const GzipWriter&) = delete;

  /// `text` as one member; nothing when that is no shorter, or there is no memory.
  std::optional<std::string> compress(std::string_view text);

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
};

}  // namespace perdure::api
