#include "host/api/packets.h"

#include <utility>

namespace perdure::api {
namespace {

constexpr std::chrono::hours kKept{1};

}  // namespace

void Packets::drop(std::list<Entry>::iterator entry) {
  bytes_ -= entry->packet.text.size();
  by_name_.erase(entry->name);
  entries_.erase(entry);
}

void Packets::put(const std::string& name, Packet packet, Time now) {
  const std::lock_guard lock(mutex_);
  if (const auto known = by_name_.find(name); known != by_name_.end()) drop(known->second);
  const std::size_t size = packet.text.size();
  while (!entries_.empty() && (entries_.front().put_at + kKept <= now || bytes_ + size > most_bytes_)) {
    drop(entries_.begin());
  }
  entries_.push_back({name, std::move(packet), now});
  by_name_[name] = std::prev(entries_.end());
  bytes_ += size;
}

store::Result<Packet> Packets::get(const std::string& name, Time now) const {
  const std::lock_guard lock(mutex_);
  const auto known = by_name_.find(name);
  if (known == by_name_.end() || known->second->put_at + kKept <= now) {
    return store::Status::not_found("the packet " + name + " is not here, any more: upload it again");
  }
  return known->second->packet;
}

}  // namespace perdure::api
