#include "experiments/inference/npy_header.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "core/utf8.h"

namespace cimstat::experiments {
namespace {

constexpr std::size_t most_header_bytes = 10'000;  // as NumPy itself
constexpr std::size_t most_axes = 32;              // of NumPy's arrays
constexpr std::uint64_t most_extent = std::uint64_t{1} << 40;
constexpr std::string_view save_again = "write it with numpy.save";

/// The text of a Python dictionary of a string, a truth value and a tuple, in any order.
class HeaderText {
 public:
  HeaderText(const ItemFile& file, std::string_view text) : file_(file), rest_(text) {}

  NpyHeader parse() {
    expect('{');
    while (!accept('}')) {
      const std::string_view key = word();
      expect(':');
      if (key == "descr" && !has_type_) {
        take_type();
      } else if (key == "fortran_order" && !has_order_) {
        take_order();
      } else if (key == "shape" && !has_shape_) {
        take_shape();
      } else {
        damaged();
      }
      if (accept(',')) continue;
      expect('}');
      break;
    }
    skip_blanks();
    if (!rest_.empty() || !has_type_ || !has_order_ || !has_shape_) damaged();
    return header_;
  }

 private:
  [[noreturn]] void damaged() const { file_.fail("has a damaged header", {}, save_again); }

  void skip_blanks() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \n"), rest_.size()));
  }
  bool accept(char wanted) {
    skip_blanks();
    if (rest_.empty() || rest_[0] != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char wanted) {
    if (!accept(wanted)) damaged();
  }
  std::string_view word() {
    skip_blanks();
    if (rest_.empty() || (rest_[0] != '\'' && rest_[0] != '"')) damaged();
    const std::size_t end = rest_.find(rest_[0], 1);
    if (end == rest_.npos) damaged();
    const std::string_view result = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return result;
  }

  void take_type() {
    has_type_ = true;
    skip_blanks();
    if (!rest_.empty() && rest_[0] == '[') {
      file_.fail("holds records of several fields", {}, "save the one array that is wanted");
    }
    const std::string_view type = word();
    const bool is_plain = type.size() == 3 && std::string_view("<>|=").find(type[0]) != type.npos &&
                          std::string_view("uibf").find(type[1]) != type.npos &&
                          std::string_view("1248").find(type[2]) != type.npos;
    if (!is_plain) {
      file_.fail(fmt::format("holds numbers of type '{}'", core::excerpt(type)),
                 type.find('O') == type.npos ? "integers are known" : "Python objects",
                 "convert it with astype, then numpy.save");
    }
    header_.is_big_endian = type[0] == '>';
    header_.kind = type[1];
    header_.bytes = static_cast<std::size_t>(type[2] - '0');
  }

  void take_order() {
    has_order_ = true;
    skip_blanks();
    for (const bool is_fortran : {true, false}) {
      const std::string_view name = is_fortran ? "True" : "False";
      if (!rest_.starts_with(name)) continue;
      rest_.remove_prefix(name.size());
      if (!is_fortran) return;
      file_.fail("is in Fortran order", "the last axis must run fastest",
                 "numpy.ascontiguousarray, then numpy.save");
    }
    damaged();
  }

  void take_shape() {
    has_shape_ = true;
    expect('(');
    while (!accept(')')) {
      header_.shape.push_back(extent());
      if (header_.shape.size() > most_axes) damaged();
      if (accept(',')) continue;
      expect(')');
      break;
    }
  }

  std::uint64_t extent() {
    skip_blanks();
    std::uint64_t value = 0;
    std::size_t digits = 0;
    for (; digits < rest_.size() && rest_[digits] >= '0' && rest_[digits] <= '9'; ++digits) {
      value = value * 10 + static_cast<std::uint64_t>(rest_[digits] - '0');
      if (value >= most_extent) {
        file_.fail("has an axis of 2^40 places or more", {}, save_again);
      }
    }
    if (digits == 0) damaged();
    rest_.remove_prefix(digits);
    return value;
  }

  const ItemFile& file_;
  std::string_view rest_;
  NpyHeader header_;
  bool has_type_ = false;
  bool has_order_ = false;
  bool has_shape_ = false;
};

}  // namespace

NpyHeader read_npy_header(ItemFile& file) {
  constexpr std::string_view magic = "\x93NUMPY";
  std::array<std::uint8_t, 8> start{};
  file.read_header(start);
  if (!std::equal(magic.begin(), magic.end(), start.begin(),
                  [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; })) {
    file.fail("is no .npy file", {}, save_again);
  }
  if (start[6] < 1 || start[6] > 3) {
    file.fail(fmt::format("is of version {} of the format", start[6]), "1 to 3 are known",
              save_again);
  }
  std::array<std::uint8_t, 4> length{};
  file.read_header(std::span(length).first(start[6] == 1 ? 2 : 4));
  std::size_t size = 0;
  for (std::size_t i = 4; i-- > 0;) size = size << 8 | length[i];
  if (size > most_header_bytes) {
    file.fail(fmt::format("has a header of {} bytes", size),
              fmt::format("at most {}", most_header_bytes), save_again);
  }
  std::vector<std::uint8_t> bytes(size);
  file.read_header(bytes);
  const std::string text(bytes.begin(), bytes.end());
  return HeaderText(file, text).parse();
}

}  // namespace cimstat::experiments
