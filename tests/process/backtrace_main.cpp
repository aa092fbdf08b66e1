// Stands for `perdure backtrace --pid P --tid T` and `perdure backtrace --pid P --parent Q` in tests that have no
// perdure.
#include <cstdlib>
#include <cstring>

#include "host/process/backtrace.h"
#include "host/process/thread_stacks.h"

int main(int count, char** arguments) {
  if (count != 6 || std::strcmp(arguments[1], "backtrace") != 0) return 2;
  const int pid = std::atoi(arguments[3]), other = std::atoi(arguments[5]);
  return std::strcmp(arguments[4], "--parent") == 0 ? perdure::process::print_stacks(pid, other)
                                                    : perdure::process::print_backtrace(pid, other);
}
