#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// A small plotting layer: one Plot is one inline SVG element. Marks take data coordinates and the
/// names of the page's style classes (page.cpp), so that light, dark and print look right alike;
/// `hover` texts become <title> elements.
namespace cimstat::experiments::report {

enum class Spacing { linear, logarithmic };

struct Tick {
  double value = 0.0;
  std::string label;  ///< empty for a minor tick
};

struct Axis {
  std::string title;
  double low = 0.0;  ///< > 0 on a logarithmic axis
  double high = 1.0;
  Spacing spacing = Spacing::linear;
  std::vector<Tick> ticks;  ///< chosen by the plot where empty
};

/// Round numbers in [low, high], about `wanted` of them; whole numbers where `least_step` is 1.
std::vector<Tick> linear_ticks(double low, double high, int wanted, double least_step = 0.0);
/// Powers of ten, thinned to about `wanted` labels, with minor ticks where there is room.
std::vector<Tick> power_ticks(double low, double high, int wanted);

struct Point {
  double x = 0.0;
  double y = 0.0;
};

/// Drops points that lie within `tolerance` of the line through their neighbours
/// (Ramer 1972; Douglas and Peucker 1973).
std::vector<Point> simplified(std::span<const Point> points, double tolerance);

struct LegendItem {
  /// `interval` is a dot with a horizontal whisker, `ring` a hollow one.
  enum class Sign { line, dot, arrow, patch, interval, ring };
  Sign sign = Sign::line;
  std::string style;
  std::string label;
  std::string hover = {};  ///< where the label is not the whole
};

/// Outer size of a plot in pixels, and room kept free for what stands outside of its axes.
struct Frame {
  double width = 960.0;
  double height = 360.0;
  double room_above = 16.0;
  double room_right = 20.0;
};

class Plot {
 public:
  /// `name` is unique on its page; `description` is read out where the picture can't be seen.
  Plot(std::string_view name, std::string_view description, const Frame& frame, Axis x, Axis y);

  void line(std::span<const Point> points, std::string_view style, std::string_view hover = {});
  /// The line with the area down to the axis filled.
  void area(std::span<const Point> points, std::string_view style, std::string_view hover);
  /// The area under a line without the line, above the other curves.
  void filled(std::span<const Point> points, std::string_view style, std::string_view hover);
  struct BandPoint {
    double x = 0.0;
    double lower = 0.0;
    double upper = 0.0;
  };
  void band(std::span<const BandPoint> points, std::string_view style);
  void dot(Point at, double radius, std::string_view style, std::string_view hover = {});
  /// Many dots as one path, without anything to point at.
  void dots(std::span<const Point> points, std::string_view style);
  /// The same with small triangles that point down.
  void carets(std::span<const Point> points, std::string_view style);
  /// A dot with its interval as a whisker; an end outside of the axis runs to its edge.
  void measured(double x, double value, double lower, double upper, std::string_view style,
                std::string_view hover);
  /// A cap with an arrow down: all that is known is that the value is below.
  void upper_limit(Point at, std::string_view style, std::string_view hover);
  /// A horizontal interval about a dot.
  void whisker(double y, double lower, double upper, std::string_view style,
               std::string_view hover);
  void vertical_line(double x, std::string_view style, std::string_view hover);
  /// Even cells over the whole of both axes, from their low ends, row by row: each of the class
  /// `style_prefix` + shade, or as the two values below say. The script finds the cell under the
  /// pointer; titles of their own would make the page large.
  void cells(std::uint32_t columns, std::uint32_t rows, std::span<const int> shades,
             std::string_view style_prefix);
  static constexpr int kNoCell = -1;
  static constexpr int kLimitCell = -2;  ///< of class "limit"
  void horizontal_line(double y, std::string_view style, std::string_view hover);
  void outline(Point low, Point high, std::string_view style);
  /// `hover` where the text is not the whole, or not all.
  void note(Point at, std::string_view text, std::string_view style, std::string_view hover = {});
  /// Ticks along the upper edge, ascending, each with its own style; labels are thinned evenly.
  struct UpperTick {
    double x = 0.0;
    std::string label;
    std::string style;
  };
  void upper_axis(std::span<const UpperTick> ticks, std::string_view title);
  /// To the right of the plot: shades 0 .. `shades` - 1 for the values of `axis`, low to high.
  void colour_bar(const Axis& axis, int shades, std::string_view style_prefix);
  void legend(std::span<const LegendItem> items);

  /// Pixels that one unit of data takes along a linear x axis.
  double unit_width() const;

  std::string svg() const;

 private:
  double across(double x) const;
  double down(double y) const;
  std::string path_of(std::span<const Point> points) const;
  std::string axes() const;

  std::string name_;
  std::string description_;
  Frame frame_;
  Axis x_;
  Axis y_;
  double left_ = 0.0;
  double right_ = 0.0;
  double top_ = 0.0;
  double bottom_ = 0.0;
  std::string curves_;   ///< clipped to the axes
  std::string marks_;    ///< inside of the axes by their make
  std::string outside_;  ///< labels, legend, colour bar
};

}  // namespace cimstat::experiments::report
