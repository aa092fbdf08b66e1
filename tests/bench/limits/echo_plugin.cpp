// What the playground's `echo` does, with nothing around it: parse the payload, serialize it again.
// Loaded by the bare zygote; returns the bytes written, or -1.
#include <boost/json.hpp>
#include <cstring>
#include <string>

extern "C" __attribute__((visibility("default"))) long bench_run(const char* in, unsigned long size, char* out,
                                                                 unsigned long capacity) {
  const boost::json::value payload = boost::json::parse({in, size});
  const std::string result = boost::json::serialize(payload);
  if (result.size() > capacity) return -1;
  std::memcpy(out, result.data(), result.size());
  return static_cast<long>(result.size());
}
