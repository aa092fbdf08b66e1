// See ready_index.h.
#include "store/rocks/ready_index.h"

#include <algorithm>

namespace perdure::store::rocks {
namespace {
constexpr std::size_t kIdleKept = 4096;
}

ReadyIndex::Queue& ReadyIndex::queue_of(const QueueName& name) {
  const auto [found, created] = queues_.try_emplace(name);
  if (created) found->second.name = &found->first;
  return found->second;
}

ReadyIndex::SubQueue& ReadyIndex::sub_queue(const QueueName& queue, const std::string& key) {
  Queue& of = queue_of(queue);
  auto [found, created] = of.sub_queues.try_emplace(key);
  SubQueue& sub = found->second;
  if (created) {
    sub.queue = &of;
    sub.key = &found->first;
    sub.turn = next_new_++;
  }
  return sub;
}

ReadyIndex::SubQueue* ReadyIndex::find(const QueueName& queue, const std::string& key) {
  auto of = queues_.find(queue);
  if (of == queues_.end()) return nullptr;
  auto sub = of->second.sub_queues.find(key);
  return sub == of->second.sub_queues.end() ? nullptr : &sub->second;
}

bool ReadyIndex::has_slot(const SubQueue& sub) {
  return !sub.queue->paused && (!sub.queue->limit || sub.running < *sub.queue->limit);
}

void ReadyIndex::leave(SubQueue& sub) {
  using In = SubQueue::In;
  if (sub.in == In::kEligible) eligible_.erase({sub.turn, &sub});
  if (sub.in == In::kIdle) idle_.erase({sub.turn, &sub});
  if (sub.in == In::kClosed) closed_.erase({sub.at, &sub});
  if (sub.in == In::kFading) fading_.erase({sub.at, &sub});
  sub.in = In::kNone;
}

void ReadyIndex::place(SubQueue& sub) {
  using In = SubQueue::In;
  In in = In::kNone;
  std::optional<Time> until;
  if (!sub.runs.empty()) {
    if (has_slot(sub)) {
      const bool goes_on = is_resumed(sub.runs.begin()->first);  // it has begun already
      if (sub.queue->rate && !goes_on) until = sub.window.closed_until(now_, *sub.queue->rate);
      in = until ? In::kClosed : In::kEligible;
    }
  } else if (sub.running == 0) {
    in = In::kIdle;
    if (!sub.window.empty()) {
      in = In::kFading;
      until = sub.window.forgotten_at(now_).value_or(now_);
    }
  }
  if (in == sub.in && (!until || *until == sub.at)) return;
  leave(sub);
  sub.in = in;
  if (until) sub.at = *until;
  if (in == In::kEligible) eligible_.insert({sub.turn, &sub});
  if (in == In::kClosed) closed_.insert({sub.at, &sub});
  if (in == In::kFading) fading_.insert({sub.at, &sub});
  if (in == In::kIdle) {
    idle_.insert({sub.turn, &sub});
    if (idle_.size() > kIdleKept) forget_oldest();
  }
}

// A queue that limits nothing and has no sub-queue left goes with its last one.
void ReadyIndex::forget_oldest() {
  SubQueue* oldest = idle_.begin()->second;
  idle_.erase(idle_.begin());
  Queue& queue = *oldest->queue;
  const std::string key = *oldest->key;
  queue.sub_queues.erase(key);
  if (!queue.sub_queues.empty() || queue.limit || queue.rate || queue.paused) return;
  const QueueName name = *queue.name;
  queues_.erase(name);
}

void ReadyIndex::add(const QueueName& queue, const std::string& key, Time order, PackedId run) {
  SubQueue& sub = sub_queue(queue, key);
  if (sub.runs.emplace(order, run).second) ++size_;
  place(sub);
}

bool ReadyIndex::remove(const QueueName& queue, const std::string& key, Time order, PackedId run) {
  SubQueue* sub = find(queue, key);
  if (sub == nullptr || sub->runs.erase({order, run}) == 0) return false;
  --size_;
  place(*sub);
  return true;
}

std::optional<PackedId> ReadyIndex::take() {
  if (eligible_.empty()) return std::nullopt;
  SubQueue& sub = *eligible_.begin()->second;
  leave(sub);
  const PackedId run = sub.runs.begin()->second;
  sub.runs.erase(sub.runs.begin());
  --size_;
  ++sub.running;
  sub.turn = next_turn_++;
  taken_from_ = &sub;
  place(sub);
  return run;
}

// As the turns go when no limit or rate ends them: the first run of each sub-queue, then the second, …
std::vector<PackedId> ReadyIndex::likely_next(std::size_t most) const {
  std::vector<PackedId> next;
  std::vector<std::pair<std::set<std::pair<Time, PackedId>>::const_iterator, const SubQueue*>> rows;
  for (auto turn = eligible_.begin(); turn != eligible_.end() && rows.size() < most; ++turn) {
    rows.emplace_back(turn->second->runs.begin(), turn->second);
  }
  while (!rows.empty() && next.size() < most) {
    for (auto& [run, sub] : rows) {
      next.push_back(run->second);
      ++run;
      if (next.size() == most) return next;
    }
    std::erase_if(rows, [](const auto& row) { return row.first == row.second->runs.end(); });
  }
  return next;
}

const RateWindow* ReadyIndex::begun(SubQueueName& of) {
  SubQueue& sub = *taken_from_;
  if (!sub.queue->rate) return nullptr;
  sub.window.begin(now_, *sub.queue->rate);
  place(sub);
  of = {*sub.queue->name, *sub.key};
  return &sub.window;
}

void ReadyIndex::untake() {
  --taken_from_->running;
  place(*taken_from_);
  taken_from_ = nullptr;
}

void ReadyIndex::give_back(Time order, PackedId run) {
  SubQueue& sub = *taken_from_;
  leave(sub);
  --sub.running;
  sub.runs.emplace(order, run);
  ++size_;
  sub.turn = next_back_--;
  place(sub);
  taken_from_ = nullptr;
}

void ReadyIndex::started(const QueueName& queue, const std::string& key) {
  SubQueue& sub = sub_queue(queue, key);
  ++sub.running;
  place(sub);
}

void ReadyIndex::restore(const QueueName& queue, const std::string& key, RateWindow window) {
  SubQueue& sub = sub_queue(queue, key);
  if (!window.empty()) now_ = std::max(now_, window.starts().back().last);
  sub.window = std::move(window);
  place(sub);
}

bool ReadyIndex::ended(const QueueName& queue, const std::string& key) {
  SubQueue* sub = find(queue, key);
  if (sub == nullptr || sub->running == 0) return false;
  --sub->running;
  const bool was_full = sub->in == SubQueue::In::kNone;
  place(*sub);
  return was_full && sub->in == SubQueue::In::kEligible;
}

bool ReadyIndex::limit(const QueueName& queue, const QueueSettings& settings) {
  Queue& of = queue_of(queue);
  of.limit = settings.limit();
  of.rate = settings.rate();
  of.paused = settings.paused;
  const std::size_t before = eligible_.size();
  for (auto& [key, sub] : of.sub_queues) {
    if (!sub.runs.empty()) place(sub);  // never erases: only an idle sub-queue can push another out
  }
  const bool more = eligible_.size() > before;
  if (of.sub_queues.empty() && !of.limit && !of.rate && !of.paused) {
    const QueueName name = queue;  // `queue` may be the one that goes
    queues_.erase(name);
  }
  return more;
}

bool ReadyIndex::advance(Time now) {
  const bool set_back = now < now_;
  now_ = now;
  if (set_back) {  // what waits for a time waits for another one
    const Times closed = std::exchange(closed_, {}), fading = std::exchange(fading_, {});
    for (const Times* each : {&closed, &fading}) {
      for (const auto& [at, sub] : *each) {
        sub->in = SubQueue::In::kNone;
        place(*sub);
      }
    }
  }
  bool opened = false;
  while (!closed_.empty() && closed_.begin()->first <= now) {
    SubQueue& sub = *closed_.begin()->second;
    leave(sub);
    place(sub);
    opened = opened || sub.in == SubQueue::In::kEligible;
  }
  while (!fading_.empty() && fading_.begin()->first <= now) {
    SubQueue& sub = *fading_.begin()->second;
    forgotten_.emplace_back(*sub.queue->name, *sub.key);
    sub.window = {};
    place(sub);
  }
  return opened;
}

std::optional<Time> ReadyIndex::next_open() const {
  return closed_.empty() ? std::nullopt : std::optional(closed_.begin()->first);
}

std::size_t ReadyIndex::running(const QueueName& queue, const std::string& key) const {
  auto of = queues_.find(queue);
  if (of == queues_.end()) return 0;
  auto sub = of->second.sub_queues.find(key);
  return sub == of->second.sub_queues.end() ? 0 : sub->second.running;
}

std::vector<SubQueueCounts> ReadyIndex::counts(const QueueName& queue, const std::optional<std::string>& after,
                                               std::size_t max) const {
  std::vector<SubQueueCounts> counts;
  const auto of = queues_.find(queue);
  if (of == queues_.end()) return counts;
  for (const auto& [key, sub] : of->second.sub_queues) {
    if ((after && key <= *after) || (sub.runs.empty() && sub.running == 0)) continue;
    counts.push_back({key, sub.runs.size(), sub.running});
  }
  const auto by_key = [](const SubQueueCounts& a, const SubQueueCounts& b) { return a.key < b.key; };
  const auto kept = counts.begin() + static_cast<std::ptrdiff_t>(std::min(max, counts.size()));
  std::partial_sort(counts.begin(), kept, counts.end(), by_key);
  counts.erase(kept, counts.end());
  return counts;
}

}  // namespace perdure::store::rocks
