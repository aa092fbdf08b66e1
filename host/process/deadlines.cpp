#include "host/process/deadlines.h"

namespace perdure::process {

Timed::~Timed() {
  if (deadlines_ != nullptr) deadlines_->clear(*this);
}

Deadlines::~Deadlines() {
  for (const auto& [due, timed] : pending_) {
    timed->due_.reset();
    timed->deadlines_ = nullptr;
  }
}

void Deadlines::set(Timed& timed, Instant due) {
  if (timed.due_ == due) return;
  if (timed.due_) {
    auto node = pending_.extract({*timed.due_, &timed});
    node.value().first = due;
    pending_.insert(std::move(node));
  } else {
    pending_.emplace(due, &timed);
  }
  timed.due_ = due;
  timed.deadlines_ = this;
  if (!armed_ || due < *armed_) arm();
}

void Deadlines::clear(Timed& timed) {
  if (!timed.due_) return;
  pending_.erase({*timed.due_, &timed});
  timed.due_.reset();
  timed.deadlines_ = nullptr;
}

void Deadlines::arm() {
  armed_ = pending_.begin()->first;
  timer_.expires_at(*armed_);
  timer_.async_wait([this, alive = std::weak_ptr<bool>(alive_)](const boost::system::error_code& error) {
    if (!error && !alive.expired()) fire();
  });
}

void Deadlines::fire() {
  const Instant now = std::chrono::steady_clock::now();
  armed_ = Instant::min();  // what is set meanwhile is armed once, below
  while (!pending_.empty() && pending_.begin()->first <= now) {
    Timed& timed = *pending_.begin()->second;
    clear(timed);
    timed.on_deadline(now);
  }
  armed_.reset();
  if (!pending_.empty()) arm();
}

}  // namespace perdure::process
