// Large payloads: uploaded, named by a trigger, downloaded; and addresses that were not made here.
#include "host/api/packets.h"

#include "tests/api/api_test.h"

namespace perdure::api {
namespace {

// The path of an address: what follows the host's name.
std::string path_of(const std::string& address) { return address.substr(address.find('/', address.find("//") + 2)); }

class LargePayloads : public ApiTest {
 protected:
  [[nodiscard]] std::string upload_path(const std::string& name = "trigger%2Fp%2Fpayload.json") const {
    const Answer answer = ask(request_text("PUT", "/api/v2/packets/" + name));
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(text_at(answer.json(), "storagePath"), "trigger/p/payload.json");
    return path_of(text_at(answer.json(), "presignedUrl"));
  }
  [[nodiscard]] int upload(const std::string& path, const std::string& text, const std::string& type) const {
    return ask("PUT " + path + " HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: " + type +
               "\r\ncontent-length: " + std::to_string(text.size()) + "\r\n\r\n" + text)
        .status;
  }
  [[nodiscard]] Answer trigger_stored() const {
    return trigger(R"({"payload":"trigger/p/payload.json","options":{"payloadType":"application/store"}})");
  }
};

TEST_F(LargePayloads, ReachTheTaskAsTheyWereUploaded) {
  const std::string large(200'000, 'x');
  EXPECT_EQ(upload(upload_path(), R"({"json":{"a":")" + large + R"("}})", "application/super+json"), 200);
  EXPECT_EQ(trigger_stored().status, 200);
  EXPECT_EQ(engine->last_trigger().payload, R"({"a":")" + large + "\"}");
  EXPECT_EQ(upload(upload_path(), "say \"" + large + "\"", "text/plain; charset=utf-8"), 200);
  EXPECT_EQ(trigger_stored().status, 200);
  EXPECT_EQ(engine->last_trigger().payload, "\"say \\\"" + large + "\\\"\"");
  EXPECT_EQ(upload(upload_path(), "[1]", "application/json"), 200);
  EXPECT_EQ(trigger_stored().status, 200);
  EXPECT_EQ(engine->last_trigger().payload, "[1]");
}

TEST_F(LargePayloads, ThatAreNoneMakeNoRun) {
  EXPECT_EQ(trigger_stored().status, 422) << "nothing was uploaded";
  EXPECT_EQ(upload(upload_path(), "{", "application/json"), 200);
  EXPECT_EQ(trigger_stored().status, 400);
  EXPECT_EQ(upload(upload_path(), "{}", "application/super+json"), 200);
  EXPECT_EQ(trigger_stored().status, 400);
  EXPECT_EQ(upload(upload_path(), std::string((3u << 20) + 1, ' '), "application/json"), 200);
  EXPECT_EQ(trigger_stored().status, 413);
  EXPECT_EQ(upload(upload_path(), "<script>", "text/html"), 415);
  EXPECT_EQ(stored_runs(), 0u);
}

TEST_F(LargePayloads, AreDownloadedWithTheirTypeByWhoHasTheAddress) {
  EXPECT_EQ(get("/api/v1/packets/trigger%2Fp%2Fpayload.json").status, 404);
  EXPECT_EQ(upload(upload_path(), R"({"json":1})", "application/super+json"), 200);
  const Answer found = get("/api/v1/packets/trigger%2Fp%2Fpayload.json");
  ASSERT_EQ(found.status, 200) << found.body;
  const std::string path = path_of(text_at(found.json(), "presignedUrl"));
  const Answer packet = ask("GET " + path + " HTTP/1.1\r\nhost: 127.0.0.1\r\norigin: https://shop.example\r\n\r\n");
  EXPECT_EQ(packet.status, 200);
  EXPECT_EQ(packet.body, R"({"json":1})");
  EXPECT_EQ(packet.header("content-type"), "application/super+json");
  EXPECT_EQ(packet.header("access-control-allow-origin"), "*");
}

TEST_F(LargePayloads, OfRunsAreFoundByTheirRun) {
  const store::RunId id = engine->make_run();
  const std::string target = "/api/v1/runs/" + id.text() + "/packets/";
  const Answer payload = get(path_of(text_at(get(target + "payload").json(), "presignedUrl")));
  EXPECT_EQ(payload.body, R"({"n":1})");
  EXPECT_EQ(get(target + "output").status, 404) << "there is none yet";
  engine->succeed(engine->claim(), "[2]");
  EXPECT_EQ(get(path_of(text_at(get(target + "output").json(), "presignedUrl"))).body, "[2]");
  EXPECT_EQ(get(target + "secret").status, 404);
  EXPECT_EQ(get("/api/v1/runs/run_00000000000000000000000000/packets/payload").status, 404);
}

TEST_F(LargePayloads, AddressesAreGoodForWhatTheyWereMadeFor) {
  const std::string up = upload_path();
  EXPECT_EQ(get(up).status, 403) << "this one is for uploading";
  EXPECT_EQ(upload(up.substr(0, up.size() - 1) + (up.back() == '0' ? '1' : '0'), "1", "application/json"), 403);
  EXPECT_EQ(upload(up.substr(0, up.find('?')), "1", "application/json"), 403);
  std::string later = up;
  later.replace(later.find("expires=") + 8, 1, "9");
  EXPECT_EQ(upload(later, "1", "application/json"), 403);
  EXPECT_EQ(get("/api/v1/packets/trigger%2Fp%2Fpayload.json").status, 404) << "nothing was kept";
}

TEST(PacketsKept, GiveWayToNewerOnesAndEnd) {
  Packets packets(10);
  const Packets::Time begin{std::chrono::hours(1)};
  packets.put("a", {"t", "123456"}, begin);
  packets.put("b", {"t", "1234"}, begin);
  EXPECT_TRUE(packets.get("a", begin));
  packets.put("b", {"t", "12"}, begin);
  EXPECT_EQ(packets.get("b", begin)->text, "12");
  packets.put("c", {"t", "123"}, begin);
  EXPECT_FALSE(packets.get("a", begin)) << "the oldest gave way";
  EXPECT_TRUE(packets.get("c", begin));
  EXPECT_FALSE(packets.get("c", begin + std::chrono::hours(1)));
}

}  // namespace
}  // namespace perdure::api
