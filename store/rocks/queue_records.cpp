#include "store/rocks/queue_records.h"

#include <cstdint>
#include <utility>

#include "store/rocks/codec.h"

namespace perdure::store::rocks {
namespace {

// Which of the optional parts of QueueSettings follow.
enum Parts : std::uint64_t {
  kPaused = 1u << 0,
  kDeclared = 1u << 1,
  kConcurrency = 1u << 2,
  kRate = 1u << 3,
  kTriggered = 1u << 4,
  kOverride = 1u << 5,
};

}  // namespace

std::string encode(const QueueSettings& settings) {
  std::uint64_t parts = 0;
  const auto mark = [&parts](bool there, std::uint64_t part) { parts |= there ? part : 0; };
  mark(settings.paused, kPaused);
  mark(settings.declared.has_value(), kDeclared);
  mark(settings.declared && settings.declared->concurrency, kConcurrency);
  mark(settings.rate().has_value(), kRate);
  mark(settings.triggered.has_value(), kTriggered);
  mark(settings.override_to.has_value(), kOverride);
  std::string bytes;
  Encoder out(bytes);
  out.u8(kValueVersion);
  out.u64(parts);
  if (parts & kConcurrency) out.u64(*settings.declared->concurrency);
  if (parts & kRate) {
    out.u64(settings.rate()->limit);
    out.duration(settings.rate()->period);
  }
  if (parts & kTriggered) out.u64(*settings.triggered);
  if (parts & kOverride) {
    out.u64(*settings.override_to);
    out.time(settings.overridden_at.value_or(Time()));
  }
  return bytes;
}

Result<QueueSettings> decode_queue(std::string_view bytes) {
  Decoder in(bytes);
  if (!has_version(in)) return damaged("settings of a queue");
  const std::uint64_t parts = in.u64();
  QueueSettings settings;
  settings.paused = (parts & kPaused) != 0;
  if (parts & kDeclared) settings.declared.emplace();
  if (parts & kConcurrency) settings.declared.emplace().concurrency = in.u64();
  if (parts & kRate) {
    if (!settings.declared) settings.declared.emplace();
    const std::uint64_t limit = in.u64();
    settings.declared->rate = RateLimit{limit, in.duration()};
    if (limit == 0 || settings.declared->rate->period <= Duration::zero()) in.refuse();
  }
  if (parts & kTriggered) settings.triggered = in.u64();
  if (parts & kOverride) {
    settings.override_to = in.u64();
    settings.overridden_at = in.time();
  }
  if (!in.ok()) return damaged("settings of a queue");
  return settings;
}

std::string encode(const RateWindow& window) {
  std::string bytes;
  Encoder out(bytes);
  out.u8(kValueVersion);
  out.duration(window.period());
  out.u64(window.starts().size());
  Time before{};
  for (const RateWindow::Starts& each : window.starts()) {
    out.duration(between(before, each.first));
    out.duration(between(each.first, each.last));
    out.u64(each.count);
    before = each.last;
  }
  return bytes;
}

Result<RateWindow> decode_window(std::string_view bytes) {
  Decoder in(bytes);
  if (!has_version(in)) return damaged("starts of a queue");
  const Duration period = in.duration();
  std::vector<RateWindow::Starts> starts;
  Time before{};
  const std::size_t count = in.count();
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    RateWindow::Starts each;
    each.first = later(before, in.duration());
    each.last = before = later(each.first, in.duration());
    each.count = in.u64();
    starts.push_back(each);
  }
  if (!in.ok()) return damaged("starts of a queue");
  return RateWindow(period, std::move(starts));
}

}  // namespace perdure::store::rocks
