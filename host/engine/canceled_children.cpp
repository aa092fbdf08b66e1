#include "host/engine/canceled_children.h"

#include <utility>
#include <vector>

namespace perdure::engine {

namespace {

constexpr std::size_t kFamiliesAtOnce = 16;
constexpr std::size_t kChildrenAtOnce = 64;  // before others have their turn

}  // namespace

CanceledChildren::CanceledChildren(Core& core, store::Store& store,
                                   std::function<void(const store::RunId&, const std::string&)> cancel)
    : core_(core), store_(store), cancel_(std::move(cancel)) {}

void CanceledChildren::start() {
  started_ = true;
  look();
}

void CanceledChildren::look() {
  if (!started_ || families_.size() >= kFamiliesAtOnce) return;
  const auto parents = store_.canceled_parents(kFamiliesAtOnce + families_.size());
  if (!parents) return;  // until the store serves again
  std::vector<store::RunId> fresh;
  for (const store::RunId& parent : *parents) {
    if (families_.size() < kFamiliesAtOnce && families_.try_emplace(parent).second) fresh.push_back(parent);
  }
  for (const store::RunId& parent : fresh) walk(parent);
}

// From the first child that was not over; a page at a time, so that nobody waits for a large family.
void CanceledChildren::walk(const store::RunId& parent) {
  const auto found = families_.find(parent);
  if (found == families_.end()) return;
  Family& family = found->second;
  family.waits = false;
  store::RunId after = family.before;
  bool all_over = true;
  for (;;) {
    const auto page = store_.children(parent, after, kChildrenAtOnce);
    if (!page) {
      families_.erase(found);
      return;
    }
    for (const store::RunId& child : *page) {
      const auto run = store_.run(child);
      const bool is_over = !run || store::is_final(run->status);
      if (!is_over) cancel_(child, "Its parent " + parent.text() + " was canceled.");
      all_over = all_over && is_over;
      if (all_over) family.before = child;
      after = child;
    }
    if (page->size() < kChildrenAtOnce) break;
  }
  if (all_over) return over(parent);
  family.waits = true;
}

void CanceledChildren::over(const store::RunId& parent) {
  store_.children_over(parent,
                       [this, core = &core_, alive = std::weak_ptr(alive_), parent](const store::Status& status) {
                         core->run([this, alive, parent, status] {
                           if (alive.expired()) return;
                           families_.erase(parent);
                           if (status) look();
                         });
                       });
}

void CanceledChildren::ended(const store::Run& run) {
  const auto family = families_.find(run.parent);
  if (family != families_.end() && family->second.waits) walk(run.parent);
}

}  // namespace perdure::engine
