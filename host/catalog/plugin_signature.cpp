#include "host/catalog/plugin_signature.h"

#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>

#include "host/config/key_form.h"
#include "host/os/durable_file.h"
#include "host/os/unique_fd.h"

namespace perdure::catalog {
namespace {

using store::Status;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kSignatureBytes = 64;
// A signature file longer than this is something else, and is not read to its end.
constexpr off_t kLongestSignatureFile = 4096;

constexpr std::string_view kExpectedKey =
    "expected an Ed25519 public key: the text of a PEM file, base64 of 32 bytes, or the path of a PEM file";

/// The bytes of base64 text, in the standard or the URL alphabet, padded or not, blanks ignored. nullopt: it is none.
std::optional<std::string> decode_base64(std::string_view text) {
  std::string bytes;
  unsigned pending = 0, bits = 0;
  bool padded = false;
  for (const char c : text) {
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') continue;
    if (c == '=') {
      padded = true;
      continue;
    }
    unsigned value = 0;
    if (c >= 'A' && c <= 'Z') {
      value = static_cast<unsigned>(c - 'A');
    } else if (c >= 'a' && c <= 'z') {
      value = static_cast<unsigned>(c - 'a') + 26;
    } else if (c >= '0' && c <= '9') {
      value = static_cast<unsigned>(c - '0') + 52;
    } else if (c == '+' || c == '-') {
      value = 62;
    } else if (c == '/' || c == '_') {
      value = 63;
    } else {
      return std::nullopt;
    }
    if (padded) return std::nullopt;
    pending = (pending << 6 | value) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes += static_cast<char>(pending >> bits & 0xff);
  }
  return bytes;
}

Key key_from_pem(const std::string& text) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> source(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())),
                                                         BIO_free);
  Key key(PEM_read_bio_PUBKEY(source.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  ERR_clear_error();  // what others find in this thread's queue is to be theirs
  return key;
}

Key key_from_bytes(const std::string& bytes) {
  if (bytes.size() != kKeyBytes) return {nullptr, EVP_PKEY_free};
  return {EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, reinterpret_cast<const unsigned char*>(bytes.data()),
                                      bytes.size()),
          EVP_PKEY_free};
}

store::Result<std::shared_ptr<EVP_PKEY>> read_key(const std::string& configured, const std::string& which) {
  const config::KeyForm form = config::key_form(configured);
  Key key(nullptr, EVP_PKEY_free);
  std::string name = which;
  if (form == config::KeyForm::kRaw) {
    key = key_from_bytes(decode_base64(configured).value_or(""));
  } else {
    std::string text = configured;
    if (form == config::KeyForm::kFile) {
      name += ", " + configured;
      if (!os::read_file(configured, text)) {
        return Status::io(name + ": could not be read: " + std::strerror(errno) + "; " + std::string(kExpectedKey) +
                          ".");
      }
    }
    if (text.find("PRIVATE KEY") != std::string::npos) {
      return Status::invalid(name + ": is a private key, which has no business here; " + std::string(kExpectedKey) +
                             ". Make it with: openssl pkey -in key.pem -pubout.");
    }
    key = key_from_pem(text);
  }
  if (!key) return Status::invalid(name + ": is no key; " + std::string(kExpectedKey) + ".");
  if (EVP_PKEY_get_id(key.get()) != EVP_PKEY_ED25519) {
    const char* const type = EVP_PKEY_get0_type_name(key.get());
    return Status::invalid(name + ": is a key of another kind (" + (type == nullptr ? "unknown" : type) + "); " +
                           std::string(kExpectedKey) + ".");
  }
  return std::shared_ptr<EVP_PKEY>(key.release(), EVP_PKEY_free);
}

std::string ordinal(std::size_t number) {
  const std::size_t tens = number / 10 % 10, last = number % 10;
  return std::to_string(number) + (tens == 1 || last == 0 || last > 3 ? "th"
                                   : last == 1                        ? "st"
                                   : last == 2                        ? "nd"
                                                                      : "rd");
}

/// A file's content in memory, read by page as it is used.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path) {
    const os::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat info {};
    if (!file || ::fstat(file.get(), &info) != 0) {
      error_ = errno;
      return;
    }
    size_ = static_cast<std::size_t>(info.st_size);
    if (size_ == 0) return;
    void* const address = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (address == MAP_FAILED) {
      error_ = errno;
    } else {
      address_ = address;
    }
  }
  ~MappedFile() {
    if (address_ != nullptr) ::munmap(address_, size_);
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  [[nodiscard]] int error() const { return error_; }
  [[nodiscard]] const unsigned char* data() const {
    static constexpr unsigned char kNothing = 0;
    return address_ == nullptr ? &kNothing : static_cast<const unsigned char*>(address_);
  }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  void* address_ = nullptr;
  std::size_t size_ = 0;
  int error_ = 0;
};

bool verifies(EVP_PKEY* key, const std::string& signature, const MappedFile& content) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  const bool good = EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key) == 1 &&
                    EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()),
                                     signature.size(), content.data(), content.size()) == 1;
  ERR_clear_error();
  return good;
}

const std::string& recipe() {
  static const std::string kRecipe =
      "sign the plugin with: openssl pkeyutl -sign -rawin -inkey key.pem -in PLUGIN.so -out PLUGIN.so.sig";
  return kRecipe;
}

/// The 64 bytes in the signature file.
store::Result<std::string> read_signature(const std::filesystem::path& path) {
  // Without O_NONBLOCK a named pipe would hold the host up.
  const os::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file && errno == ENOENT) {
    return Status::invalid("It is not signed: there is no " + path.string() +
                           ", and only plugins signed by one of [trust] keys are loaded; " + recipe() + ".");
  }
  std::array<char, kLongestSignatureFile> text;
  const ssize_t size = file ? ::read(file.get(), text.data(), text.size()) : -1;
  if (size < 0) {
    return Status::io("It cannot be checked: its signature " + path.string() +
                      " could not be read: " + std::strerror(errno) + ".");
  }
  std::string signature(text.data(), static_cast<std::size_t>(size));
  if (signature.size() != kSignatureBytes) signature = decode_base64(signature).value_or("");
  if (signature.size() == kSignatureBytes) return signature;
  return Status::invalid("It is not signed: " + path.string() + " holds no Ed25519 signature (64 bytes, or their " +
                         "base64), but " + std::to_string(size) + " bytes of something else; " + recipe() + ".");
}

}  // namespace

struct TrustedKeys::Keys {
  std::vector<std::shared_ptr<EVP_PKEY>> all;
};

store::Result<TrustedKeys> TrustedKeys::read(const std::vector<std::string>& configured) {
  TrustedKeys trusted;
  if (configured.empty()) return trusted;
  auto keys = std::make_shared<Keys>();
  for (const std::string& each : configured) {
    auto key = read_key(each, "[trust] keys, the " + ordinal(keys->all.size() + 1));
    if (!key) return key.status();
    keys->all.push_back(std::move(*key));
  }
  trusted.keys_ = std::move(keys);
  return trusted;
}

std::filesystem::path signature_path(const std::filesystem::path& file) { return file.string() + ".sig"; }

store::Status check_signature(const std::filesystem::path& copy, const std::filesystem::path& signature,
                              const TrustedKeys& keys) {
  if (keys.empty()) return {};
  const auto bytes = read_signature(signature);
  if (!bytes) return bytes.status();
  const MappedFile content(copy);
  if (content.error() != 0) {
    return Status::io("It cannot be checked: " + copy.string() +
                      " could not be read: " + std::strerror(content.error()) + ".");
  }
  for (const auto& key : keys.keys_->all) {
    if (verifies(key.get(), *bytes, content)) return {};
  }
  return Status::invalid("Its signature " + signature.string() +
                         " is by none of the keys in [trust] keys, or of other content than the file has now; " +
                         recipe() + ".");
}

}  // namespace perdure::catalog
