#include "experiments/report/svg_element.h"

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
  return kLetter * static_cast<double>(letters_of(text));
}

}  // namespace cimstat::experiments::report
