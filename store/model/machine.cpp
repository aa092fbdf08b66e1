#include "store/model/machine.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

namespace perdure::store {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr double kMostCpu = 1024;

std::string decimal(double value) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return {digits.data(), end};
}

template <class T>
bool read_whole(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::span<const Machine> machine_presets() {
  static const std::vector<Machine> presets{
      {"micro", 0.25, 256 * kMiB},   {"small-1x", 0.5, 512 * kMiB}, {"small-2x", 1, 1024 * kMiB},
      {"medium-1x", 1, 2048 * kMiB}, {"medium-2x", 2, 4096 * kMiB}, {"large-1x", 4, 8192 * kMiB},
      {"large-2x", 8, 16384 * kMiB},
  };
  return presets;
}

std::string machine_text(const Machine& machine) {
  return machine.name.empty() ? decimal(machine.cpu) + "/" + std::to_string(machine.memory) : machine.name;
}

std::optional<Machine> parse_machine(std::string_view text) {
  for (const Machine& preset : machine_presets()) {
    if (preset.name == text) return preset;
  }
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  Machine machine;
  if (!read_whole(text.substr(0, slash), machine.cpu) || !read_whole(text.substr(slash + 1), machine.memory)) {
    return std::nullopt;
  }
  const bool sound = machine.cpu > 0 && machine.cpu <= kMostCpu && machine.memory >= kLeastMachineMemory;
  return sound ? std::optional(machine) : std::nullopt;
}

std::string memory_in_words(std::uint64_t bytes) {
  const bool giga = bytes >= 1024 * kMiB;
  const double unit = static_cast<double>(giga ? 1024 * kMiB : kMiB);
  return decimal(std::round(static_cast<double>(bytes) / unit * 10) / 10) + (giga ? " GiB" : " MiB");
}

std::string machine_in_words(const Machine& machine) {
  const std::string memory = memory_in_words(machine.memory);
  return machine.name.empty() ? decimal(machine.cpu) + " vCPU, " + memory : machine.name + " (" + memory + ")";
}

const Machine& machine_above(std::uint64_t bytes) {
  const std::span<const Machine> presets = machine_presets();
  const auto found = std::ranges::find_if(presets, [bytes](const Machine& each) { return each.memory > bytes; });
  return found == presets.end() ? presets.back() : *found;
}

}  // namespace perdure::store
