// Zone files to time zones. Every count and index of a file is checked before it is used.
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <string_view>

#include "store/model/time_zone.h"

namespace perdure::store {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr std::size_t kHeaderSize = 44;
constexpr std::size_t kTypeSize = 6;
constexpr std::int64_t kLeastOffset = -25 * 3600 + 1;  // what RFC 8536 lets a reader rely on
constexpr std::int64_t kMostOffset = 26 * 3600 - 1;

std::uint8_t byte_at(std::span<const std::byte> bytes, std::size_t at) {
  return std::to_integer<std::uint8_t>(bytes[at]);
}

// A big-endian number of `size` bytes, at most eight, that the caller knows to be there.
std::uint64_t number_at(std::span<const std::byte> bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | byte_at(bytes, at + i);
  return value;
}

std::int64_t signed_at(std::span<const std::byte> bytes, std::size_t at, std::size_t size) {
  const std::uint64_t value = number_at(bytes, at, size);
  return size == 8 ? std::bit_cast<std::int64_t>(value)
                   : std::bit_cast<std::int32_t>(static_cast<std::uint32_t>(value));
}

// A header, and where the parts of the block after it begin.
struct Block {
  std::size_t time_size = 4;
  std::uint64_t times = 0;
  std::uint64_t types = 0;
  std::uint64_t letters = 0;
  std::uint64_t leap_seconds = 0;
  std::uint64_t marks = 0;  // of standard time and of UTC

  [[nodiscard]] std::uint64_t size() const {
    return times * (time_size + 1) + types * kTypeSize + letters + leap_seconds * (time_size + 4) + marks;
  }
};

class ZoneFile {
 public:
  ZoneFile(std::string name, std::span<const std::byte> rest) : name_(std::move(name)), rest_(rest) {}

  // Takes a header from the front, and nothing when it is none, or its block is cut.
  std::optional<Block> take_header(std::size_t time_size) {
    constexpr std::array<std::uint8_t, 4> kMagic = {'T', 'Z', 'i', 'f'};
    if (rest_.size() < kHeaderSize) return std::nullopt;
    for (std::size_t i = 0; i < kMagic.size(); ++i) {
      if (byte_at(rest_, i) != kMagic[i]) return std::nullopt;
    }
    version_ = byte_at(rest_, 4);
    const auto count = [&](std::size_t index) { return number_at(rest_, 20 + 4 * index, 4); };
    const Block block{time_size, count(3), count(4), count(5), count(2), count(0) + count(1)};
    rest_ = rest_.subspan(kHeaderSize);
    return block.size() <= rest_.size() ? std::optional(block) : std::nullopt;
  }

  [[nodiscard]] bool has_wide_block() const { return version_ >= '2'; }
  void skip(const Block& block) { rest_ = rest_.subspan(static_cast<std::size_t>(block.size())); }

  // Reads the block that rest_ begins with.
  Status read_block(const Block& block) {
    if (block.leap_seconds != 0) return wrong("counts leap seconds; use the zone without right/ before its name");
    if (block.types == 0 || block.types > 256) return wrong("has no offset, or more than 256");
    const std::size_t times = static_cast<std::size_t>(block.times);
    const std::size_t indexes = times * block.time_size;
    const std::size_t types = indexes + times;
    std::vector<seconds> offsets;
    for (std::size_t i = 0; i < block.types; ++i) {
      const std::int64_t offset = signed_at(rest_, types + i * kTypeSize, 4);
      if (offset < kLeastOffset || offset > kMostOffset) return wrong("has an offset of more than a day");
      offsets.emplace_back(offset);
    }
    first = offsets[0];
    for (std::size_t i = 0; i < times; ++i) {
      const sys_seconds begin{seconds(signed_at(rest_, i * block.time_size, block.time_size))};
      const std::size_t type = byte_at(rest_, indexes + i);
      if (type >= offsets.size()) return wrong("names an offset that it does not have");
      if (!changes.empty() && begin <= changes.back().begin) return wrong("has changes that are not in order");
      changes.push_back({begin, offsets[type]});
    }
    return Status::ok();
  }

  // Reads the footer after a wide block: a rule between two line ends, or nothing between them.
  Status read_footer() {
    const auto* text = reinterpret_cast<const char*>(rest_.data());
    const std::string_view footer(text, rest_.size());
    const std::size_t end = footer.empty() || footer[0] != '\n' ? std::string_view::npos : footer.find('\n', 1);
    if (end == std::string_view::npos) return wrong("ends without a footer");
    if (end == 1) return Status::ok();
    rule = PosixRule::parse(footer.substr(1, end - 1));
    return rule ? Status::ok() : wrong("has a footer that is no rule");
  }

  [[nodiscard]] Status wrong(std::string_view what) const {
    return Status::corruption("the file of the time zone \"" + name_ + "\" " + std::string(what) +
                              "; expected a zone file as zic writes it: install tzdata again");
  }

  seconds first{};
  std::vector<OffsetChange> changes;
  std::optional<PosixRule> rule;

 private:
  std::string name_;
  std::span<const std::byte> rest_;
  std::uint8_t version_ = 0;
};

}  // namespace

Result<TimeZone> TimeZone::read(std::string name, std::span<const std::byte> bytes) {
  ZoneFile file(name, bytes);
  std::optional<Block> block = file.take_header(4);
  if (!block) return file.wrong("is no zone file, or is cut");
  const bool wide = file.has_wide_block();
  if (wide) {
    file.skip(*block);
    block = file.take_header(8);
    if (!block) return file.wrong("is cut");
  }
  if (Status status = file.read_block(*block); !status) return status;
  if (wide) {
    file.skip(*block);
    if (Status status = file.read_footer(); !status) return status;
  }
  return TimeZone(std::move(name), std::move(file.changes), file.first, file.rule);
}

}  // namespace perdure::store
