#include "host/config/key_form.h"

namespace perdure::config {

KeyForm key_form(std::string_view text) {
  if (text.find("-----BEGIN ") != std::string_view::npos) return KeyForm::kPem;
  if (text.ends_with('=')) text.remove_suffix(1);
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_";
  const bool raw = text.size() == 43 && text.find_first_not_of(kAlphabet) == std::string_view::npos;
  return raw ? KeyForm::kRaw : KeyForm::kFile;
}

}  // namespace perdure::config
