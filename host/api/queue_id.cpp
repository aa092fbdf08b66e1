#include "host/api/queue_id.h"

#include <cstdint>

namespace perdure::api {
namespace {

constexpr std::string_view kPrefix = "queue_";
constexpr std::string_view kDigits = "0123456789abcdefghijklmnopqrstuv";

}  // namespace

std::string queue_id(const store::QueueName& queue) {
  std::string id(kPrefix);
  std::uint32_t bits = 0;
  int count = 0;  // of bits that are not in the id yet
  for (const char c : queue.text()) {
    bits = bits << 8 | static_cast<unsigned char>(c);
    for (count += 8; count >= 5; count -= 5) id += kDigits[bits >> (count - 5) & 31];
  }
  if (count > 0) id += kDigits[bits << (5 - count) & 31];
  return id;
}

std::optional<store::QueueName> queue_with_id(std::string_view id) {
  if (!id.starts_with(kPrefix)) return std::nullopt;
  std::string name;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : id.substr(kPrefix.size())) {
    const auto digit = kDigits.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = bits << 5 | static_cast<std::uint32_t>(digit);
    count += 5;
    if (count < 8) continue;
    count -= 8;
    name += static_cast<char>(bits >> count);
  }
  store::QueueName queue(std::move(name));
  return queue_id(queue) == id ? std::optional(std::move(queue)) : std::nullopt;
}

}  // namespace perdure::api
