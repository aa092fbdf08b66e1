// How a public key is written in the configuration: as the text of a PEM file, as base64 of its 32 bytes, or as the
// path of a PEM file. Told apart by their shape alone, so that the configuration and whoever reads the keys agree.
// Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace perdure::config {

enum class KeyForm : std::uint8_t {
  kPem,   // has "-----BEGIN " in it
  kRaw,   // 43 characters of base64 (standard or URL alphabet) and perhaps its "=": 32 bytes
  kFile,  // anything else
};

KeyForm key_form(std::string_view text);

}  // namespace perdure::config
