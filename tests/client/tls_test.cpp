// Over TLS the client speaks to a host that somebody vouches for, and to no other.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "tests/client/canned.h"

namespace perdure::test {
namespace {

template <auto release>
struct Release {
  template <class T>
  void operator()(T* object) const {
    release(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Release<X509_free>>;
using Context = std::unique_ptr<SSL_CTX, Release<SSL_CTX_free>>;
using Connection = std::unique_ptr<SSL, Release<SSL_free>>;

// For this address, vouched for by itself.
Certificate certificate_of(EVP_PKEY* key, const std::string& address) {
  Certificate certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_NAME* const name = X509_get_subject_name(certificate.get());
  const std::string common = "perdure test";
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(common.c_str()), -1, -1,
                             0);
  X509_set_issuer_name(certificate.get(), name);
  X509_set_pubkey(certificate.get(), key);
  X509_EXTENSION* const names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, ("IP:" + address).c_str());
  X509_add_ext(certificate.get(), names, -1);
  X509_EXTENSION_free(names);
  EXPECT_GT(X509_sign(certificate.get(), key, EVP_sha256()), 0);
  return certificate;
}

// Answers requests over TLS, one for each connection, until it goes.
class TlsServer {
 public:
  explicit TlsServer(const std::string& certified_address)
      : key_(EVP_EC_gen("P-256")),
        certificate_(certificate_of(key_.get(), certified_address)),
        context_(SSL_CTX_new(TLS_server_method())),
        listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    std::signal(SIGPIPE, SIG_IGN);  // of a client that hangs up; OpenSSL writes without MSG_NOSIGNAL
    SSL_CTX_use_certificate(context_.get(), certificate_.get());
    SSL_CTX_use_PrivateKey(context_.get(), key_.get());
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_, 8), 0);
    EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    url_ = "https://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    thread_ = std::thread([this] { serve(); });
  }
  ~TlsServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  [[nodiscard]] const std::string& url() const { return url_; }
  void write_certificate(const std::string& path) const {
    std::FILE* const file = std::fopen(path.c_str(), "w");
    ASSERT_NE(file, nullptr);
    EXPECT_EQ(PEM_write_X509(file, certificate_.get()), 1);
    std::fclose(file);
  }

 private:
  void serve() {
    for (;;) {
      const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (socket < 0) return;
      const Connection connection(SSL_new(context_.get()));
      SSL_set_fd(connection.get(), socket);
      char request[4096];
      if (SSL_accept(connection.get()) == 1 && SSL_read(connection.get(), request, sizeof request) > 0) {
        const std::string text = answer(200, "", run_json("QUEUED"));
        SSL_write(connection.get(), text.data(), static_cast<int>(text.size()));
        SSL_shutdown(connection.get());
      }
      ::close(socket);
    }
  }

  Key key_;
  Certificate certificate_;
  Context context_;
  int listener_;
  std::string url_;
  std::thread thread_;
};

class ClientTls : public ::testing::Test {
 protected:
  // What is thrown when the host at `url` is asked; empty when it has answered.
  std::string refusal_of(const TlsServer& server, bool trusted) const {
    client::Options options{.url = server.url(), .key = "k"};
    options.retry.min_timeout = milliseconds(0);
    if (trusted) {
      server.write_certificate(file_);
      options.ca_file = file_;
    }
    try {
      EXPECT_EQ(Client(options).retrieve("run_1").id, "run_1");
    } catch (const client::Unreachable& e) {
      return e.what();
    }
    return "";
  }
  ~ClientTls() override { std::filesystem::remove(file_); }

 private:
  const std::string file_ = ::testing::TempDir() + "/perdure-client-" + std::to_string(::getpid()) + ".pem";
};

TEST_F(ClientTls, SpeaksToAHostThatItIsToldToTrust) { EXPECT_EQ(refusal_of(TlsServer("127.0.0.1"), true), ""); }

TEST_F(ClientTls, SpeaksToNoHostThatNobodyVouchesFor) {
  const std::string refusal = refusal_of(TlsServer("127.0.0.1"), false);
  EXPECT_NE(refusal.find("certificate"), std::string::npos) << refusal;
}

TEST_F(ClientTls, SpeaksToNoHostWhoseCertificateIsAnothers) {
  const std::string refusal = refusal_of(TlsServer("127.0.0.2"), true);
  EXPECT_NE(refusal.find("127.0.0.1"), std::string::npos) << refusal;
}

}  // namespace
}  // namespace perdure::test
