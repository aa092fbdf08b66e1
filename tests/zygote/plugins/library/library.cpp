// The library that the plugin `beside` needs.
extern "C" __attribute__((visibility("default"))) int perdure_fixture_library() { return 42; }
