// The bytes of the store: integers as varints, text with its length before it. `Encoder` appends to a string; `Decoder`
// reads one and, once something does not fit, fails for good and yields zeros, so that hostile bytes cannot harm.
// What a decoder has not read is a longer tail written by a newer version, and ignored. Values; one thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "store/model/ids.h"
#include "store/model/status.h"

namespace perdure::store::rocks {

class Encoder {
 public:
  explicit Encoder(std::string& out) : out_(out) {}

  void u8(std::uint8_t v) { out_.push_back(static_cast<char>(v)); }
  void flag(bool v) { u8(v ? 1 : 0); }
  void u64(std::uint64_t v) {
    while (v >= 0x80) {
      u8(static_cast<std::uint8_t>(v | 0x80));
      v >>= 7;
    }
    u8(static_cast<std::uint8_t>(v));
  }
  void i64(std::int64_t v) { u64((static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63)); }
  void text(std::string_view v) {
    u64(v.size());
    out_.append(v);
  }
  void duration(Duration v) { i64(v.count()); }
  void time(Time v) { i64(v.time_since_epoch().count()); }
  void time(const std::optional<Time>& v) {
    flag(v.has_value());
    if (v) time(*v);
  }
  template <class Tag>
  void name(const Name<Tag>& v) {
    text(v.text());
  }

 private:
  std::string& out_;
};

class Decoder {
 public:
  explicit Decoder(std::string_view in) : in_(in) {}

  /// Whether everything read so far was there.
  [[nodiscard]] bool ok() const { return ok_; }
  /// Whether there is more: a field that a later version added.
  [[nodiscard]] bool more() const { return !in_.empty(); }
  /// Fails: what was read means nothing.
  void refuse() { fail<int>(); }

  std::uint8_t u8() {
    if (in_.empty()) return fail<std::uint8_t>();
    auto v = static_cast<std::uint8_t>(in_.front());
    in_.remove_prefix(1);
    return v;
  }
  bool flag() { return u8() != 0; }
  std::uint64_t u64() {
    std::uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint8_t byte = u8();
      v |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return ok_ ? v : 0;
    }
    return fail<std::uint64_t>();
  }
  std::uint32_t u32() {
    const std::uint64_t v = u64();
    return v <= UINT32_MAX ? static_cast<std::uint32_t>(v) : fail<std::uint32_t>();
  }
  std::int64_t i64() {
    const std::uint64_t v = u64();
    return static_cast<std::int64_t>(v >> 1) ^ -static_cast<std::int64_t>(v & 1);
  }
  std::string_view text() {
    const std::uint64_t size = u64();
    if (size > in_.size()) return fail<std::string_view>();
    std::string_view v = in_.substr(0, size);
    in_.remove_prefix(size);
    return v;
  }
  std::string string() { return std::string(text()); }
  Duration duration() { return Duration{i64()}; }
  Time time() { return Time{Duration{i64()}}; }
  std::optional<Time> maybe_time() { return flag() ? std::optional<Time>(time()) : std::nullopt; }
  template <class N>
  N name() {
    return N(string());
  }
  /// A value of an enum whose stored numbers lie within [first, last].
  template <class E>
  E one_of(E first, E last) {
    const std::uint8_t v = u8();
    if (v < static_cast<std::uint8_t>(first) || v > static_cast<std::uint8_t>(last)) return fail<E>(first);
    return static_cast<E>(v);
  }
  /// How many things follow: no more than there are bytes left for.
  std::size_t count() {
    const std::uint64_t n = u64();
    return n <= in_.size() ? static_cast<std::size_t>(n) : fail<std::size_t>();
  }

 private:
  template <class T>
  T fail(T v = T{}) {
    ok_ = false;
    in_ = {};
    return v;
  }

  std::string_view in_;
  bool ok_ = true;
};

/// Times that were read, moved and compared: what would overflow wraps, so that no bytes whatever can do harm.
inline Time later(Time at, Duration by) {
  return Time{Duration{static_cast<std::int64_t>(static_cast<std::uint64_t>(at.time_since_epoch().count()) +
                                                 static_cast<std::uint64_t>(by.count()))}};
}
inline Duration between(Time from, Time to) {
  return Duration{static_cast<std::int64_t>(static_cast<std::uint64_t>(to.time_since_epoch().count()) -
                                            static_cast<std::uint64_t>(from.time_since_epoch().count()))};
}
inline Time earlier(Time at, Duration by) { return Time{between(Time{by}, at)}; }

/// What a value begins with; of every kind of value so far the first version.
inline constexpr std::uint8_t kValueVersion = 1;
inline bool has_version(Decoder& in) { return in.u8() == kValueVersion && in.ok(); }

/// kCorruption, of a value that cannot be decoded. `what` it is, for people: "run".
inline Status damaged(std::string_view what) {
  return Status::corruption(
      "the stored " + std::string(what) +
      " cannot be read: it is damaged or was written by a newer version; expected value version " +
      std::to_string(kValueVersion));
}

}  // namespace perdure::store::rocks
