#include "host/process/child_state.h"

#include <array>

namespace perdure::process {
namespace {

constexpr std::uint8_t kNo = 0xff;
constexpr auto kId = static_cast<std::uint8_t>(ChildState::kIdle);
constexpr auto kEx = static_cast<std::uint8_t>(ChildState::kExecuting);
constexpr auto kCr = static_cast<std::uint8_t>(ChildState::kCrashing);
constexpr auto kFi = static_cast<std::uint8_t>(ChildState::kFinished);
constexpr auto kLe = static_cast<std::uint8_t>(ChildState::kLeaving);
constexpr auto kDe = static_cast<std::uint8_t>(ChildState::kDead);

using Row = std::array<std::uint8_t, kChildEventCount>;
constexpr std::array<Row, kChildStateCount> kTable{{
    //               born  given outcome crash log  request confirmed recycled violation died
    /* forking   */ {kEx, kNo, kNo, kNo, kNo, kNo, kNo, kNo, kLe, kDe},
    /* idle      */ {kNo, kEx, kNo, kLe, kId, kNo, kNo, kNo, kLe, kDe},  // threads of a recycled child may still speak
    /* executing */ {kNo, kNo, kFi, kCr, kEx, kEx, kNo, kNo, kLe, kDe},
    /* crashing  */ {kNo, kNo, kNo, kCr, kCr, kCr, kNo, kNo, kLe, kDe},
    /* finished  */ {kNo, kNo, kNo, kLe, kFi, kNo, kLe, kId, kLe, kDe},
    /* leaving   */ {kNo, kNo, kLe, kLe, kLe, kLe, kLe, kNo, kLe, kDe},  // whatever it still says, it is over
    /* dead      */ {kNo, kNo, kNo, kNo, kNo, kNo, kNo, kNo, kNo, kNo},
}};

}  // namespace

std::optional<ChildState> next_state(ChildState state, ChildEvent event) {
  const std::uint8_t next = kTable[static_cast<std::size_t>(state)][static_cast<std::size_t>(event)];
  if (next == kNo) return std::nullopt;
  return static_cast<ChildState>(next);
}

}  // namespace perdure::process
