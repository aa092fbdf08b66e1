#include "tests/bench/table.h"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <fstream>
#include <optional>

namespace perdure::bench {
namespace {

std::string shown(double value, Unit unit) {
  switch (unit) {
    case Unit::kPerSecond:
      return fmt::format("{:.0f}/s", value);
    case Unit::kMilliseconds:
      return fmt::format("{:.2f} ms", value * 1e3);
    case Unit::kMegabytes:
      return fmt::format("{:.0f} MB", value / 1e6);
    case Unit::kKilobytes:
      return fmt::format("{:.1f} KB", value / 1e3);
  }
  return {};
}

std::string_view unit_name(Unit unit) {
  switch (unit) {
    case Unit::kPerSecond:
      return "1/s";
    case Unit::kMilliseconds:
      return "s";
    case Unit::kMegabytes:
    case Unit::kKilobytes:
      return "bytes";
  }
  return {};
}

// What is wanted of a row and whether it is so; nothing when nothing is.
struct Verdict {
  std::optional<double> ratio{};
  std::string target{};
  bool met = false;
};

Verdict verdict(const Row& row, const Figures& figures) {
  const double measured = figures.at(row.key);
  if (row.bound > 0) return {.target = "<= " + shown(row.bound, row.unit), .met = measured <= row.bound};
  const auto limit = figures.find(row.limit);
  if (row.limit.empty() || limit == figures.end() || limit->second <= 0) return {};
  Verdict verdict{.ratio = measured / limit->second};
  if (row.target <= 0) return verdict;
  const bool rate = row.unit == Unit::kPerSecond;
  verdict.target = fmt::format("{} {:.2f}", rate ? ">=" : "<=", row.target);
  verdict.met = rate ? *verdict.ratio >= row.target : *verdict.ratio <= row.target;
  return verdict;
}

std::string file_system(const std::string& dir) {
  struct statfs info {};
  if (statfs(dir.c_str(), &info) != 0) return "unknown";
  switch (info.f_type) {
    case 0xEF53:
      return "ext4";
    case 0x58465342:
      return "xfs";
    case 0x9123683E:
      return "btrfs";
    case 0x01021994:
      return "tmpfs";
    case 0x794C7630:
      return "overlayfs";
    case 0x2FC12FC1:
      return "zfs";
    default:
      return fmt::format("file system {:x}", info.f_type);
  }
}

}  // namespace

std::string table(const std::vector<Row>& rows, const Figures& figures) {
  constexpr auto kLine = "| {:<60} | {:>11} | {:>11} | {:>6} | {:>11} | {:<3} |\n";
  std::string text = fmt::format(kLine, "what", "measured", "limit", "ratio", "target", "met");
  text += fmt::format("|{:-<62}|{:->12}:|{:->12}:|{:->7}:|{:->12}:|{:-<5}|\n", "", "", "", "", "", "");
  for (const Row& row : rows) {
    const auto figure = figures.find(row.key);
    if (figure == figures.end()) continue;
    const Verdict told = verdict(row, figures);
    text += fmt::format(kLine, row.what, shown(figure->second, row.unit),
                        told.ratio ? shown(figures.at(row.limit), row.unit) : "",
                        told.ratio ? fmt::format("{:.2f}", *told.ratio) : "", told.target,
                        told.target.empty() ? "" : (told.met ? "yes" : "no"));
  }
  return text;
}

std::string document(const std::vector<Row>& rows, const Figures& figures, const std::string& machine) {
  boost::json::array lines;
  for (const Row& row : rows) {
    const auto figure = figures.find(row.key);
    if (figure == figures.end()) continue;
    boost::json::object line{
        {"key", row.key}, {"what", row.what}, {"unit", unit_name(row.unit)}, {"measured", figure->second}};
    const Verdict told = verdict(row, figures);
    if (told.ratio) {
      line["limit"] = row.limit;
      line["ratio"] = *told.ratio;
    }
    if (!told.target.empty()) {
      line["target"] = row.bound > 0 ? row.bound : row.target;
      line["met"] = told.met;
    }
    lines.push_back(std::move(line));
  }
  return boost::json::serialize(boost::json::object{{"machine", machine}, {"rows", std::move(lines)}}) + "\n";
}

std::string machine(const std::string& dir) {
  std::string model = "unknown processor";
  std::ifstream cpu("/proc/cpuinfo");
  for (std::string line; std::getline(cpu, line);) {
    if (line.rfind("model name", 0) == 0) {
      model = line.substr(line.find(": ") + 2);
      break;
    }
  }
  utsname system{};
  uname(&system);
  return fmt::format("{}, {} cores, Linux {}, data on {}", model, sysconf(_SC_NPROCESSORS_ONLN), system.release,
                     file_system(dir));
}

}  // namespace perdure::bench
