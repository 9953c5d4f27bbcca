#include "experiments/report/svg_plot.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "experiments/report/markup.h"
#include "experiments/report/svg_element.h"

namespace cimstat::experiments::report {

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
  curves_ += path_element(path_of(points), fmt::format("line {}", style), hover);
}

void Plot::area(std::span<const Point> points, std::string_view style, std::string_view hover) {
  if (points.empty()) return;
  const std::string route = path_of(points);
  curves_ += path_element(
      fmt::format("{}V{}H{}Z", route, pixels(bottom_), pixels(across(points.front().x))),
      fmt::format("area {}", style), hover);
  curves_ += path_element(route, fmt::format("line {}", style), {});
}

void Plot::filled(std::span<const Point> points, std::string_view style, std::string_view hover) {
  if (points.empty()) return;
  curves_ += path_element(
      fmt::format("{}V{}H{}Z", path_of(points), pixels(bottom_), pixels(across(points.front().x))),
      style, hover);
}

void Plot::band(std::span<const BandPoint> points, std::string_view style) {
  std::vector<Point> border;
  for (const BandPoint& point : points) border.push_back({point.x, point.upper});
  for (auto point = points.rbegin(); point != points.rend(); ++point) {
    border.push_back({point->x, point->lower});
  }
  curves_ += path_element(path_of(border) + "Z", fmt::format("band {}", style), {});
}

void Plot::dot(Point at, double radius, std::string_view style, std::string_view hover) {
  marks_ +=
      fmt::format("<circle class=\"dot {}\" cx=\"{}\" cy=\"{}\" r=\"{}\">{}</circle>\n", style,
                  pixels(across(at.x)), pixels(down(at.y)), pixels(radius), title_element(hover));
}

void Plot::dots(std::span<const Point> points, std::string_view style) {
  std::string route;
  for (const Point& point : points) {
    route += fmt::format("M{} {}h0", pixels(across(point.x)), pixels(down(point.y)));
  }
  if (!route.empty()) curves_ += path_element(route, fmt::format("dots {}", style), {});
}

void Plot::carets(std::span<const Point> points, std::string_view style) {
  std::string route;
  for (const Point& point : points) {
    route += fmt::format("M{} {}h7l-3.5 6z", pixels(across(point.x) - 3.5), pixels(down(point.y)));
  }
  if (!route.empty()) curves_ += path_element(route, fmt::format("carets {}", style), {});
}

void Plot::measured(double x, double value, double lower, double upper, std::string_view style,
                    std::string_view hover) {
  const double cap = std::min(4.0, 0.35 * unit_width());
  const double centre = across(x);
  const double high = std::max(down(upper), top_);
  const double low = lower > y_.low || y_.spacing == Spacing::linear ? down(lower) : bottom_;
  marks_ += fmt::format("<g class=\"mark {}\">{}", style, title_element(hover));
  if (low - high >= 1.0) {
    marks_ +=
        path_element(fmt::format("M{} {}H{}M{} {}V{}M{} {}H{}", pixels(centre - cap), pixels(high),
                                 pixels(centre + cap), pixels(centre), pixels(high), pixels(low),
                                 pixels(centre - cap), pixels(low), pixels(centre + cap)),
                     "line", {});
  }
  marks_ += path_element(
      fmt::format("M{} {}V{}", pixels(centre), pixels(high - 5.0), pixels(low + 5.0)), "hit", {});
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
  marks_ += fmt::format("<g class=\"mark {}\">{}", style, title_element(hover));
  marks_ += path_element(
      fmt::format("M{} {}H{}M{} {}V{}M{} {}L{} {}L{} {}", pixels(centre - cap), pixels(high),
                  pixels(centre + cap), pixels(centre), pixels(high), pixels(low),
                  pixels(centre - head), pixels(low - head - 1.5), pixels(centre), pixels(low),
                  pixels(centre + head), pixels(low - head - 1.5)),
      "line", {});
  marks_ +=
      path_element(fmt::format("M{} {}V{}", pixels(centre), pixels(high), pixels(low)), "hit", {});
  marks_ += "</g>\n";
}

void Plot::whisker(double y, double lower, double upper, std::string_view style,
                   std::string_view hover) {
  constexpr double kCap = 5.0;
  const double height = down(y);
  const double low = std::clamp(across(lower), left_, right_);
  const double high = std::clamp(across(upper), left_, right_);
  marks_ += fmt::format("<g class=\"mark {}\">{}", style, title_element(hover));
  marks_ +=
      path_element(fmt::format("M{} {}V{}M{} {}H{}M{} {}V{}", pixels(low), pixels(height - kCap),
                               pixels(height + kCap), pixels(low), pixels(height), pixels(high),
                               pixels(high), pixels(height - kCap), pixels(height + kCap)),
                   "line", {});
  marks_ += path_element(
      fmt::format("M{} {}H{}", pixels(low - 5.0), pixels(height), pixels(high + 5.0)), "hit", {});
  marks_ += "</g>\n";
}

void Plot::vertical_line(double x, std::string_view style, std::string_view hover) {
  curves_ +=
      path_element(fmt::format("M{} {}V{}", pixels(across(x)), pixels(top_), pixels(bottom_)),
                   fmt::format("line {}", style), hover);
}

void Plot::horizontal_line(double y, std::string_view style, std::string_view hover) {
  curves_ += path_element(fmt::format("M{} {}H{}", pixels(left_), pixels(down(y)), pixels(right_)),
                          fmt::format("line {}", style), hover);
}

void Plot::outline(Point low, Point high, std::string_view style) {
  constexpr double kInset = 0.75;
  marks_ += path_element(fmt::format("M{} {}H{}V{}H{}Z", pixels(across(low.x) + kInset),
                                     pixels(down(high.y) + kInset), pixels(across(high.x) - kInset),
                                     pixels(down(low.y) - kInset), pixels(across(low.x) + kInset)),
                         fmt::format("outline {}", style), {});
}

void Plot::note(Point at, std::string_view text, std::string_view style, std::string_view hover) {
  outside_ += text_element(across(at.x), down(at.y), style, text, hover);
}

}  // namespace cimstat::experiments::report
