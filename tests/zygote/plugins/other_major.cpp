// A plugin for a later major version of the interface.
extern "C" __attribute__((visibility("default"))) int perdure_register_v2() { return 0; }
