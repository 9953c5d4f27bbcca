#include "core/file/provenance.h"

#include <array>
#include <ctime>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <unistd.h>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <openssl/evp.h>

#include "core/error.h"
#include "core/file/atomic_file.h"
#include "core/file/json.h"

namespace cimstat::core {
namespace {

void require(bool success) {
  if (!success) throw std::runtime_error("OpenSSL can't compute a SHA-256");
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

}  // namespace

struct Sha256::State {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(),
                                                                  &EVP_MD_CTX_free};
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  require(state_->context && EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr) == 1);
}
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::add(std::span<const std::byte> bytes) {
  require(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) == 1);
}

std::string Sha256::hexadecimal() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  require(EVP_DigestFinal_ex(state_->context.get(), digest.data(), &size) == 1);
  return fmt::format("{:02x}", fmt::join(digest.begin(), digest.begin() + size, ""));
}

std::string_view version() { return CIMSTAT_VERSION; }

std::string_view revision() { return CIMSTAT_REVISION; }

std::string source_text() { return fmt::format("cimstat {} ({})", version(), revision()); }

std::string sha256(std::span<const std::byte> bytes) {
  Sha256 hash;
  hash.add(bytes);
  return hash.hexadecimal();
}

std::string sha256(std::string_view text) { return sha256(std::as_bytes(std::span(text))); }

std::string sha256_of_file(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::vector<char> block(1 << 20);
  Sha256 hash;
  while (stream) {
    stream.read(block.data(), std::ssize(block));
    hash.add(std::as_bytes(std::span(block).first(static_cast<std::size_t>(stream.gcount()))));
  }
  if (!stream.eof()) {
    throw DataError(error_line(file.string(), "can't be read", {}, "check the path"));
  }
  return hash.hexadecimal();
}

std::filesystem::path run_record_of(const std::filesystem::path& result) {
  std::filesystem::path file = result;
  file += ".run.json";
  return file;
}

void write_run_record(const RunRecord& record, const std::filesystem::path& result) {
  const std::tm now = fmt::gmtime(std::time(nullptr));
  const Json fields{
      {"command", record.command},
      {"result_file", record.result_file},
      {"result_sha256", record.result_sha256},
      {"source", source_text()},
      {"simd_target", record.simd_target},
      {"threads", record.threads},
      {"wall_seconds", record.wall_seconds},
      {"cpu_seconds", record.cpu_seconds},
      {"host", host_name()},
      {"written", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", now)},
  };
  write_atomically(run_record_of(result), json_text(fields));
}

}  // namespace cimstat::core
