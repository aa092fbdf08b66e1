#include "host/process/adoption.h"

#include <signal.h>

#include <algorithm>
#include <utility>

namespace perdure::process {
namespace {

constexpr std::chrono::seconds kPatience{10};  // for the death of those that are killed

bool ends(const Zygote& zygote) {
  return std::ranges::any_of(zygote.children(), [](const auto& each) { return each.second->attempt() == nullptr; });
}

}  // namespace

Adoption::Adoption(Shared& shared, OrphanReaper& orphans, std::vector<SurvivingZygote> zygotes)
    : shared_(shared), orphans_(orphans) {
  for (SurvivingZygote& each : zygotes) {
    zygotes_.push_back(std::make_unique<Zygote>(shared_, *this));
    Zygote* zygote = zygotes_.back().get();
    for (const SurvivingZygote::Child& child : each.children) {
      if (child.place == protocol::Roster::kNone) continue;
      known_.push_back({zygote, child.id, child.attempt, child.place});
    }
    zygote->take_over(std::move(each));
  }
}

std::vector<Survivor> Adoption::survivors() const {
  std::vector<Survivor> there;
  for (std::size_t i = 0; i < known_.size(); i++) {
    const auto& [zygote, child, attempt, place, adopted] = known_[i];
    if (adopted) continue;
    there.push_back(
        {i, store::RunId(attempt.run), attempt.number, attempt.token, attempt.hooks_only != 0, attempt.replay});
  }
  return there;
}

void Adoption::adopt(std::uint64_t survivor, Attempt& attempt) {
  Known& known = known_.at(survivor);
  known.adopted = true;
  Child* child = known.zygote->child(known.child);
  child->take_over(attempt, static_cast<std::uint32_t>(known.attempt.ordinal), known.place);
}

void Adoption::end_survivors(std::function<void()> gone) {
  gone_ = std::move(gone);
  decided_ = true;
  for (const auto& zygote : zygotes_) {
    for (const auto& [id, child] : zygote->children()) {
      if (child->attempt() == nullptr) zygote->signal(*child, SIGKILL);
    }
    zygote->listen();
  }
  shared_.deadlines.set(*this, std::chrono::steady_clock::now() + kPatience);
  serve();
}

void Adoption::serve() {
  if (!gone_ || std::ranges::any_of(zygotes_, [](const auto& each) { return ends(*each); })) return;
  shared_.deadlines.clear(*this);
  shared_.guard.expect_no_more();
  std::exchange(gone_, nullptr)();
}

void Adoption::on_deadline(Instant) {
  for (const auto& zygote : zygotes_) {
    if (ends(*zygote)) zygote->unresponsive("it did not end an attempt that was to be killed");
  }
}

void Adoption::died(Zygote& zygote, bool, const std::string& why) {
  if (!zygote.told_to_quit() && shared_.options.warn) {
    shared_.options.warn("the zygote of attempts of an earlier host died: " + why);
  }
  const auto found = std::ranges::find(zygotes_, &zygote, &std::unique_ptr<Zygote>::get);
  std::unique_ptr<Zygote> dead = std::move(*found);
  zygotes_.erase(found);
  shared_.events.retire(std::move(dead));
  serve();
}

void Adoption::kill_orphans(const std::vector<pid_t>& children, std::function<void()> gone) {
  orphans_.kill_orphans(children, std::move(gone));
}

}  // namespace perdure::process
