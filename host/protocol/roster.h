// Which attempts the children of one zygote execute: written by the host with every start, into memory that the zygote
// keeps when the host is gone, so that the next host knows whom it finds. An entry is a few stores and no message; a
// host that dies in the middle of one has not made it. One thread of one process writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace perdure::protocol {

/// An attempt and the child that has it.
struct RosterEntry {
  std::uint64_t child;    // its link id; 0: the entry is free
  std::uint64_t ordinal;  // of the attempt among those of the child's process, as in its kStart
  std::uint32_t number;   // of the attempt
  std::uint32_t hooks_only;
  std::uint32_t replay;  // how many processes of the attempt have left during waits before this one
  char run[40];          // the run's id, ending with a zero
  char token[60];        // the attempt's, likewise
};
static_assert(sizeof(RosterEntry) == 128);

class Roster {
 public:
  static constexpr std::uint32_t kMostEntries = 1 << 16;
  /// enter()'s answer when there is no room.
  static constexpr std::uint32_t kNone = UINT32_MAX;

  /// None yet: to be assigned to before anything else.
  Roster() = default;
  /// A new one, empty; nothing, with errno set, when it cannot be had.
  static std::optional<Roster> make();
  /// The one behind a descriptor of another process's, which is taken; nothing when it is none.
  static std::optional<Roster> open(int fd);
  Roster(Roster&& other) noexcept;
  Roster& operator=(Roster&& other) noexcept;
  ~Roster();

  /// For sending it to another process; borrowed.
  [[nodiscard]] int descriptor() const { return fd_; }

  /// Notes that the child is about to be given the attempt. kNone: there is no room, and a next host will not know it.
  std::uint32_t enter(std::uint64_t child, std::uint64_t ordinal, std::string_view run, std::uint32_t number,
                      std::string_view token, bool hooks_only = false, std::uint32_t replay = 0);
  /// The child does not execute that attempt any more.
  void remove(std::uint32_t place);

  struct Found {
    RosterEntry entry;
    std::uint32_t place;  // as enter() answered
  };
  /// The entries that are there, by child; one that makes no sense is left out.
  [[nodiscard]] std::vector<Found> entries() const;

 private:
  struct Memory;
  Roster(int fd, Memory* memory) : fd_(fd), memory_(memory) {}

  int fd_ = -1;
  Memory* memory_ = nullptr;
  std::vector<std::uint32_t> free_;  // below the memory's mark
};

}  // namespace perdure::protocol
