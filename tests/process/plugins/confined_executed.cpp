// The tasks of confined.cpp in a plugin that starts a thread while it is loaded, so that its attempts are executed
// rather than forked.
#define PERDURE_LOAD_STARTS_A_THREAD
#include "confined.cpp"
