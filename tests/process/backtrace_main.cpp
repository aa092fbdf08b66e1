// Stands for `perdure backtrace --pid P --tid T` in tests that have no perdure.
#include <cstdlib>
#include <cstring>

#include "host/process/backtrace.h"

int main(int count, char** arguments) {
  if (count != 6 || std::strcmp(arguments[1], "backtrace") != 0) return 2;
  return perdure::process::print_backtrace(std::atoi(arguments[3]), std::atoi(arguments[5]));
}
