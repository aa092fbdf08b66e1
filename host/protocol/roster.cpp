#include "host/protocol/roster.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>

namespace perdure::protocol {
namespace {

constexpr std::uint64_t kMagic = 0x3152'4c4f'5244'5250;
constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW;  // or reading it could end a process by SIGBUS

template <std::size_t size>
void copy(char (&to)[size], std::string_view text) {
  const std::size_t length = text.copy(to, size - 1);
  std::memset(to + length, 0, size - length);
}

bool makes_sense(const RosterEntry& entry) {
  return entry.child != 0 && std::memchr(entry.run, 0, sizeof entry.run) != nullptr &&
         std::memchr(entry.token, 0, sizeof entry.token) != nullptr;
}

}  // namespace

struct Roster::Memory {
  std::uint64_t magic;
  std::uint64_t used;  // entries at and above this were never written: their pages are not there
  std::uint64_t rest[14];
  RosterEntry entries[kMostEntries];
};

std::optional<Roster> Roster::make() {
  const int fd = memfd_create("perdure-roster", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return std::nullopt;
  void* memory = MAP_FAILED;
  if (ftruncate(fd, sizeof(Memory)) == 0 && fcntl(fd, F_ADD_SEALS, kSeals) == 0) {
    memory = mmap(nullptr, sizeof(Memory), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  }
  if (memory == MAP_FAILED) {
    close(fd);
    return std::nullopt;
  }
  static_cast<Memory*>(memory)->magic = kMagic;
  return Roster(fd, static_cast<Memory*>(memory));
}

std::optional<Roster> Roster::open(int fd) {
  struct stat file {};
  const int seals = fcntl(fd, F_GET_SEALS);
  void* memory = MAP_FAILED;
  if (seals >= 0 && (seals & kSeals) == kSeals && fstat(fd, &file) == 0 && file.st_size == sizeof(Memory)) {
    memory = mmap(nullptr, sizeof(Memory), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  }
  if (memory == MAP_FAILED) {
    close(fd);
    return std::nullopt;
  }
  Roster roster(fd, static_cast<Memory*>(memory));
  if (roster.memory_->magic != kMagic || roster.memory_->used > kMostEntries) return std::nullopt;
  for (std::uint32_t i = 0; i < roster.memory_->used; i++) {
    if (roster.memory_->entries[i].child == 0) roster.free_.push_back(i);
  }
  return roster;
}

Roster::Roster(Roster&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      memory_(std::exchange(other.memory_, nullptr)),
      free_(std::move(other.free_)) {}

Roster& Roster::operator=(Roster&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(memory_, other.memory_);
  free_.swap(other.free_);
  return *this;
}

Roster::~Roster() {
  if (memory_ != nullptr) munmap(memory_, sizeof(Memory));
  if (fd_ >= 0) close(fd_);
}

std::uint32_t Roster::enter(std::uint64_t child, std::uint64_t ordinal, std::string_view run, std::uint32_t number,
                            std::string_view token, bool hooks_only, std::uint32_t replay) {
  if (run.size() >= sizeof RosterEntry::run || token.size() >= sizeof RosterEntry::token) return kNone;
  std::uint32_t place = 0;
  if (!free_.empty()) {
    place = free_.back();
    free_.pop_back();
  } else {
    if (memory_->used == kMostEntries) return kNone;
    place = static_cast<std::uint32_t>(memory_->used);
    std::atomic_ref(memory_->used).store(place + 1, std::memory_order_release);
  }
  RosterEntry& entry = memory_->entries[place];
  entry.ordinal = ordinal;
  entry.number = number;
  entry.hooks_only = hooks_only ? 1 : 0;
  entry.replay = replay;
  copy(entry.run, run);
  copy(entry.token, token);
  std::atomic_ref(entry.child).store(child, std::memory_order_release);  // it is there from here on
  return place;
}

void Roster::remove(std::uint32_t place) {
  if (place == kNone) return;
  std::atomic_ref(memory_->entries[place].child).store(0, std::memory_order_release);
  free_.push_back(place);
}

std::vector<Roster::Found> Roster::entries() const {
  std::vector<Found> there;
  const auto used = static_cast<std::uint32_t>(std::min<std::uint64_t>(memory_->used, kMostEntries));
  for (std::uint32_t i = 0; i < used; i++) {
    if (const RosterEntry entry = memory_->entries[i]; makes_sense(entry)) there.push_back({entry, i});
  }
  std::ranges::sort(there, {}, [](const Found& each) { return each.entry.child; });
  return there;
}

}  // namespace perdure::protocol
