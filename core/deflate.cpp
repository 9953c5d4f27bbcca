#include "core/deflate.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include <zlib.h>

#include "core/error.h"

namespace cimstat::core {

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
  std::unique_ptr<gzFile_s, decltype(&gzclose_r)> file{nullptr, &gzclose_r};
};

GzipInput::GzipInput(std::filesystem::path file) : state_(std::make_unique<State>()) {
  const auto refuse = [&](std::string_view why) {
    throw UsageError(error_line(file.string(), "can't be read", why, "check the path"));
  };
  std::error_code cause;
  const std::filesystem::file_status status = std::filesystem::status(file, cause);
  if (!std::filesystem::exists(status)) refuse("no such file");
  if (!std::filesystem::is_regular_file(status)) refuse("not a regular file");
  state_->stored_bytes = std::filesystem::file_size(file, cause);
  if (cause) refuse(cause.message());
  errno = 0;
  state_->file.reset(gzopen(file.c_str(), "rb"));
  if (!state_->file) refuse(std::generic_category().message(errno));
  gzbuffer(state_->file.get(), 1 << 17);
  state_->name = std::move(file);
}
GzipInput::~GzipInput() = default;
GzipInput::GzipInput(GzipInput&&) noexcept = default;
GzipInput& GzipInput::operator=(GzipInput&&) noexcept = default;

std::uint64_t GzipInput::stored_bytes() const { return state_->stored_bytes; }

bool GzipInput::is_packed() const { return gzdirect(state_->file.get()) == 0; }

std::size_t GzipInput::read(std::span<std::uint8_t> bytes) {
  constexpr std::size_t longest_piece = std::size_t{1} << 24;
  gzFile file = state_->file.get();
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const std::size_t wanted = std::min(bytes.size() - filled, longest_piece);
    const int count = gzread(file, bytes.data() + filled, static_cast<unsigned>(wanted));
    int problem = Z_OK;
    gzerror(file, &problem);
    if (count < 0 || problem != Z_OK) {
      throw DataError(error_line(state_->name.string(),
                                 problem == Z_BUF_ERROR ? "ends too early" : "can't be unpacked",
                                 {}, "fetch it again"));
    }
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  return filled;
}

}  // namespace cimstat::core
