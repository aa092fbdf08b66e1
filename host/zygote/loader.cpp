#include "host/zygote/loader.h"

#include <cxxabi.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <boost/dll/shared_library.hpp>
#include <cstring>
#include <exception>
#include <typeinfo>

#include "host/zygote/descendants.h"
#include "host/zygote/footprint.h"
#include "host/zygote/load_watch.h"

namespace perdure::zygote {
namespace {

namespace dll = boost::dll;
using Entry = perdure_status(const perdure_registrar*);

std::string demangled(const char* name) {
  int status = 0;
  char* text = abi::__cxa_demangle(name, nullptr, nullptr, &status);
  std::string result = status == 0 ? text : name;
  free(text);
  return result;
}

// What the dynamic linker said inside the exception's text, without the file's own path.
std::string linker_words(const std::string& text, const std::string& path) {
  static constexpr std::string_view kBefore = "dlerror system message: ";
  const std::size_t start = text.find(kBefore);
  if (start == std::string::npos) return text;
  std::string words = text.substr(start + kBefore.size());
  words.resize(std::min(words.rfind("): "), words.size()));
  if (words.starts_with(path + ": ")) words.erase(0, path.size() + 2);
  return words;
}

Refusal link_refusal(const std::string& text, const std::string& path) {
  const std::string words = linker_words(text, path);
  static constexpr std::string_view kUndefined = "undefined symbol: ";
  if (words.starts_with(kUndefined)) {
    std::string symbol = words.substr(kUndefined.size());
    symbol.resize(std::min(symbol.find_first_of(" ,\t("), symbol.size()));
    const std::string readable = demangled(symbol.c_str());
    return {"it needs the symbol " + symbol + (readable == symbol ? "" : ", that is " + readable) +
                ", which neither it nor a library it names defines",
            words};
  }
  static constexpr std::string_view kMissing = ": cannot open shared object file";
  if (const std::size_t at = words.find(kMissing); at != std::string::npos) {
    return {"it needs the library " + words.substr(0, at) + ", which is not found on this machine or beside the plugin",
            words};
  }
  return {"the dynamic linker refuses it: " + words, {}};
}

// The name of the exception being handled.
std::string exception_name() {
  const std::type_info* type = abi::__cxa_current_exception_type();
  return type != nullptr ? demangled(type->name()) : "something that is no C++ exception";
}

perdure_status call_entry(Entry* entry, const perdure_registrar* registrar, std::string& thrown) {
  try {
    return entry(registrar);
  } catch (const std::exception& e) {
    thrown = exception_name() + ": " + e.what();
  } catch (...) {
    thrown = exception_name();
  }
  return PERDURE_FAILED;
}

Loaded load_one(const std::string& path) {
  Loaded loaded;
  const pid_t self = getpid();
  set_load_phase("while loading");
  const Footprint before = footprint();
  // Never destroyed: code that was touched once stays mapped anyway.
  dll::shared_library* library = nullptr;
  try {
    library = new dll::shared_library(path, dll::load_mode::rtld_now | dll::load_mode::rtld_local);
  } catch (const std::exception& e) {
    if (getpid() != self) _exit(0);
    loaded.refusal = link_refusal(e.what(), path);
    return loaded;
  }
  if (getpid() != self) _exit(0);  // the plugin forked in an initialiser; its copy of this process is not ours to keep

  set_load_phase("in perdure_register_v1");
  auto registration = std::make_unique<Registration>();
  std::string thrown;
  perdure_status status = PERDURE_OK;
  try {
    status = call_entry(&library->get<Entry>("perdure_register_v1"), registration->registrar(), thrown);
  } catch (const std::exception&) {
    if (getpid() != self) _exit(0);
    loaded.refusal.reason = "its symbol table names perdure_register_v1, but the dynamic linker does not find it";
    return loaded;
  }
  if (getpid() != self) _exit(0);
  if (!thrown.empty()) {
    loaded.refusal.reason = "perdure_register_v1 let an exception escape: " + thrown;
    return loaded;
  }
  loaded.refusal.reason = registration->verdict(status);
  if (!loaded.refusal.reason.empty()) return loaded;
  loaded.isolation_reason = new_since(before, footprint());
  end_descendants();  // its attempts will start their own
  loaded.registration = std::move(registration);
  return loaded;
}

}  // namespace

Loaded load(const std::string& plugin, const std::vector<std::string>& paths,
            const std::function<void(std::uint32_t number)>& next) {
  Loaded loaded = load_one(plugin);
  for (std::uint32_t i = 0; i < paths.size() && loaded.registration; i++) {
    next(i + 1);
    Loaded beside = load_one(paths[i]);
    if (!beside.registration) return beside;
    if (loaded.isolation_reason.empty() && !beside.isolation_reason.empty()) {
      loaded.isolation_reason =
          "of " + beside.registration->plugin() + ", whose hooks stand around its tasks: " + beside.isolation_reason;
    }
    loaded.registration->put_beside(std::move(beside.registration));
  }
  return loaded;
}

}  // namespace perdure::zygote
