// Memory that a forked child does not get: what only the fork server needs. It costs a fork nothing, and writing to it
// after a fork does not fault, however many children are alive. For containers that grow rarely: each allocation is a
// mapping. Single-threaded use.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <new>

namespace perdure::zygote {

template <typename T>
struct PrivateMemory {
  using value_type = T;
  PrivateMemory() = default;
  template <typename U>
  explicit PrivateMemory(const PrivateMemory<U>&) {}

  T* allocate(std::size_t count) {
    const std::size_t size = count * sizeof(T);
    void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    madvise(memory, size, MADV_DONTFORK);
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t count) { munmap(memory, count * sizeof(T)); }
  template <typename U>
  bool operator==(const PrivateMemory<U>&) const {
    return true;
  }
};

}  // namespace perdure::zygote
