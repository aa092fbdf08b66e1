// Target: perdure.toml, single values of it as variables and flags give them, and public keys with signatures. Input: a
// letter for the kind; of a value a letter for the key; the text. Of a signature, its bytes end at the first line end.
#include "host/config/config.h"

#include <algorithm>
#include <string>

#include "host/catalog/plugin_signature.h"
#include "host/config/key_form.h"
#include "host/config/keys.h"
#include "tests/fuzz/claim.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/targets.h"

namespace perdure::fuzz {
namespace {

std::optional<std::string> variable(const std::string& name) {
  return name == "SECRET" ? std::optional<std::string>("s\"3\n") : std::nullopt;
}

void try_file(std::string_view text) {
  const MemoryFile file(text);
  const store::Result<config::Loaded> loaded =
      config::load({.file = file.path(), .environment = variable, .flags = {}});
  if (!loaded) {
    claim(!loaded.status().message().empty(), "a refusal says what is wrong");
    return;
  }
  const MemoryFile shown(loaded->shown);
  const auto again = config::load({.file = shown.path(), .environment = variable, .flags = {}});
  const bool hidden = !loaded->config.auth.key.empty();
  claim(hidden || again.status().is_ok(), "the configuration that is shown can be read");
  claim(hidden || again->config.plugins == loaded->config.plugins, "what plugins are configured with comes back");
  claim(hidden || again->config.host.listen == loaded->config.host.listen, "the address comes back");
  claim(hidden || again->config.retention.failed == loaded->config.retention.failed, "a duration comes back");
  claim(hidden || again->config.attempts.environment == loaded->config.attempts.environment, "a list comes back");
}

void try_value(Input input) {
  const std::span<const config::Key> keys = config::keys();
  const config::Key& key = keys[input.letter(keys.size())];
  config::Config config;
  const store::Status set = config::set_from_text(key, config, input.rest());
  claim(set.is_ok() || !set.message().empty(), "a refusal says what was expected");
  claim(!set || !config::show(key, config).empty(), "a value that was set can be shown");
}

void try_signature(Input input) {
  const std::string signature(input.line());
  std::string key(input.rest());
  if (config::key_form(key) == config::KeyForm::kFile) key = "-----BEGIN PUBLIC KEY-----\n" + key;
  const store::Result<catalog::TrustedKeys> keys = catalog::TrustedKeys::read({key});
  if (!keys) {
    claim(!keys.status().message().empty(), "a refusal of a key says why");
    return;
  }
  claim(!keys->empty(), "a key that was read is there");
  const MemoryFile plugin("what is signed");
  const MemoryFile file(signature);
  const store::Status checked = catalog::check_signature(plugin.path(), file.path(), *keys);
  claim(!checked, "what was made up is no signature");
  claim(checked.message().starts_with("It"), "a refusal of a signature speaks of the plugin");
}

}  // namespace

void configuration(std::string_view bytes) {
  Input input(bytes);
  switch (input.letter(3)) {
    case 0:
      return try_file(input.rest());
    case 1:
      return try_value(input);
    default:
      return try_signature(input);
  }
}

}  // namespace perdure::fuzz
