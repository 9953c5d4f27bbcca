#include "experiments/report/svg_element.h"

#include <algorithm>

#include <fmt/format.h>

#include "experiments/report/markup.h"

namespace cimstat::experiments::report {

std::string path_element(std::string_view route, std::string_view style, std::string_view hover) {
  if (hover.empty()) return fmt::format("<path class=\"{}\" d=\"{}\"/>\n", style, route);
  return fmt::format("<path class=\"{}\" d=\"{}\">{}</path>\n", style, route, title_element(hover));
}

std::string text_element(double x, double y, std::string_view style, std::string_view text,
                         std::string_view hover) {
  return fmt::format("<text class=\"{}\" x=\"{}\" y=\"{}\">{}{}</text>\n", style, pixels(x),
                     pixels(y), title_element(hover), escaped(text));
}

std::string title_element(std::string_view hover) {
  return hover.empty() ? std::string() : fmt::format("<title>{}</title>", escaped(hover));
}

double label_width(std::string_view text) {
  constexpr double kLetter = 7.0;  // a digit of 12 px letters
  const auto letters = std::count_if(text.begin(), text.end(), [](char letter) {
    return (static_cast<unsigned char>(letter) & 0xC0) != 0x80;  // not a byte within one
  });
  return kLetter * static_cast<double>(letters);
}

}  // namespace cimstat::experiments::report
