#include "host/api/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <array>

namespace perdure::api {
namespace {

constexpr int kGzip = 15 + 16;  // zlib's way to say: the largest window, in gzip's wrapping
constexpr int kFast = 1;
constexpr int kUsualMemory = 8;

Bytef* bytes_of(std::string_view text) {  // which zlib only reads
  return reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
}

}  // namespace

struct GzipReader::Stream {
  z_stream z{};
  ~Stream() { inflateEnd(&z); }
};

GzipReader::GzipReader() : stream_(std::make_unique<Stream>()) {
  if (inflateInit2(&stream_->z, kGzip) != Z_OK) stream_.reset();
}
GzipReader::~GzipReader() = default;

GzipReader::Outcome GzipReader::feed(std::string_view bytes, std::string& out, std::size_t limit) {
  if (!stream_) return Outcome::kDamaged;
  z_stream& z = stream_->z;
  std::array<char, 16u << 10> piece;  // NOLINT: zlib fills it
  z.next_in = bytes_of(bytes);
  z.avail_in = static_cast<uInt>(bytes.size());
  bool more = true;  // zlib may hold output back even when all input is taken
  while (z.avail_in > 0 || more) {
    if (!in_member_) {
      if (z.avail_in == 0) break;
      if (inflateReset(&z) != Z_OK) return Outcome::kDamaged;
      in_member_ = true;
    }
    // One byte beyond the limit tells that there is more.
    const std::size_t room = std::min(piece.size(), limit - out.size() + 1);
    z.next_out = reinterpret_cast<Bytef*>(piece.data());
    z.avail_out = static_cast<uInt>(room);
    const int said = inflate(&z, Z_NO_FLUSH);
    const std::size_t got = room - z.avail_out;
    if (got > limit - out.size()) return Outcome::kTooLarge;
    out.append(piece.data(), got);
    more = z.avail_out == 0;
    if (said == Z_STREAM_END) {
      in_member_ = false;
    } else if (said == Z_BUF_ERROR) {
      break;  // it needs more input
    } else if (said != Z_OK) {
      return Outcome::kDamaged;
    }
  }
  return Outcome::kGood;
}

struct GzipWriter::Stream {
  z_stream z{};
  ~Stream() { deflateEnd(&z); }
};

GzipWriter::GzipWriter() = default;
GzipWriter::~GzipWriter() = default;

std::optional<std::string> GzipWriter::compress(std::string_view text) {
  if (stream_) {
    deflateReset(&stream_->z);
  } else {
    auto stream = std::make_unique<Stream>();
    if (deflateInit2(&stream->z, kFast, Z_DEFLATED, kGzip, kUsualMemory, Z_DEFAULT_STRATEGY) != Z_OK) {
      return std::nullopt;
    }
    stream_ = std::move(stream);
  }
  z_stream& z = stream_->z;
  std::string out(text.size(), '\0');  // what needs more is not worth it
  z.next_in = bytes_of(text);
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = bytes_of(out);
  z.avail_out = static_cast<uInt>(out.size());
  if (deflate(&z, Z_FINISH) != Z_STREAM_END) return std::nullopt;
  out.resize(out.size() - z.avail_out);
  return out;
}

}  // namespace perdure::api
