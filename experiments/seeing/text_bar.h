#pragma once

#include <cstddef>
#include <string>

/// Bars made of characters, for figures in a terminal.
namespace cimstat::experiments {

enum class Glyphs { ascii, blocks };  ///< '#', or Unicode's eighths of a block
enum class Colour { none, ansi };

struct TextStyle {
  Glyphs glyphs = Glyphs::ascii;
  Colour colour = Colour::none;
};

/// What suits stdout: blocks and colour on a terminal, the former where the locale is UTF-8, the
/// latter unless NO_COLOR is set (no-color.org) or TERM is dumb; plain ASCII into files and pipes.
TextStyle style_of_stdout();

/// A logarithmic axis of probabilities from 10^low to 1.
struct DecadeAxis {
  int low = -3;
  std::size_t columns = 30;

  /// Reaches down to the decade of `smallest` > 0, at least 1 and at most 18 decades.
  static DecadeAxis down_to(double smallest, std::size_t columns);
  /// "1e-03 .... 1", as wide as a bar.
  std::string caption() const;
  /// 0 .. columns; 0 for what lies below the axis.
  double position(double probability) const;
};

/// The bar of a probability. One of 0 whose upper limit is above 0 is drawn as '<' there.
/// From 0.1 on it is red where colours are used, else cyan.
std::string bar(const DecadeAxis& axis, double probability, double upper, TextStyle style);

/// 0.01741, 3.21e-07 or 1-3.7e-06.
std::string probability_text(double value);

}  // namespace cimstat::experiments
