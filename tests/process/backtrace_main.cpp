// Stands for `perdure backtrace --pid P --tid T [--core FILE --core-size N --cores-size N --signal S]` and `perdure
// backtrace --pid P --parent Q` in tests that have no perdure.
#include <cstdlib>
#include <map>
#include <optional>
#include <string>

#include "host/process/backtrace.h"
#include "host/process/thread_stacks.h"

int main(int count, char** arguments) {
  if (count < 6 || count % 2 != 0 || std::string(arguments[1]) != "backtrace") return 2;
  std::map<std::string, std::string> given;
  for (int i = 2; i < count; i += 2) given[arguments[i]] = arguments[i + 1];
  const auto number = [&](const char* name) { return std::atoi(given[name].c_str()); };
  if (given.contains("--parent")) return perdure::process::print_stacks(number("--pid"), number("--parent"));
  std::optional<perdure::process::CoreWanted> core;
  if (given.contains("--core")) {
    core = {.path = given["--core"],
            .size = std::strtoull(given["--core-size"].c_str(), nullptr, 10),
            .all = std::strtoull(given["--cores-size"].c_str(), nullptr, 10),
            .signal = number("--signal")};
  }
  return perdure::process::print_backtrace(number("--pid"), number("--tid"), core);
}
