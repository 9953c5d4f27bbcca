#pragma once

#include <string>
#include <string_view>

/// SVG elements as text, and what they need to be placed.
namespace cimstat::experiments::report {

/// <path>, with <title> where `hover` is not empty (escaped here).
std::string path_element(std::string_view route, std::string_view style, std::string_view hover);
/// <text>, with <title> where `hover` is not empty (escaped here).
std::string text_element(double x, double y, std::string_view style, std::string_view text,
                         std::string_view hover = {});
/// <title>, or nothing where `hover` is empty.
std::string title_element(std::string_view hover);
/// About how wide a label is, in pixels.
double label_width(std::string_view text);

}  // namespace cimstat::experiments::report
