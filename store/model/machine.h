// The machine of an attempt: how much memory its processes may use together, and how much processor they get when there
// is too little for all. Values and pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace perdure::store {

struct Machine {
  std::string name;          // of a preset; empty for one that was described
  double cpu = 0;            // a weight, as a number of processors
  std::uint64_t memory = 0;  // bytes; 0: no limit
  bool operator==(const Machine&) const = default;
};

/// The least memory a machine may be described with.
inline constexpr std::uint64_t kLeastMachineMemory = std::uint64_t{16} << 20;
/// The machine of tasks that name none.
inline constexpr std::string_view kUsualMachine = "small-1x";

/// The presets of the task model, the smallest first.
std::span<const Machine> machine_presets();

/// A machine as text: a preset's name, or "CPU/BYTES" for one that was described.
std::string machine_text(const Machine& machine);
/// Reads such a text; nothing when it is none.
std::optional<Machine> parse_machine(std::string_view text);
/// For people: "small-1x (512 MiB)", "0.5 vCPU, 300 MiB".
std::string machine_in_words(const Machine& machine);
/// Bytes for people: "512 MiB", "1.5 GiB".
std::string memory_in_words(std::uint64_t bytes);

/// The smallest preset with more memory than `bytes`; the largest one when there is none.
const Machine& machine_above(std::uint64_t bytes);

}  // namespace perdure::store
