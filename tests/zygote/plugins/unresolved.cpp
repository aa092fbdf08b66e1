// A plugin that calls a function nobody defines.
#include <perdure/plugin.h>

namespace somewhere {
int missing_function(int);
}

extern "C" PERDURE_EXPORT perdure_status perdure_register_v1(const perdure_registrar*) {
  return somewhere::missing_function(1);
}
