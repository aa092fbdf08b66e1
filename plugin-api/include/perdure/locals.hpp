// Objects that live as long as one attempt, one of each type, shared by its middleware, hooks and run: what stands
// behind Attempt::locals<T>(). Made where they are first asked for, destroyed in the reverse order. Any thread.
#pragma once

#include <perdure/plugin.h>

#include <memory>
#include <mutex>
#include <string>
#include <typeinfo>
#include <utility>
#include <vector>

#include <perdure/errors.hpp>
#include <perdure/text.hpp>

namespace perdure::detail {

class Locals {
 public:
  Locals() = default;
  Locals(const Locals&) = delete;
  Locals& operator=(const Locals&) = delete;
  ~Locals() {
    while (!objects_.empty()) {
      const Object last = objects_.back();
      objects_.pop_back();
      last.destroy(last.object);
    }
  }

  /// Those of the attempt.
  static Locals& of(const perdure_attempt* attempt) {
    void** place = nullptr;
    if (!PERDURE_HAS(attempt->services, local)) throw Abort("locals need a host with plugin interface 1.2 or newer");
    if (attempt->services->local(attempt, &place) != PERDURE_OK) {
      throw Abort(std::string(view(attempt->services->last_error(attempt))));
    }
    // Not std::atomic_ref, which libc++ lacks before its version 19.
    void* known = __atomic_load_n(place, __ATOMIC_ACQUIRE);
    if (known == nullptr) {
      auto made = std::make_unique<Locals>();
      void* const mine = made.get();
      if (__atomic_compare_exchange_n(place, &known, mine, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        known = made.release();
      }
    }
    return *static_cast<Locals*>(known);
  }

  /// The object of type T; one made of `arguments` where there is none yet.
  template <class T, class... Arguments>
  T& get(Arguments&&... arguments) {
    const std::lock_guard lock(mutex_);
    for (const Object& each : objects_) {
      if (*each.type == typeid(T)) return *static_cast<T*>(each.object);
    }
    auto made = std::make_unique<T>(std::forward<Arguments>(arguments)...);
    objects_.push_back({&typeid(T), made.get(), [](void* object) { delete static_cast<T*>(object); }});
    return *made.release();
  }

 private:
  struct Object {
    const std::type_info* type;
    void* object;
    void (*destroy)(void*);
  };

  std::recursive_mutex mutex_;  // a constructor may ask for another local, which then outlives it
  std::vector<Object> objects_;
};

/// The drop_local of every plugin.
inline perdure_status drop_locals(const perdure_attempt* attempt) {
  void** place = nullptr;
  if (attempt->services->local(attempt, &place) == PERDURE_OK) {
    delete static_cast<Locals*>(std::exchange(*place, nullptr));
  }
  return PERDURE_OK;
}

}  // namespace perdure::detail
