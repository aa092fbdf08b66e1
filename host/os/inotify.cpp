#include "host/os/inotify.h"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

namespace perdure::os {

Inotify::Inotify() : fd_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {}

int Inotify::add(const std::string& directory, std::uint32_t events) {
  return ::inotify_add_watch(fd_.get(), directory.c_str(), events | IN_ONLYDIR | IN_MASK_ADD);
}

void Inotify::remove(int watch) { ::inotify_rm_watch(fd_.get(), watch); }

void Inotify::read(const std::function<void(int watch, std::uint32_t events, std::string_view name)>& event) {
  alignas(inotify_event) std::array<char, 1u << 14> buffer;
  for (;;) {
    const ssize_t size = ::read(fd_.get(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return;
    for (std::size_t at = 0; at < static_cast<std::size_t>(size);) {
      inotify_event head;
      std::memcpy(&head, buffer.data() + at, sizeof head);
      // The name is padded with zeros.
      const char* const name = buffer.data() + at + sizeof head;
      event(head.wd, head.mask, std::string_view(name, ::strnlen(name, head.len)));
      at += sizeof head + head.len;
    }
  }
}

}  // namespace perdure::os
