// The name of a C++ type as its author would write it, for error types. No state; any thread.
#pragma once

#include <cxxabi.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <typeinfo>

namespace perdure::detail {

/// "FixtureError", "std::runtime_error", whatever the library: without anonymous namespaces and without its inner
/// namespaces. Throws only std::bad_alloc.
inline std::string type_name(const std::type_info& type) {
  int status = 0;
  char* const demangled = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
  std::string name;
  try {
    name = status == 0 && demangled != nullptr ? demangled : type.name();
  } catch (...) {
    std::free(demangled);
    throw;
  }
  std::free(demangled);
  for (const std::string_view noise : {"(anonymous namespace)::", "__cxx11::", "__1::"}) {
    for (std::size_t at = name.find(noise); at != std::string::npos; at = name.find(noise, at)) {
      name.erase(at, noise.size());
    }
  }
  return name;
}

/// The name of the exception being handled; only inside a catch block.
inline std::string current_exception_name() {
  const std::type_info* const type = abi::__cxa_current_exception_type();
  return type != nullptr ? type_name(*type) : "a foreign exception";
}

}  // namespace perdure::detail
