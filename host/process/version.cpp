#include "host/process/version.h"

#include <errno.h>
#include <string.h>

#include <algorithm>
#include <filesystem>
#include <ranges>
#include <utility>

#include "host/process/exit_classifier.h"

namespace perdure::process {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kSparePatience{20};  // for a spare under way, before one is forked on request
constexpr milliseconds kPause{100};         // after a process could not be had
constexpr milliseconds kFirstRestart{100};
constexpr milliseconds kLongestRestart{10'000};
constexpr milliseconds kStable{10'000};  // a zygote that served so long is not blamed for earlier ones
constexpr milliseconds kWindow{250};
constexpr std::uint32_t kBusyWindow = 100;    // starts in one, for a second zygote
constexpr std::uint32_t kQuietWindows = 120;  // until an additional zygote is let go

Instant now_steady() { return std::chrono::steady_clock::now(); }

}  // namespace

Version::Version(Shared& shared, OrphanReaper& orphans, std::string plugin, std::string library_path, Gone gone)
    : shared_(shared),
      orphans_(orphans),
      plugin_(std::move(plugin)),
      library_path_(std::move(library_path)),
      gone_(std::move(gone)) {}

Version::~Version() = default;

void Version::load(Loaded done) {
  done_ = std::move(done);
  if (store::Status status = add_zygote(); !status) {
    last_trouble_ = status.message();
    restart_at_ = now_steady();  // reported from the event loop, not from within the call
    schedule(now_steady());
  }
}

store::Status Version::add_zygote() {
  auto zygote = std::make_unique<Zygote>(shared_, *this);
  store::Status status = zygote->start(plugin_, library_path_, in_force_, done_ != nullptr);
  if (status) {
    zygotes_.push_back(std::move(zygote));
  } else {
    shared_.events.retire(std::move(zygote));
  }
  return status;
}

std::optional<std::uint32_t> Version::index_of(const store::TaskId& task) const {
  const auto found = tasks_.find(task.text());
  if (found == tasks_.end()) return std::nullopt;
  return found->second;
}

void Version::loaded(Zygote& zygote, Manifest manifest) {
  serving_since_ = now_steady();
  spares_ = std::max(spares_, shared_.options.spares);
  zygote.want_spares(shared_.options.spares);
  if (&zygote == forming_) {
    formed(zygote, manifest);
  } else if (zygote.beside() != in_force_) {
    zygote.leave();  // of what was in force when it was started
  }
  if (done_) {
    isolation_ = manifest.isolation;
    isolation_reason_ = manifest.isolation_reason;
    for (std::uint32_t i = 0; i < manifest.tasks.size(); i++) tasks_.emplace(manifest.tasks[i].id, i);
    std::exchange(done_, nullptr)(std::move(manifest));
  }
  if (unloading_) zygote.leave();
  serve();
}

void Version::died(Zygote& zygote, bool was_loading, const std::string& why) {
  const std::uint32_t blamed = was_loading && !zygote.leaving() && !done_ ? zygote.loading_beside() : 0;
  if (!done_ && blamed == 0 && !zygote.leaving() && shared_.options.warn) {
    shared_.options.warn("the zygote of " + std::filesystem::path(plugin_).filename().string() + " died: " + why);
  }
  if (blamed > 0) leave_out(zygote.beside()[blamed - 1], why);
  const bool was_forming = std::exchange(forming_, forming_ == &zygote ? nullptr : forming_) == &zygote;
  const auto found = std::ranges::find(zygotes_, &zygote, &std::unique_ptr<Zygote>::get);
  if (found != zygotes_.end()) {
    std::unique_ptr<Zygote> dead = std::move(*found);
    zygotes_.erase(found);
    shared_.events.retire(std::move(dead));
  }
  last_trouble_ = why;
  if (done_) {
    unloading_ = true;
    std::exchange(done_, nullptr)(store::Status::invalid(why));
    return leave_if_idle();
  }
  if (unloading_ && waiting_.empty()) return leave_if_idle();
  if (was_forming && !unloading_) not_formed(blamed > 0);
  if (!zygotes_.empty()) return;
  const Instant now = now_steady();
  if (blamed > 0 || (!was_loading && now - serving_since_ > kStable)) restarts_ = 0;
  const milliseconds delay = std::min(kLongestRestart, kFirstRestart * (1 << std::min(restarts_, 10U)));
  restart_at_ = now + (restarts_++ == 0 ? milliseconds(0) : delay);
  schedule(now);
}

void Version::kill_orphans(const std::vector<pid_t>& children, std::function<void()> gone) {
  orphans_.kill_orphans(children, std::move(gone));
}

void Version::start(Attempt& attempt) {
  attempt.asked_at = now_steady();
  starts_++;
  if (std::ranges::none_of(zygotes_, [](const auto& each) { return each->spares() > 0; })) unready_++;
  waiting_.push_back(&attempt);
  if (starts_ == 1) {
    window_began_ = attempt.asked_at;
    schedule(attempt.asked_at);
  }
  serve();
  grow_spares();
}

bool Version::withdraw(Attempt& attempt) {
  if (std::erase(waiting_, &attempt) == 0) return false;
  attempt.version = nullptr;
  leave_if_idle();
  return true;
}

// Spares cover the attempts under way: one that ends makes room for the next one's process at once.
void Version::grow_spares() {
  std::size_t in_use = waiting_.size();
  std::size_t accepting = 0;
  for (const auto& zygote : zygotes_) {
    in_use += zygote->spares_in_use();
    accepting += zygote->accepts() ? 1 : 0;
  }
  peak_ = std::max(peak_, static_cast<std::uint32_t>(in_use));
  const std::uint32_t wanted = std::min(peak_ + shared_.options.spares, shared_.options.max_spares);
  if (wanted <= spares_ || accepting == 0 || shared_.options.spares == 0) return;
  spares_ = wanted;
  const auto share = static_cast<std::uint32_t>((wanted + accepting - 1) / accepting);
  for (const auto& zygote : zygotes_) zygote->want_spares(share);
}

void Version::serve() {
  if (std::exchange(serving_, true)) return;
  if (!pause_until_) {
    std::size_t expected = 0;
    for (const auto& zygote : zygotes_) expected += zygote->spares_expected();
    const Instant now = waiting_.empty() ? Instant{} : now_steady();
    for (auto it = waiting_.begin(); it != waiting_.end();) {
      const bool may_wait = expected > 0 && now - (*it)->asked_at < kSparePatience;
      const Placed placed = place(**it, may_wait);
      if (placed == Placed::kNoRoom) break;
      if (placed == Placed::kNotYet) {
        expected--;
        ++it;
      } else {
        it = waiting_.erase(it);
      }
    }
    if (!waiting_.empty()) schedule(now);
  }
  serving_ = false;
  leave_if_idle();
}

Version::Placed Version::place(Attempt& attempt, bool may_wait) {
  for (const auto& zygote : zygotes_) {
    while (Child* child = zygote->take_recycled(attempt.spec)) {
      if (place_with(attempt, child)) return Placed::kYes;
    }
  }
  for (;;) {
    const auto best = std::ranges::max_element(zygotes_, {}, [](const auto& each) { return each->spares(); });
    if (best == zygotes_.end()) return Placed::kNoRoom;
    Child* child = (*best)->take_spare();
    if (child == nullptr) break;
    if (place_with(attempt, child)) return Placed::kYes;
  }
  if (may_wait) return Placed::kNotYet;
  Zygote* least = nullptr;
  for (const auto& zygote : zygotes_) {
    if (!zygote->accepts() || zygote->forking() >= shared_.options.max_forking) continue;
    if (least == nullptr || zygote->forking() < least->forking()) least = zygote.get();
  }
  if (least == nullptr) return Placed::kNoRoom;
  switch (least->fork_for(attempt)) {
    case Child::Given::kYes:
      return Placed::kYes;
    case Child::Given::kGone:
      return Placed::kNoRoom;
    case Child::Given::kImpossible:
      last_trouble_ = strerror(errno);
      pause_until_ = now_steady() + kPause;
      return Placed::kNoRoom;
  }
  return Placed::kNoRoom;
}

// Whether `child`, idle until now, serves the attempt; else it is dismissed, and its end is told by its zygote.
bool Version::place_with(Attempt& attempt, Child* child) {
  const Child::Given given = child->give(attempt);
  if (given == Child::Given::kYes) return true;
  if (given == Child::Given::kImpossible) last_trouble_ = strerror(errno);
  child->dismiss();
  return false;
}

void Version::not_started(Attempt& attempt, const std::string& why) {
  last_trouble_ = why;
  waiting_.push_front(&attempt);
  const Instant now = now_steady();
  pause_until_ = now + kPause;
  schedule(now);
}

void Version::give_up_on_late(Instant now) {
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    Attempt& attempt = **it;
    if (now - attempt.asked_at < shared_.options.start_timeout) {
      ++it;
      continue;
    }
    it = waiting_.erase(it);
    attempt.version = nullptr;
    shared_.announce_failure(attempt.spec.handle,
                             host_lost("No process could be had for the attempt: " +
                                       (last_trouble_.empty() ? "its zygote is too busy" : last_trouble_)));
  }
}

void Version::close_window(Instant now) {
  const bool bottleneck = starts_ >= kBusyWindow && unready_ * 2 > starts_;
  const bool settled = std::ranges::all_of(zygotes_, [](const auto& each) { return each->accepts(); });
  quiet_windows_ = starts_ < kBusyWindow ? quiet_windows_ + 1 : 0;
  if (bottleneck && settled && zygotes_.size() < shared_.options.max_zygotes && !unloading_) {
    (void)add_zygote();
  } else if (quiet_windows_ >= kQuietWindows && zygotes_.size() > 1 && forming_ == nullptr) {
    zygotes_.back()->leave();
    quiet_windows_ = 0;
  }
  // Wanting fewer ends none; the surplus is used up.
  const std::uint32_t wanted = std::clamp(peak_ + shared_.options.spares, shared_.options.spares,
                                          std::max(shared_.options.spares, shared_.options.max_spares));
  if (wanted < spares_ && quiet_windows_ > 0 && quiet_windows_ % 8 == 0) {
    spares_ = wanted;
    const auto share =
        static_cast<std::uint32_t>((wanted + zygotes_.size() - 1) / std::max<std::size_t>(1, zygotes_.size()));
    for (const auto& zygote : zygotes_) zygote->want_spares(share);
  }
  starts_ = unready_ = 0;
  window_began_ = now;
  peak_ = 0;
  for (const auto& zygote : zygotes_) peak_ += static_cast<std::uint32_t>(zygote->spares_in_use());
}

void Version::schedule(Instant now) {
  Instant due = Instant::max();
  if (restart_at_) due = *restart_at_;
  if (pause_until_) due = std::min(due, *pause_until_);
  if (form_at_) due = std::min(due, *form_at_);
  if (!waiting_.empty()) {
    const Instant asked = waiting_.front()->asked_at;
    const Instant patience = asked + kSparePatience;
    due = std::min(due, patience > now ? patience : asked + shared_.options.start_timeout);
  }
  // Observation goes on while there is something to shrink.
  if (starts_ > 0 || zygotes_.size() > 1 || spares_ > shared_.options.spares)
    due = std::min(due, window_began_ + kWindow);
  if (due == Instant::max()) {
    shared_.deadlines.clear(*this);
  } else {
    shared_.deadlines.set(*this, std::max(due, now));
  }
}

void Version::on_deadline(Instant now) {
  if (restart_at_ && now >= *restart_at_) {
    restart_at_.reset();
    if (done_) {
      unloading_ = true;
      std::exchange(done_, nullptr)(store::Status::unavailable(last_trouble_));
      return leave_if_idle();
    }
    if (store::Status status = add_zygote(); !status) {
      last_trouble_ = status.message();
      restart_at_ = now + kLongestRestart / 10;
    }
  }
  if (form_at_ && now >= *form_at_) form();
  if (pause_until_ && now >= *pause_until_) pause_until_.reset();
  if (now >= window_began_ + kWindow) close_window(now);
  give_up_on_late(now);
  serve();
  if (!gone_) return;
  schedule(now);
}

void Version::unload() {
  unloading_ = true;
  for (const auto& zygote : zygotes_) {
    if (waiting_.empty()) zygote->leave();
  }
  leave_if_idle();
}

void Version::leave_if_idle() {
  if (!unloading_ || !waiting_.empty() || serving_) return;
  for (const auto& zygote : zygotes_) zygote->leave();
  if (!zygotes_.empty() || !gone_) return;
  std::exchange(gone_, nullptr)(*this);
}

}  // namespace perdure::process
