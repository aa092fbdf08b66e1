#include "host/api/auth/random_text.h"

#include <openssl/rand.h>

#include <array>
#include <cstdlib>
#include <string_view>

namespace perdure::api::auth {

std::string random_text(std::size_t count) {
  constexpr std::string_view kCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  constexpr unsigned kEven =
      256 / kCharacters.size() * kCharacters.size();  // larger bytes would favour some characters
  std::string text;
  text.reserve(count);
  std::array<unsigned char, 64> bytes{};
  while (text.size() < count) {
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
      std::abort();  // no key is better than a weak one
    for (const unsigned char byte : bytes) {
      if (byte < kEven && text.size() < count) text += kCharacters[byte % kCharacters.size()];
    }
  }
  return text;
}

}  // namespace perdure::api::auth
