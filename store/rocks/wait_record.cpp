#include "store/rocks/wait_record.h"

namespace perdure::store::rocks {

std::optional<PackedId> pack_member(const Waitpoint& member) {
  if (member.kind == WaitpointKind::kRun) return pack(member.run);
  return member.kind == WaitpointKind::kToken ? pack(member.token) : std::nullopt;
}

void put_wait(Encoder& out, const Wait& wait) {
  out.u64(wait.call);
  out.u8(static_cast<std::uint8_t>(wait.mode));
  out.flag(wait.keeps_slot);
  out.flag(wait.evicted);
  out.u64(wait.first ? *wait.first + std::uint64_t{1} : 0);
  out.u64(wait.members.size());
  for (const Waitpoint& each : wait.members) {
    out.u8(static_cast<std::uint8_t>(each.kind));
    if (each.kind == WaitpointKind::kTime) continue;
    const PackedId id = pack_member(each).value_or(PackedId{});
    out.u64(id.high);
    out.u64(id.low);
  }
}

Wait take_wait(Decoder& in) {
  Wait wait;
  wait.call = in.u64();
  wait.mode = in.one_of(WaitMode::kAll, WaitMode::kAny);
  wait.keeps_slot = in.flag();
  wait.evicted = in.flag();
  if (const std::uint64_t first = in.u64(); first > 0) wait.first = static_cast<std::uint32_t>(first - 1);
  const std::size_t members = in.count();
  for (std::size_t i = 0; i < members && in.ok(); ++i) {
    Waitpoint& each = wait.members.emplace_back();
    each.kind = in.one_of(WaitpointKind::kTime, WaitpointKind::kToken);
    if (each.kind == WaitpointKind::kTime) continue;
    const std::uint64_t high = in.u64();
    const PackedId id{high, in.u64()};
    if (each.kind == WaitpointKind::kRun) each.run = unpack(id);
    if (each.kind == WaitpointKind::kToken) each.token = unpack_token(id);
  }
  return wait;
}

}  // namespace perdure::store::rocks
