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
  return unit == Unit::kPerSecond ? fmt::format("{:.0f}/s", value) : fmt::format("{:.2f} ms", value * 1e3);
}

std::optional<double> ratio_of(const Row& row, const Figures& figures) {
  const auto limit = figures.find(row.limit);
  if (row.limit.empty() || limit == figures.end() || limit->second <= 0) return std::nullopt;
  return figures.at(row.key) / limit->second;
}

bool met(const Row& row, double ratio) {
  return row.unit == Unit::kPerSecond ? ratio >= row.target : ratio <= row.target;
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
  constexpr auto kLine = "| {:<58} | {:>11} | {:>11} | {:>6} | {:>8} | {:<3} |\n";
  std::string text = fmt::format(kLine, "what", "measured", "limit", "ratio", "target", "met");
  text += fmt::format("|{:-<60}|{:->12}:|{:->12}:|{:->7}:|{:->9}:|{:-<5}|\n", "", "", "", "", "", "");
  for (const Row& row : rows) {
    const auto figure = figures.find(row.key);
    if (figure == figures.end()) continue;
    const std::string value = shown(figure->second, row.unit);
    const auto ratio = ratio_of(row, figures);
    if (!ratio) {
      text += fmt::format(kLine, row.what, value, "", "", "", "");
      continue;
    }
    const bool rate = row.unit == Unit::kPerSecond;
    const std::string target = row.target > 0 ? fmt::format("{} {:.2f}", rate ? ">=" : "<=", row.target) : "";
    text += fmt::format(kLine, row.what, value, shown(figures.at(row.limit), row.unit), fmt::format("{:.2f}", *ratio),
                        target,
                        target.empty()     ? ""
                        : met(row, *ratio) ? "yes"
                                           : "no");
  }
  return text;
}

std::string document(const std::vector<Row>& rows, const Figures& figures, const std::string& machine) {
  boost::json::array lines;
  for (const Row& row : rows) {
    const auto figure = figures.find(row.key);
    if (figure == figures.end()) continue;
    boost::json::object line{{"key", row.key},
                             {"what", row.what},
                             {"unit", row.unit == Unit::kPerSecond ? "1/s" : "s"},
                             {"measured", figure->second}};
    if (const auto ratio = ratio_of(row, figures)) {
      line["limit"] = row.limit;
      line["ratio"] = *ratio;
      if (row.target > 0) {
        line["target"] = row.target;
        line["met"] = met(row, *ratio);
      }
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
