#include "core/file/deflate.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <new>
#include <string_view>
#include <utility>
#include <vector>

#include <zlib.h>

#include "core/error.h"
#include "core/file/readable_file.h"

namespace cimstat::core {
namespace {

constexpr std::array<Bytef, 2> gzip_magic = {0x1F, 0x8B};  // RFC 1952, section 2.3.1

}  // namespace

bool unpacks_within(std::span<const std::byte> packed, std::uint64_t limit) {
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) throw std::bad_alloc();
  const std::unique_ptr<z_stream, decltype(&inflateEnd)> closer(&stream, &inflateEnd);
  std::array<Bytef, 1 << 16> window{};
  std::uint64_t unpacked = 0;
  int state = Z_OK;
  while (state == Z_OK && unpacked <= limit) {
    if (stream.avail_in == 0) {
      const std::size_t piece = std::min<std::size_t>(packed.size(), 1 << 30);
      if (piece == 0) return false;
      // zlib does not write through next_in.
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data()));
      stream.avail_in = static_cast<uInt>(piece);
      packed = packed.subspan(piece);
    }
    stream.next_out = window.data();
    stream.avail_out = static_cast<uInt>(window.size());
    state = inflate(&stream, Z_NO_FLUSH);
    unpacked += window.size() - stream.avail_out;
  }
  return state == Z_STREAM_END && unpacked <= limit;
}

struct GzipInput::State {
  std::filesystem::path name;
  std::uint64_t stored_bytes = 0;
  std::ifstream file;
  std::vector<char> piece = std::vector<char>(1 << 17);  ///< of the file, on its way to `stream`
  z_stream stream{};
  bool is_packed = false;
  bool at_member_end = false;

  ~State() { inflateEnd(&stream); }

  [[noreturn]] void fail(std::string_view problem, std::string_view why = {}) const {
    throw DataError(error_line(name.string(), problem, why, "fetch it again"));
  }

  std::size_t load(char* place, std::size_t size) {
    file.read(place, static_cast<std::streamsize>(size));
    if (file.bad()) fail("can't be read", "input error");
    return static_cast<std::size_t>(file.gcount());
  }

  /// Unpacks some more, as far as `bytes` go; nothing at the end of the file.
  std::size_t unpack(std::span<std::uint8_t> bytes) {
    if (stream.avail_in == 0) {
      stream.avail_in = static_cast<uInt>(load(piece.data(), piece.size()));
      stream.next_in = reinterpret_cast<Bytef*>(piece.data());
    }
    if (stream.avail_in == 0) {
      if (!at_member_end) fail("ends too early");
      return 0;
    }
    if (at_member_end) {
      // zlib's own reader of files passes over what follows and is no further member.
      if (*stream.next_in != gzip_magic[0]) fail("goes on after what is packed in it");
      inflateReset(&stream);
      at_member_end = false;
    }
    stream.next_out = bytes.data();
    stream.avail_out = static_cast<uInt>(bytes.size());
    const int state = inflate(&stream, Z_NO_FLUSH);
    if (state == Z_MEM_ERROR) throw std::bad_alloc();
    if (state != Z_OK && state != Z_STREAM_END && state != Z_BUF_ERROR) fail("can't be unpacked");
    at_member_end = state == Z_STREAM_END;
    return bytes.size() - stream.avail_out;
  }

  bool is_at_end() {
    return stream.avail_in == 0 && at_member_end &&
           file.peek() == std::ifstream::traits_type::eof();
  }
};

GzipInput::GzipInput(std::filesystem::path file) : state_(std::make_unique<State>()) {
  require_readable(file);
  State& state = *state_;
  state.name = std::move(file);
  state.file.open(state.name, std::ios::binary | std::ios::ate);
  state.stored_bytes = static_cast<std::uint64_t>(std::max<std::streamoff>(state.file.tellg(), 0));
  state.file.seekg(0);
  if (!state.file) state.fail("can't be read", "input error");
  std::array<char, 2> beginning{};
  state.is_packed = state.load(beginning.data(), 2) == 2 &&
                    std::equal(beginning.begin(), beginning.end(), gzip_magic.begin(),
                               [](char a, Bytef b) { return static_cast<Bytef>(a) == b; });
  state.file.clear();
  state.file.seekg(0);
  constexpr int gzip_alone = 15 + 16;
  if (state.is_packed && inflateInit2(&state.stream, gzip_alone) != Z_OK) throw std::bad_alloc();
}
GzipInput::~GzipInput() = default;
GzipInput::GzipInput(GzipInput&&) noexcept = default;
GzipInput& GzipInput::operator=(GzipInput&&) noexcept = default;

std::uint64_t GzipInput::stored_bytes() const { return state_->stored_bytes; }

bool GzipInput::is_packed() const { return state_->is_packed; }

std::size_t GzipInput::read(std::span<std::uint8_t> bytes) {
  State& state = *state_;
  if (!state.is_packed) return state.load(reinterpret_cast<char*>(bytes.data()), bytes.size());
  constexpr std::size_t longest_piece = std::size_t{1} << 24;
  std::size_t filled = 0;
  while (filled < bytes.size() && !state.is_at_end()) {
    const std::size_t wanted = std::min(bytes.size() - filled, longest_piece);
    filled += state.unpack(bytes.subspan(filled, wanted));
  }
  return filled;
}

}  // namespace cimstat::core
