// See wait_index.h.
#include "store/rocks/wait_index.h"

#include <algorithm>
#include <iterator>

#include "store/rocks/wait_record.h"

namespace perdure::store::rocks {

void WaitIndex::add(PackedId run, Entry entry, const std::vector<bool>& has_come) {
  Entry& added = entries_.insert_or_assign(run, std::move(entry)).first->second;
  added.open = added.wait.members.size();
  for (std::size_t i = 0; i < added.wait.members.size(); ++i) {
    const Waitpoint& member = added.wait.members[i];
    if (has_come[i]) {
      came(run, added, i);
    } else if (const std::optional<PackedId> of = pack_member(member)) {
      waiters_.emplace(std::pair(member.kind, *of), run);
    }
  }
}

const WaitIndex::Entry* WaitIndex::find(PackedId run) const {
  const auto found = entries_.find(run);
  return found == entries_.end() ? nullptr : &found->second;
}

void WaitIndex::forget_waiters(PackedId run, const Entry& entry) {
  for (const Waitpoint& member : entry.wait.members) {
    const std::optional<PackedId> of = pack_member(member);
    if (!of) continue;
    auto [at, end] = waiters_.equal_range({member.kind, *of});
    while (at != end) at = at->second == run ? waiters_.erase(at) : std::next(at);
  }
}

void WaitIndex::remove(PackedId run) {
  const auto found = entries_.find(run);
  if (found == entries_.end()) return;
  forget_waiters(run, found->second);
  resumable_.erase({found->second.order, run});
  entries_.erase(found);
}

void WaitIndex::came(PackedId run, Entry& entry, std::size_t member) {
  if (entry.open > 0) --entry.open;
  if (entry.over || (entry.wait.mode == WaitMode::kAll && entry.open > 0)) return;
  if (entry.wait.mode == WaitMode::kAny) entry.wait.first = static_cast<std::uint32_t>(member);
  entry.over = true;
  over_.push_back(run);
}

void WaitIndex::member_over(WaitpointKind kind, PackedId of) {
  auto [begin, end] = waiters_.equal_range({kind, of});
  if (begin == end) return;
  std::vector<PackedId> runs;
  for (auto at = begin; at != end; ++at) runs.push_back(at->second);
  waiters_.erase(begin, end);
  for (const PackedId run : runs) {
    Entry& entry = entries_.at(run);
    const auto is_it = [&](const Waitpoint& each) { return each.kind == kind && pack_member(each) == of; };
    const auto member = std::ranges::find_if(entry.wait.members, is_it);
    came(run, entry, static_cast<std::size_t>(member - entry.wait.members.begin()));
  }
}

void WaitIndex::time_over(PackedId run) {
  const auto found = entries_.find(run);
  if (found == entries_.end()) return;
  const std::vector<Waitpoint>& members = found->second.wait.members;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (members[i].kind == WaitpointKind::kTime) came(run, found->second, i);
  }
}

void WaitIndex::evict(PackedId run) {
  const auto found = entries_.find(run);
  if (found == entries_.end()) return;
  found->second.wait.evicted = true;
  found->second.wait.keeps_slot = false;
}

const WaitIndex::Entry* WaitIndex::publish(PackedId run) {
  const auto found = entries_.find(run);
  if (found == entries_.end() || !found->second.over || found->second.published) return nullptr;
  Entry& entry = found->second;
  entry.published = true;
  if (entry.wait.keeps_slot) resumable_.emplace(entry.order, run);
  return &entry;
}

std::optional<PackedId> WaitIndex::take_resumable() {
  if (resumable_.empty()) return std::nullopt;
  const PackedId run = resumable_.begin()->second;
  resumable_.erase(resumable_.begin());
  return run;
}

}  // namespace perdure::store::rocks
