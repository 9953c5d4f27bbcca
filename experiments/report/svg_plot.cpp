#include "experiments/report/svg_plot.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "experiments/report/markup.h"

namespace cimstat::experiments::report {
namespace {

constexpr double kLetter = 7.0;  ///< width of a digit at the labels' 12 px
constexpr double kTickLength = 5.0;

/// Letters, not bytes; raised digits are narrow but rare enough.
double width_of(std::string_view text) {
  const auto letters = std::count_if(text.begin(), text.end(), [](char letter) {
    return (static_cast<unsigned char>(letter) & 0xC0) != 0x80;
  });
  return kLetter * static_cast<double>(letters);
}

std::string title_of(std::string_view hover) {
  return hover.empty() ? std::string() : fmt::format("<title>{}</title>", escaped(hover));
}

std::string path(std::string_view route, std::string_view style, std::string_view hover) {
  if (hover.empty()) return fmt::format("<path class=\"{}\" d=\"{}\"/>\n", style, route);
  return fmt::format("<path class=\"{}\" d=\"{}\">{}</path>\n", style, route, title_of(hover));
}

std::string text_at(double x, double y, std::string_view style, std::string_view text) {
  return fmt::format("<text class=\"{}\" x=\"{}\" y=\"{}\">{}</text>\n", style, pixels(x),
                     pixels(y), escaped(text));
}

double position(const Axis& axis, double value) {
  if (axis.spacing == Spacing::linear) return (value - axis.low) / (axis.high - axis.low);
  return std::log(std::max(value, axis.low * 1e-9) / axis.low) / std::log(axis.high / axis.low);
}

void choose_ticks(Axis& axis, double length, double room_each) {
  if (!axis.ticks.empty()) return;
  const int wanted = std::max(2, static_cast<int>(length / room_each));
  axis.ticks = axis.spacing == Spacing::linear ? linear_ticks(axis.low, axis.high, wanted)
                                               : power_ticks(axis.low, axis.high, wanted);
}

}  // namespace

Plot::Plot(std::string_view name, std::string_view description, const Frame& frame, Axis x, Axis y)
    : name_(name), description_(description), frame_(frame), x_(std::move(x)), y_(std::move(y)) {
  top_ = frame_.room_above;
  bottom_ = frame_.height - (x_.title.empty() ? 28.0 : 48.0);
  choose_ticks(y_, bottom_ - top_, 44.0);
  double widest = 0.0;
  for (const Tick& tick : y_.ticks) widest = std::max(widest, width_of(tick.label));
  left_ = widest + kTickLength + 10.0 + (y_.title.empty() ? 0.0 : 24.0);
  right_ = frame_.width - frame_.room_right;
  choose_ticks(x_, right_ - left_, 90.0);
}

double Plot::across(double x) const { return left_ + position(x_, x) * (right_ - left_); }
double Plot::down(double y) const { return bottom_ - position(y_, y) * (bottom_ - top_); }
double Plot::unit_width() const { return (right_ - left_) / (x_.high - x_.low); }
double Plot::unit_height() const { return (bottom_ - top_) / (y_.high - y_.low); }

std::string Plot::path_of(std::span<const Point> points) const {
  constexpr double kTolerance = 0.15;
  const double reach = 2.0 * frame_.height;  // far outside is as good as outside
  std::vector<Point> route;
  route.reserve(points.size());
  for (const Point& point : points) {
    route.push_back({across(point.x), std::clamp(down(point.y), -reach, reach)});
  }
  std::string result;
  for (const Point& point : simplified(route, kTolerance)) {
    result += fmt::format("{}{} {}", result.empty() ? "M" : "L", pixels(point.x), pixels(point.y));
  }
  return result;
}

void Plot::line(std::span<const Point> points, std::string_view style, std::string_view hover) {
  curves_ += path(path_of(points), fmt::format("line {}", style), hover);
}

void Plot::area(std::span<const Point> points, std::string_view style, std::string_view hover) {
  if (points.empty()) return;
  const std::string route = path_of(points);
  curves_ +=
      path(fmt::format("{}V{}H{}Z", route, pixels(bottom_), pixels(across(points.front().x))),
           fmt::format("area {}", style), hover);
  curves_ += path(route, fmt::format("line {}", style), {});
}

void Plot::band(std::span<const BandPoint> points, std::string_view style) {
  std::vector<Point> border;
  for (const BandPoint& point : points) border.push_back({point.x, point.upper});
  for (auto point = points.rbegin(); point != points.rend(); ++point) {
    border.push_back({point->x, point->lower});
  }
  curves_ += path(path_of(border) + "Z", fmt::format("band {}", style), {});
}

void Plot::dot(Point at, double radius, std::string_view style, std::string_view hover) {
  marks_ +=
      fmt::format("<circle class=\"dot {}\" cx=\"{}\" cy=\"{}\" r=\"{}\">{}</circle>\n", style,
                  pixels(across(at.x)), pixels(down(at.y)), pixels(radius), title_of(hover));
}

void Plot::measured(double x, double value, double lower, double upper, std::string_view style,
                    std::string_view hover) {
  const double cap = std::min(4.0, 0.35 * unit_width());
  const double centre = across(x);
  const double high = std::max(down(upper), top_);
  const double low = lower > y_.low || y_.spacing == Spacing::linear ? down(lower) : bottom_;
  marks_ += fmt::format("<g class=\"mark {}\">{}", style, title_of(hover));
  if (low - high >= 1.0) {
    marks_ += path(fmt::format("M{} {}H{}M{} {}V{}M{} {}H{}", pixels(centre - cap), pixels(high),
                               pixels(centre + cap), pixels(centre), pixels(high), pixels(low),
                               pixels(centre - cap), pixels(low), pixels(centre + cap)),
                   "line", {});
  }
  marks_ += path(fmt::format("M{} {}V{}", pixels(centre), pixels(high - 5.0), pixels(low + 5.0)),
                 "hit", {});
  marks_ +=
      fmt::format("<circle class=\"dot\" cx=\"{}\" cy=\"{}\" r=\"{}\"/></g>\n", pixels(centre),
                  pixels(down(value)), pixels(std::clamp(0.4 * unit_width(), 1.6, 4.0)));
}

void Plot::upper_limit(Point at, std::string_view style, std::string_view hover) {
  constexpr double kLength = 22.0;
  const double cap = std::min(5.0, 0.4 * unit_width());
  const double head = std::min(3.5, 0.35 * unit_width());
  const double centre = across(at.x);
  const double high = down(at.y);
  const double low = std::min(high + kLength, bottom_ - 1.0);
  marks_ += fmt::format("<g class=\"mark {}\">{}", style, title_of(hover));
  marks_ +=
      path(fmt::format("M{} {}H{}M{} {}V{}M{} {}L{} {}L{} {}", pixels(centre - cap), pixels(high),
                       pixels(centre + cap), pixels(centre), pixels(high), pixels(low),
                       pixels(centre - head), pixels(low - head - 1.5), pixels(centre), pixels(low),
                       pixels(centre + head), pixels(low - head - 1.5)),
           "line", {});
  marks_ += path(fmt::format("M{} {}V{}", pixels(centre), pixels(high), pixels(low)), "hit", {});
  marks_ += "</g>\n";
}

void Plot::bar(double y, double value, double thickness, std::string_view style,
               std::string_view hover) {
  const double end = std::clamp(across(value), left_, right_);
  marks_ += path(fmt::format("M{} {}H{}V{}H{}Z", pixels(left_), pixels(down(y) - thickness / 2.0),
                             pixels(end), pixels(down(y) + thickness / 2.0), pixels(left_)),
                 fmt::format("bar {}", style), hover);
}

void Plot::whisker(double y, double lower, double upper, std::string_view style,
                   std::string_view hover) {
  constexpr double kCap = 5.0;
  const double height = down(y);
  const double low = std::clamp(across(lower), left_, right_);
  const double high = std::clamp(across(upper), left_, right_);
  marks_ += fmt::format("<g class=\"mark {}\">{}", style, title_of(hover));
  marks_ += path(fmt::format("M{} {}V{}M{} {}H{}M{} {}V{}", pixels(low), pixels(height - kCap),
                             pixels(height + kCap), pixels(low), pixels(height), pixels(high),
                             pixels(high), pixels(height - kCap), pixels(height + kCap)),
                 "line", {});
  marks_ += path(fmt::format("M{} {}H{}", pixels(low - 5.0), pixels(height), pixels(high + 5.0)),
                 "hit", {});
  marks_ += "</g>\n";
}

void Plot::vertical_line(double x, std::string_view style, std::string_view hover) {
  curves_ += path(fmt::format("M{} {}V{}", pixels(across(x)), pixels(top_), pixels(bottom_)),
                  fmt::format("line {}", style), hover);
}

void Plot::cell(Point low, Point high, std::string_view style, std::string_view hover) {
  // Whole pixels' edges shared by neighbours leave no seams; relative moves keep the page small.
  const double left = across(low.x);
  const double top = down(high.y);
  marks_ +=
      path(fmt::format("M{} {}h{}v{}h{}z", pixels(left), pixels(top), pixels(across(high.x) - left),
                       pixels(down(low.y) - top), pixels(left - across(high.x))),
           style, hover);
}

void Plot::outline(Point low, Point high, std::string_view style) {
  constexpr double kInset = 0.75;
  marks_ += path(fmt::format("M{} {}H{}V{}H{}Z", pixels(across(low.x) + kInset),
                             pixels(down(high.y) + kInset), pixels(across(high.x) - kInset),
                             pixels(down(low.y) - kInset), pixels(across(low.x) + kInset)),
                 fmt::format("outline {}", style), {});
}

void Plot::note(Point at, std::string_view text, std::string_view style) {
  outside_ += text_at(across(at.x), down(at.y), style, text);
}

void Plot::upper_axis(std::span<const UpperTick> ticks, std::string_view title) {
  constexpr double kAir = 9.0;
  double widest = 0.0;
  for (const UpperTick& tick : ticks) widest = std::max(widest, width_of(tick.label));
  // The least round step at which no two labels touch.
  const auto fits = [&](std::size_t step) {
    for (std::size_t index = step; index < ticks.size(); index += step) {
      if (across(ticks[index].x) - across(ticks[index - step].x) < widest + kAir) return false;
    }
    return true;
  };
  std::size_t step = 1;
  for (const std::size_t next : {2u, 5u, 10u, 20u, 50u, 100u, 200u, 500u, 1000u}) {
    if (fits(step)) break;
    step = next;
  }
  for (std::size_t index = 0; index < ticks.size(); ++index) {
    const UpperTick& tick = ticks[index];
    const double centre = across(tick.x);
    const bool labelled = index % step == 0;
    outside_ += path(fmt::format("M{} {}v{}", pixels(centre), pixels(top_),
                                 labelled ? -kTickLength : -kTickLength / 2.0),
                     fmt::format("line {}", tick.style), {});
    if (labelled) outside_ += text_at(centre, top_ - 9.0, "label middle", tick.label);
  }
  outside_ += text_at((left_ + right_) / 2.0, top_ - 28.0, "axis-title middle", title);
}

void Plot::colour_bar(const Axis& axis, int shades, std::string_view style_prefix) {
  constexpr double kGap = 18.0;
  constexpr double kWidth = 14.0;
  const double left = right_ + kGap;
  const double step = (bottom_ - top_) / shades;
  for (int shade = 0; shade < shades; ++shade) {
    outside_ +=
        path(fmt::format("M{} {}h{}V{}h{}z", pixels(left), pixels(bottom_ - step * shade),
                         pixels(kWidth), pixels(bottom_ - step * (shade + 1)), pixels(-kWidth)),
             fmt::format("{}{}", style_prefix, shade), {});
  }
  Axis scale = axis;
  choose_ticks(scale, bottom_ - top_, 44.0);
  for (const Tick& tick : scale.ticks) {
    if (tick.label.empty()) continue;
    const double height = bottom_ - position(scale, tick.value) * (bottom_ - top_);
    outside_ += path(fmt::format("M{} {}h4", pixels(left + kWidth), pixels(height)), "axis", {});
    outside_ += text_at(left + kWidth + 8.0, height + 4.0, "label", tick.label);
  }
  const double middle = (top_ + bottom_) / 2.0;
  outside_ += fmt::format(
      "<text class=\"axis-title middle\" transform=\"translate({} {})rotate(-90)\">{}</text>\n",
      pixels(frame_.width - 4.0), pixels(middle), escaped(axis.title));
}

void Plot::legend(std::span<const LegendItem> items) {
  constexpr double kSign = 22.0;
  constexpr double kHeight = 14.0;
  double left = left_;
  for (const LegendItem& item : items) {
    const std::string style = fmt::format("{}", item.style);
    outside_ += fmt::format("<g class=\"mark {}\">", style);
    switch (item.sign) {
      case LegendItem::Sign::line:
        outside_ += path(fmt::format("M{} {}h18", pixels(left), pixels(kHeight)),
                         fmt::format("line {}", style), {});
        break;
      case LegendItem::Sign::dot:
        outside_ +=
            path(fmt::format("M{} {}v12", pixels(left + 9.0), pixels(kHeight - 6.0)), "line", {});
        outside_ += fmt::format("<circle class=\"dot\" cx=\"{}\" cy=\"{}\" r=\"3.5\"/>",
                                pixels(left + 9.0), pixels(kHeight));
        break;
      case LegendItem::Sign::arrow:
        outside_ += path(fmt::format("M{0} {1}h10m-5 0v13m-3 -4l3 4l3 -4", pixels(left + 4.0),
                                     pixels(kHeight - 7.0)),
                         "line", {});
        break;
      case LegendItem::Sign::outline:
        outside_ +=
            path(fmt::format("M{} {}h14v12h-14z", pixels(left + 2.0), pixels(kHeight - 6.0)),
                 fmt::format("outline {}", style), {});
        break;
    }
    outside_ += "</g>\n";
    outside_ += text_at(left + kSign + 4.0, kHeight + 4.0, "label", item.label);
    left += kSign + width_of(item.label) + 28.0;
  }
}

std::string Plot::axes() const {
  std::string result;
  for (const Tick& tick : x_.ticks) {
    const std::string at = pixels(across(tick.value));
    const bool major = !tick.label.empty();
    result +=
        path(fmt::format("M{} {}v{}", at, pixels(bottom_), major ? kTickLength : 3.0), "axis", {});
    if (major) {
      result += text_at(across(tick.value), bottom_ + 18.0, "label middle", tick.label);
    }
  }
  for (const Tick& tick : y_.ticks) {
    const std::string at = pixels(down(tick.value));
    const bool major = !tick.label.empty();
    result +=
        path(fmt::format("M{} {}h{}", pixels(left_), at, major ? -kTickLength : -3.0), "axis", {});
    if (major) {
      result += text_at(left_ - kTickLength - 4.0, down(tick.value) + 4.0, "label end", tick.label);
    }
  }
  result += path(
      fmt::format("M{} {}V{}H{}", pixels(left_), pixels(top_), pixels(bottom_), pixels(right_)),
      "axis", {});
  if (!x_.title.empty()) {
    result += text_at((left_ + right_) / 2.0, frame_.height - 8.0, "axis-title middle", x_.title);
  }
  if (!y_.title.empty()) {
    result += fmt::format(
        "<text class=\"axis-title middle\" transform=\"translate(14 {})rotate(-90)\">{}</text>\n",
        pixels((top_ + bottom_) / 2.0), escaped(y_.title));
  }
  return result;
}

std::string Plot::svg() const {
  std::string grid;
  for (const Tick& tick : y_.ticks) {
    if (tick.label.empty()) continue;
    grid += path(fmt::format("M{} {}H{}", pixels(left_), pixels(down(tick.value)), pixels(right_)),
                 "grid", {});
  }
  return fmt::format(
      "<svg width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" role=\"img\" aria-label=\"{2}\">\n"
      "<clipPath id=\"{3}\"><rect x=\"{4}\" y=\"{5}\" width=\"{6}\" height=\"{7}\"/></clipPath>\n"
      "{8}<g clip-path=\"url(#{3})\">\n{9}</g>\n{10}{11}{12}</svg>\n",
      pixels(frame_.width), pixels(frame_.height), escaped(description_), escaped(name_),
      pixels(left_), pixels(top_ - 0.5), pixels(right_ - left_ + 0.5), pixels(bottom_ - top_ + 1.0),
      grid, curves_, axes(), marks_, outside_);
}

}  // namespace cimstat::experiments::report
