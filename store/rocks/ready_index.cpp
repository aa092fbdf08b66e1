// See ready_index.h.
#include "store/rocks/ready_index.h"

namespace perdure::store::rocks {
namespace {
constexpr std::size_t kIdleKept = 4096;
}

ReadyIndex::SubQueue& ReadyIndex::sub_queue(const QueueName& queue, const std::string& key) {
  Queue& of = queues_[queue];
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

void ReadyIndex::leave(SubQueue& sub) {
  if (sub.in == SubQueue::In::kEligible) eligible_.erase({sub.turn, &sub});
  if (sub.in == SubQueue::In::kIdle) idle_.erase({sub.turn, &sub});
  sub.in = SubQueue::In::kNeither;
}

void ReadyIndex::place(SubQueue& sub) {
  using In = SubQueue::In;
  In in = In::kNeither;
  if (!sub.runs.empty()) {
    if (!sub.queue->limit || sub.running < *sub.queue->limit) in = In::kEligible;
  } else if (sub.running == 0) {
    in = In::kIdle;
  }
  if (in == sub.in) return;
  leave(sub);
  sub.in = in;
  if (in == In::kEligible) eligible_.insert({sub.turn, &sub});
  if (in == In::kIdle) {
    idle_.insert({sub.turn, &sub});
    if (idle_.size() > kIdleKept) {
      SubQueue* oldest = idle_.begin()->second;
      idle_.erase(idle_.begin());
      const std::string key = *oldest->key;
      oldest->queue->sub_queues.erase(key);
    }
  }
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
  sub.turn = 0;
  place(sub);
  taken_from_ = nullptr;
}

void ReadyIndex::started(const QueueName& queue, const std::string& key) {
  SubQueue& sub = sub_queue(queue, key);
  ++sub.running;
  place(sub);
}

bool ReadyIndex::ended(const QueueName& queue, const std::string& key) {
  SubQueue* sub = find(queue, key);
  if (sub == nullptr || sub->running == 0) return false;
  --sub->running;
  const bool was_full = sub->in == SubQueue::In::kNeither && !sub->runs.empty();
  const bool freed = was_full && (!sub->queue->limit || sub->running < *sub->queue->limit);
  place(*sub);
  return freed;
}

bool ReadyIndex::limit(const QueueName& queue, std::optional<std::size_t> limit) {
  Queue& of = queues_[queue];
  of.limit = limit;
  const std::size_t before = eligible_.size();
  for (auto& [key, sub] : of.sub_queues) {
    if (!sub.runs.empty()) place(sub);  // never erases: only an idle sub-queue can push another out
  }
  return eligible_.size() > before;
}

void ReadyIndex::copy_limits(const ReadyIndex& other) {
  for (const auto& [name, queue] : other.queues_) limit(name, queue.limit);
}

std::size_t ReadyIndex::running(const QueueName& queue, const std::string& key) const {
  auto of = queues_.find(queue);
  if (of == queues_.end()) return 0;
  auto sub = of->second.sub_queues.find(key);
  return sub == of->second.sub_queues.end() ? 0 : sub->second.running;
}

}  // namespace perdure::store::rocks
