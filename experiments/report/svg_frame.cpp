#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "experiments/report/markup.h"
#include "experiments/report/svg_element.h"
#include "experiments/report/svg_plot.h"

namespace cimstat::experiments::report {
namespace {

constexpr double kTickLength = 5.0;

double position_on(const Axis& axis, double value) {
  if (axis.spacing == Spacing::linear) return (value - axis.low) / (axis.high - axis.low);
  return std::log(std::max(value, axis.low * 1e-9) / axis.low) / std::log(axis.high / axis.low);
}

/// An axis of a single value or of none is widened: it must map to pixels all the same.
void make_usable(Axis& axis) {
  if (!std::isfinite(axis.low) || !std::isfinite(axis.high)) {
    axis.low = 0.1;
    axis.high = 1.0;
  } else if (!(axis.high > axis.low)) {
    const double room = axis.low == 0.0 ? 0.5 : 0.5 * std::abs(axis.low);
    axis.high = axis.low + room;
    axis.low -= room;
  }
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
  make_usable(x_);
  make_usable(y_);
  top_ = frame_.room_above;
  bottom_ = frame_.height - (x_.title.empty() ? 28.0 : 48.0);
  choose_ticks(y_, bottom_ - top_, 44.0);
  double widest = 0.0;
  for (const Tick& tick : y_.ticks) widest = std::max(widest, label_width(tick.label));
  left_ = widest + kTickLength + 10.0 + (y_.title.empty() ? 0.0 : 24.0);
  right_ = frame_.width - frame_.room_right;
  choose_ticks(x_, right_ - left_, 90.0);
}

double Plot::across(double x) const { return left_ + position_on(x_, x) * (right_ - left_); }
double Plot::down(double y) const { return bottom_ - position_on(y_, y) * (bottom_ - top_); }
double Plot::unit_width() const { return (right_ - left_) / (x_.high - x_.low); }

void Plot::upper_axis(std::span<const UpperTick> ticks, std::string_view title) {
  constexpr double kAir = 9.0;
  double widest = 0.0;
  for (const UpperTick& tick : ticks) widest = std::max(widest, label_width(tick.label));
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
    outside_ += path_element(fmt::format("M{} {}v{}", pixels(centre), pixels(top_),
                                         labelled ? -kTickLength : -kTickLength / 2.0),
                             fmt::format("line {}", tick.style), {});
    if (labelled) outside_ += text_element(centre, top_ - 9.0, "label middle", tick.label);
  }
  outside_ += text_element((left_ + right_) / 2.0, top_ - 28.0, "axis-title middle", title);
}

void Plot::colour_bar(const Axis& axis, int shades, std::string_view style_prefix) {
  constexpr double kGap = 18.0;
  constexpr double kWidth = 14.0;
  const double left = right_ + kGap;
  const double step = (bottom_ - top_) / shades;
  for (int shade = 0; shade < shades; ++shade) {
    outside_ += path_element(
        fmt::format("M{} {}h{}V{}h{}z", pixels(left), pixels(bottom_ - step * shade),
                    pixels(kWidth), pixels(bottom_ - step * (shade + 1)), pixels(-kWidth)),
        fmt::format("{}{}", style_prefix, shade), {});
  }
  Axis scale = axis;
  choose_ticks(scale, bottom_ - top_, 44.0);
  for (const Tick& tick : scale.ticks) {
    if (tick.label.empty()) continue;
    const double height = bottom_ - position_on(scale, tick.value) * (bottom_ - top_);
    outside_ +=
        path_element(fmt::format("M{} {}h4", pixels(left + kWidth), pixels(height)), "axis", {});
    outside_ += text_element(left + kWidth + 8.0, height + 4.0, "label", tick.label);
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
    outside_ += fmt::format("<g class=\"mark {}\">", item.style);
    switch (item.sign) {
      case LegendItem::Sign::line:
        outside_ += path_element(fmt::format("M{} {}h18", pixels(left), pixels(kHeight)),
                                 fmt::format("line {}", item.style), {});
        break;
      case LegendItem::Sign::dot:
        outside_ += path_element(
            fmt::format("M{} {}v12", pixels(left + 9.0), pixels(kHeight - 6.0)), "line", {});
        outside_ += fmt::format("<circle class=\"dot\" cx=\"{}\" cy=\"{}\" r=\"3.5\"/>",
                                pixels(left + 9.0), pixels(kHeight));
        break;
      case LegendItem::Sign::interval:
      case LegendItem::Sign::ring:
        outside_ += path_element(
            fmt::format("M{0} {1}v6m0 -3h18m0 -3v6", pixels(left), pixels(kHeight - 3.0)), "line",
            {});
        outside_ += fmt::format("<circle class=\"dot{}\" cx=\"{}\" cy=\"{}\" r=\"3.5\"/>",
                                item.sign == LegendItem::Sign::ring ? " hollow" : "",
                                pixels(left + 9.0), pixels(kHeight));
        break;
      case LegendItem::Sign::patch:
        outside_ += fmt::format("<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"18\" height=\"12\"/>",
                                item.style, pixels(left), pixels(kHeight - 6.0));
        break;
      case LegendItem::Sign::arrow:
        outside_ += path_element(fmt::format("M{0} {1}h10m-5 0v13m-3 -4l3 4l3 -4",
                                             pixels(left + 4.0), pixels(kHeight - 7.0)),
                                 "line", {});
        break;
    }
    outside_ += "</g>\n";
    outside_ += text_element(left + kSign + 4.0, kHeight + 4.0, "label", item.label, item.hover);
    left += kSign + label_width(item.label) + 28.0;
  }
}

std::string Plot::axes() const {
  std::string result;
  for (const Tick& tick : x_.ticks) {
    const std::string at = pixels(across(tick.value));
    const bool major = !tick.label.empty();
    result += path_element(fmt::format("M{} {}v{}", at, pixels(bottom_), major ? kTickLength : 3.0),
                           "axis", {});
    if (major) {
      result += text_element(across(tick.value), bottom_ + 18.0, "label middle", tick.label);
    }
  }
  for (const Tick& tick : y_.ticks) {
    const std::string at = pixels(down(tick.value));
    const bool major = !tick.label.empty();
    result += path_element(fmt::format("M{} {}h{}", pixels(left_), at, major ? -kTickLength : -3.0),
                           "axis", {});
    if (major) {
      result +=
          text_element(left_ - kTickLength - 4.0, down(tick.value) + 4.0, "label end", tick.label);
    }
  }
  result += path_element(
      fmt::format("M{} {}V{}H{}", pixels(left_), pixels(top_), pixels(bottom_), pixels(right_)),
      "axis", {});
  if (!x_.title.empty()) {
    result +=
        text_element((left_ + right_) / 2.0, frame_.height - 8.0, "axis-title middle", x_.title);
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
    grid += path_element(
        fmt::format("M{} {}H{}", pixels(left_), pixels(down(tick.value)), pixels(right_)), "grid",
        {});
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
