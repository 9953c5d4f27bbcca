#include "experiments/report/page.h"

#include <fmt/format.h>

#include "core/file/provenance.h"

#include "experiments/report/markup.h"
#include "experiments/report/numbers.h"
#include "experiments/report/palette.h"

namespace cimstat::experiments::report {

// Files of this folder, made into C++ by embed.cmake.
extern const std::string_view style_text;
extern const std::string_view script_text;
extern const std::string_view sweep_script_text;

namespace {

/// "sha256-<base64>" of a text, as a content security policy names it.
std::string policy_hash(std::string_view text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::string hex = core::sha256(text);
  std::string result = "sha256-";
  // Three hexadecimal digits are 12 bits, two of base 64; 64 digits leave one, of 4 bits.
  for (std::size_t at = 0; at < hex.size(); at += 3) {
    const std::string part = hex.substr(at, 3);
    const unsigned long bits = std::stoul(part, nullptr, 16) << (4 * (3 - part.size()));
    result += kDigits[bits >> 6];
    if (part.size() > 1) result += kDigits[bits & 63];
  }
  return result + "=";
}

std::string navigation(const std::vector<Section>& sections) {
  std::string items;
  for (const Section& section : sections) {
    items += fmt::format("<li><a href=\"#{}\">{}</a></li>\n", section.name,
                         escaped(section.short_title));
  }
  return items.empty() ? items
                       : fmt::format("<nav aria-label=\"Sections\"><ul>\n{}</ul></nav>\n", items);
}

constexpr std::string_view kThemes =
    "<fieldset class=\"theme\"><legend>Theme</legend>"
    "<input type=\"radio\" name=\"theme\" id=\"theme-system\" value=\"system\" checked=\"\"/>"
    "<label for=\"theme-system\">System</label>"
    "<input type=\"radio\" name=\"theme\" id=\"theme-light\" value=\"light\"/>"
    "<label for=\"theme-light\">Light</label>"
    "<input type=\"radio\" name=\"theme\" id=\"theme-dark\" value=\"dark\"/>"
    "<label for=\"theme-dark\">Dark</label></fieldset>\n";

constexpr std::string_view kFooter =
    "<footer><p>One file, nothing fetched: it can be kept, sent and printed. Colours are told "
    "apart by "
    "the colour-blind: Okabe and Ito's for series, ramps of steady lightness after viridis for "
    "levels "
    "and heat maps.</p></footer>\n";

}  // namespace

std::string page(std::string_view title, std::string_view head,
                 const std::vector<Section>& sections, PageScript parts) {
  const std::string style = fmt::format("\n{}{}", palette_rules(), style_text);
  const std::string script = fmt::format(
      "\n{}{}", script_text, parts == PageScript::sweep ? sweep_script_text : std::string_view());
  std::string body(head);
  for (const Section& section : sections) {
    body += fmt::format(
        "<section class=\"{0}\" id=\"{0}\" aria-labelledby=\"{0}-title\">\n"
        "<h2 id=\"{0}-title\">{1}</h2>\n{2}{3}</section>\n",
        section.name, escaped(section.title),
        section.hint.empty() ? ""
                             : fmt::format("<p class=\"hint\">{}</p>\n", escaped(section.hint)),
        section.content);
  }
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '{}'; "
      "script-src '{}'; base-uri 'none'; form-action 'none'\">\n"
      "<meta name=\"referrer\" content=\"no-referrer\">\n"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"generator\" "
      "content=\"{}\">\n"
      "<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n"
      "<a class=\"skip\" href=\"#content\">Skip to the content</a>\n"
      "<div class=\"bar\">\n{}{}</div>\n<main id=\"content\">\n{}</main>\n{}"
      "<script>{}</script>\n</body>\n</html>\n",
      policy_hash(style), policy_hash(script), escaped(core::source_text()), escaped(title), style,
      navigation(sections), kThemes, body, kFooter, script);
}

std::string tabs(std::string_view name, std::string_view label,
                 const std::vector<std::pair<std::string, std::string>>& panes) {
  std::string choices;
  std::string contents;
  for (std::size_t index = 0; index < panes.size(); ++index) {
    const std::string id = fmt::format("{}-{}", name, index);
    choices += fmt::format(
        "<input type=\"radio\" name=\"{0}\" id=\"{1}\"{2}/><label for=\"{1}\">{3}"
        "</label>",
        name, id, index == 0 ? " checked=\"\"" : "", escaped(panes[index].first));
    contents += fmt::format("<div class=\"pane\">\n<h3>{}</h3>\n{}</div>\n",
                            escaped(panes[index].first), panes[index].second);
  }
  return fmt::format("<div class=\"tabs\" role=\"group\" aria-label=\"{}\">{}\n{}</div>\n",
                     escaped(label), choices, contents);
}

bool is_upper_limit(const MisreadPoint& point) {
  if (point.basis == MisreadBasis::none_seen) return true;
  return point.basis == MisreadBasis::computed && !(point.lower > 0.0) && point.upper > 0.0;
}

std::string rate_text(const MisreadPoint& point) {
  if (point.basis == MisreadBasis::none_seen) return "none seen";
  if (is_upper_limit(point)) return "not above " + limit_text(point.upper, 1);
  return number_text(point.rate);
}

std::string interval_text(const MisreadPoint& point) {
  // As few digits as tell the ends apart.
  constexpr int kMostDigits = 6;
  const double bound = point.upper - point.rate;
  switch (point.basis) {
    case MisreadBasis::none_seen:
      return "below " + limit_text(point.upper, 2);
    case MisreadBasis::computed:
      if (is_upper_limit(point)) return "error bound";
      return bound > 0.0 ? "± " + limit_text(bound, 1) : "exact";
    case MisreadBasis::sampled:
      break;
  }
  int digits = 2;
  while (digits < kMostDigits &&
         number_text(point.lower, digits - 1) == number_text(point.upper, digits - 1)) {
    ++digits;
  }
  return fmt::format("{} to {}", number_text(point.lower, digits),
                     number_text(point.upper, digits));
}

std::string misread_text(const MisreadPoint& point) {
  return fmt::format("{} ({})", rate_text(point), interval_text(point));
}

std::string accuracy_text(const AccuracyFigure& figure) {
  if (figure.lower == figure.upper) return percent_text(figure.value, 2);
  return fmt::format("{} ({:.2f} to {:.2f})", percent_text(figure.value, 2), 100.0 * figure.lower,
                     100.0 * figure.upper);
}

}  // namespace cimstat::experiments::report
