// Signatures of plugin files, as OpenSSL's command line makes them.
#include "host/catalog/plugin_signature.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <cstdlib>
#include <memory>

#include "tests/catalog/plugin_directory.h"

namespace perdure::catalog {
namespace {

namespace fs = std::filesystem;

std::string base64(const std::string& bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

class Signer {
 public:
  explicit Signer(const char* kind = "ED25519") : key_(EVP_PKEY_Q_keygen(nullptr, nullptr, kind), EVP_PKEY_free) {}

  [[nodiscard]] std::string raw() const {
    std::string bytes(32, '\0');
    std::size_t size = bytes.size();
    EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<unsigned char*>(bytes.data()), &size);
    return base64(bytes);
  }
  [[nodiscard]] std::string pem(bool with_private = false) const {
    const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
    if (with_private) {
      PEM_write_bio_PrivateKey(out.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
    } else {
      PEM_write_bio_PUBKEY(out.get(), key_.get());
    }
    char* text = nullptr;
    const long size = BIO_get_mem_data(out.get(), &text);
    return {text, static_cast<std::size_t>(size)};
  }
  [[nodiscard]] std::string sign(const std::string& content) const {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    std::string signature(64, '\0');
    std::size_t size = signature.size();
    EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get());
    EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                   reinterpret_cast<const unsigned char*>(content.data()), content.size());
    return signature;
  }

 private:
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
};

class PluginSignature : public testing::Test {
 protected:
  /// Empty: the signature is good.
  std::string refusal(const std::string& signature) {
    here.put("a.so.sig", signature);
    return refusal();
  }
  std::string refusal() {
    const auto keys = TrustedKeys::read({signer.raw()});
    EXPECT_TRUE(keys) << keys.status().message();
    return check_signature(file, signature_path(file), *keys).message();
  }
  static std::string read_error(const std::vector<std::string>& configured) {
    const auto keys = TrustedKeys::read(configured);
    return keys ? "" : keys.status().message();
  }

  const PluginDirectory here;
  const fs::path file = here.put("a.so", "the plugin");
  const Signer signer;
};

TEST_F(PluginSignature, IsTakenAsBytesAndAsBase64) {
  const std::string signature = signer.sign("the plugin");
  EXPECT_EQ(refusal(signature), "");
  const std::string text = base64(signature);
  EXPECT_EQ(refusal(text.substr(0, 60) + "\r\n" + text.substr(60) + "\n"), "") << "as base64(1) and openssl write it";
}

TEST_F(PluginSignature, IsMissed) {
  EXPECT_TRUE(refusal().starts_with("It is not signed: there is no " + file.string() +
                                    ".sig, and only plugins signed by one of [trust] keys are loaded; sign the plugin "
                                    "with: openssl pkeyutl -sign"))
      << refusal();
}

TEST_F(PluginSignature, IsRefusedWhenItIsNone) {
  for (const std::string& text : {std::string(), std::string("text"), signer.sign("the plugin") + "\n",
                                  base64(std::string(63, 'x')), std::string(10'000, 'A')}) {
    EXPECT_NE(refusal(text).find(".sig holds no Ed25519 signature (64 bytes, or their base64), but "),
              std::string::npos)
        << text.size();
  }
}

TEST_F(PluginSignature, IsRefusedWhenItIsBySomebodyElseOrOfOtherContent) {
  for (const std::string& signature :
       {Signer().sign("the plugin"), signer.sign("another plugin"), std::string(64, '\0')}) {
    EXPECT_NE(refusal(signature).find(".sig is by none of the keys in [trust] keys, or of other content"),
              std::string::npos);
  }
}

TEST_F(PluginSignature, IsOfTheBytesThatAreLoaded) {
  const std::string signature = signer.sign("the plugin");
  here.put("copy.so", "the plugin");
  here.put("a.so", "changed since it was copied");
  here.put("a.so.sig", signature);
  const auto keys = TrustedKeys::read({signer.raw()});
  EXPECT_TRUE(check_signature(here.plugins() / "copy.so", signature_path(file), *keys));
  EXPECT_FALSE(check_signature(file, signature_path(file), *keys));
}

TEST_F(PluginSignature, IsNotAskedForWithoutKeys) {
  EXPECT_TRUE(TrustedKeys().empty());
  EXPECT_TRUE(TrustedKeys::read({})->empty());
  EXPECT_TRUE(check_signature(file, signature_path(file), TrustedKeys()));
}

TEST_F(PluginSignature, MayBeByAnyOfTheKeysInAnyForm) {
  const fs::path pem_file = here.put("key.pub", Signer().pem());
  here.put("a.so.sig", signer.sign("the plugin"));
  for (const std::string& own :
       {signer.raw(), signer.raw().substr(0, 43), signer.pem(), here.put("own.pub", signer.pem()).string()}) {
    const auto keys = TrustedKeys::read({Signer().raw(), pem_file.string(), own});
    ASSERT_TRUE(keys) << keys.status().message();
    EXPECT_FALSE(keys->empty());
    EXPECT_TRUE(check_signature(file, signature_path(file), *keys)) << own;
  }
  EXPECT_FALSE(check_signature(file, signature_path(file), *TrustedKeys::read({pem_file.string()})));
}

TEST_F(PluginSignature, NeedsKeysThatAreOnes) {
  EXPECT_EQ(
      read_error({signer.raw(), "/no/such/key.pub"}),
      "[trust] keys, the 2nd, /no/such/key.pub: could not be read: No such file or directory; expected an Ed25519 "
      "public key: the text of a PEM file, base64 of 32 bytes, or the path of a PEM file.");
  EXPECT_TRUE(read_error({file.string()}).starts_with("[trust] keys, the 1st, " + file.string() + ": is no key; "));
  EXPECT_TRUE(
      read_error({Signer("X25519").pem()}).starts_with("[trust] keys, the 1st: is a key of another kind (X25519"))
      << read_error({Signer("X25519").pem()});
}

TEST_F(PluginSignature, RefusesPrivateKeysWithoutShowingThem) {
  const std::string pem = signer.pem(true);
  const std::string error = read_error({here.put("key.pem", pem).string()});
  EXPECT_NE(error.find("is a private key, which has no business here"), std::string::npos) << error;
  EXPECT_EQ(error.find(pem.substr(40, 20)), std::string::npos);
}

TEST_F(PluginSignature, IsMadeByTheRecipeInTheReadme) {
  if (std::system("openssl version >/dev/null 2>&1") != 0) GTEST_SKIP() << "there is no openssl here";
  const std::string script = "cd '" + here.plugins().string() +
                             "' && openssl genpkey -algorithm ed25519 -out key.pem && openssl pkey -in key.pem -pubout "
                             "-out key.pub && openssl pkeyutl -sign -rawin -inkey key.pem -in a.so -out a.so.sig";
  ASSERT_EQ(std::system(script.c_str()), 0);
  const auto keys = TrustedKeys::read({here.plugins() / "key.pub"});
  ASSERT_TRUE(keys) << keys.status().message();
  const auto status = check_signature(file, signature_path(file), *keys);
  EXPECT_TRUE(status) << status.message();
}

}  // namespace
}  // namespace perdure::catalog
