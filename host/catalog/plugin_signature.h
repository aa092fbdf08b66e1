// Ed25519 signatures of plugin files: FILE.sig beside FILE, made with OpenSSL's command line like this:
//
//   openssl genpkey -algorithm ed25519 -out key.pem             once; keep it away from the host
//   openssl pkey -in key.pem -pubout -out key.pub               goes into [trust] keys
//   openssl pkeyutl -sign -rawin -inkey key.pem -in x.so -out x.so.sig
//
// Any thread.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "store/model/status.h"

namespace perdure::catalog {

/// The public keys of [trust] keys. A value; copies share the keys.
class TrustedKeys {
 public:
  /// No keys: nothing need be signed.
  TrustedKeys() = default;
  /// Each is the text of a PEM file with one public key, base64 of its 32 bytes, or the path of a PEM file, which is
  /// read now (see host/config/key_form.h). kInvalid, kIo: one sentence that says which key ("[trust] keys, the 2nd"),
  /// what is wrong with it and what was expected; private keys are refused, and not shown.
  static store::Result<TrustedKeys> read(const std::vector<std::string>& configured);

  [[nodiscard]] bool empty() const { return !keys_; }

 private:
  friend store::Status check_signature(const std::filesystem::path& copy, const std::filesystem::path& signature,
                                       const TrustedKeys& keys);
  struct Keys;  // OpenSSL's
  std::shared_ptr<const Keys> keys_;
};

/// FILE.sig, for the path by which the user named the file: beside a symbolic link, not beside its target.
std::filesystem::path signature_path(const std::filesystem::path& file);

/// Ok when `signature` holds a signature of the bytes of `copy` by one of the keys, or there are no keys: 64 raw bytes,
/// or their base64 (blanks and line ends ignored). Give the private copy that is loaded, not the user's file, which may
/// change after the check. kInvalid, kIo: one sentence beginning with "It" (the plugin): there is no signature, what is
/// in the file is none, it is by none of the trusted keys or of other content; and what to do.
store::Status check_signature(const std::filesystem::path& copy, const std::filesystem::path& signature,
                              const TrustedKeys& keys);

}  // namespace perdure::catalog
