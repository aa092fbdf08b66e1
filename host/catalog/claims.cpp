#include "host/catalog/claims.h"

namespace perdure::catalog {
namespace {

using Owners = std::map<store::TaskId, std::size_t>;

std::optional<Decision::Conflict> conflict(const Tasks& wanted, std::size_t file, const Owners& owners) {
  for (const auto& [id, task] : wanted) {
    const auto owner = owners.find(id);
    if (owner != owners.end() && owner->second != file) return Decision::Conflict{id, owner->second};
  }
  return std::nullopt;
}

}  // namespace

std::vector<Decision> decide(const std::vector<Claimant>& files) {
  std::vector<Decision> decisions(files.size());
  Owners owners;
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (files[i].serving == nullptr) continue;
    for (const auto& [id, task] : *files[i].serving) owners.emplace(id, i);
  }
  // A version that is taken may give tasks up that another file waits for; so until nothing changes any more.
  for (bool changed = true; changed;) {
    changed = false;
    bool waits = false;  // a file before this one may still claim anything
    for (std::size_t i = 0; i < files.size(); ++i) {
      const Claimant& file = files[i];
      if (file.undecided) waits = waits || file.serving == nullptr;
      if (file.wanted == nullptr || decisions[i].take) continue;
      if (waits && file.serving == nullptr) continue;
      decisions[i].conflict = conflict(*file.wanted, i, owners);
      if (decisions[i].conflict) continue;
      decisions[i].take = changed = true;
      std::erase_if(owners, [i](const auto& owner) { return owner.second == i; });
      for (const auto& [id, task] : *file.wanted) owners.emplace(id, i);
    }
  }
  return decisions;
}

}  // namespace perdure::catalog
