#include "host/catalog/quarantine.h"

#include <algorithm>

#include "store/model/duration.h"

namespace perdure::catalog {
namespace {

enum class Verdict : std::uint8_t { kCrashed, kAlive, kUnknown };

// A process that died or broke the protocol speaks against the code it executed; an error that the code returned does
// not, and what came from outside tells nothing.
Verdict verdict(const store::Failure* failure) {
  if (failure == nullptr) return Verdict::kAlive;
  switch (failure->kind) {
    case store::FailureKind::kCrashed:
    case store::FailureKind::kExitedWithoutResult:
    case store::FailureKind::kProtocolError:
      return Verdict::kCrashed;
    case store::FailureKind::kHostLost:
    case store::FailureKind::kCanceled:
    case store::FailureKind::kPayloadInvalid:  // mostly told without a process
      return Verdict::kUnknown;
    default:
      return Verdict::kAlive;
  }
}

}  // namespace

bool Quarantine::admit(const store::VersionId& version, const store::TaskId& task) {
  const auto found = circuits_.find({version, task});
  if (found == circuits_.end() || !found->second.open) return true;
  Circuit& circuit = found->second;
  if (circuit.probing || circuit.probe_at) return false;
  circuit.probing = true;
  return true;
}

bool Quarantine::holds(const store::VersionId& version, const store::TaskId& task) const {
  const auto found = circuits_.find({version, task});
  return found != circuits_.end() && found->second.open;
}

void Quarantine::open(Circuit& circuit, const store::Failure& failure, store::Time now) {
  circuit.pause = circuit.open ? std::min(options_.longest_pause, circuit.pause * 2) : options_.pause;
  if (!circuit.open) {
    circuit.since = now;
    circuit.reason = std::to_string(circuit.crashes.size()) + " attempts in a row crashed within " +
                     store::format_duration(options_.window);
  }
  circuit.open = true;
  circuit.probing = false;
  circuit.probe_at = now + circuit.pause;
  circuit.backtrace = failure.stack;
}

Quarantine::Change Quarantine::ended(const store::VersionId& version, const store::TaskId& task,
                                     const store::Failure* failure, bool probe, store::Time now) {
  const Verdict seen = verdict(failure);
  const Key key(version, task);
  if (probe) {
    const auto found = circuits_.find(key);
    if (found == circuits_.end() || !found->second.probing) return Change::kNone;  // released meanwhile
    switch (seen) {
      case Verdict::kCrashed:
        open(found->second, *failure, now);
        return Change::kOpened;
      case Verdict::kAlive:
        circuits_.erase(found);
        return Change::kClosed;
      case Verdict::kUnknown:
        found->second.probing = false;
        return Change::kProbe;
    }
  }
  if (seen == Verdict::kUnknown || options_.crashes == 0) return Change::kNone;
  if (seen == Verdict::kAlive) {
    const auto found = circuits_.find(key);
    if (found != circuits_.end() && !found->second.open) circuits_.erase(found);
    return Change::kNone;
  }
  Circuit& circuit = circuits_[key];
  if (circuit.open) return Change::kNone;  // it began before the circuit opened
  circuit.crashes.push_back(now);
  if (circuit.crashes.size() < options_.crashes) return Change::kNone;
  if (now - circuit.crashes.front() <= options_.window) {
    open(circuit, *failure, now);
    circuit.reason += ", the last: " + failure->message;
    return Change::kOpened;
  }
  circuit.crashes.pop_front();
  return Change::kNone;
}

Quarantine::Change Quarantine::abandoned(const store::VersionId& version, const store::TaskId& task) {
  const auto found = circuits_.find({version, task});
  if (found == circuits_.end() || !found->second.probing) return Change::kNone;
  found->second.probing = false;
  return Change::kProbe;
}

std::optional<store::Time> Quarantine::next_probe() const {
  std::optional<store::Time> next;
  for (const auto& [key, circuit] : circuits_) {
    if (circuit.probe_at && (!next || *circuit.probe_at < *next)) next = circuit.probe_at;
  }
  return next;
}

std::vector<std::pair<store::VersionId, store::TaskId>> Quarantine::probe_due(store::Time now) {
  std::vector<Key> due;
  for (auto& [key, circuit] : circuits_) {
    if (!circuit.probe_at || *circuit.probe_at > now) continue;
    circuit.probe_at.reset();
    due.push_back(key);
  }
  return due;
}

void Quarantine::clock_set(store::Duration by) {
  for (auto& [key, circuit] : circuits_) {
    for (store::Time& crash : circuit.crashes) crash += by;
    if (circuit.probe_at) *circuit.probe_at += by;
  }
}

std::vector<store::TaskId> Quarantine::release(const store::VersionId& version) {
  std::vector<store::TaskId> released;
  for (auto circuit = circuits_.begin(); circuit != circuits_.end();) {
    if (circuit->first.first != version) {
      ++circuit;
      continue;
    }
    if (circuit->second.open) released.push_back(circuit->first.second);
    circuit = circuits_.erase(circuit);
  }
  return released;
}

void Quarantine::forget(const store::VersionId& version) {
  std::erase_if(circuits_, [&](const auto& circuit) { return circuit.first.first == version; });
}

std::vector<Held> Quarantine::held() const {
  std::vector<Held> held;
  for (const auto& [key, circuit] : circuits_) {
    if (!circuit.open) continue;
    held.push_back({key.first, key.second, circuit.reason, circuit.backtrace, circuit.since, circuit.probe_at});
  }
  return held;
}

}  // namespace perdure::catalog
