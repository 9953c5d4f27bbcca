#include "experiments/report/page.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include <fmt/format.h>

#include "experiments/report/markup.h"

namespace cimstat::experiments::report {
namespace {

struct Colour {
  double red = 0.0, green = 0.0, blue = 0.0;  ///< 0 .. 255
};

Colour mixed(const Colour& from, const Colour& to, double part) {
  return {from.red + part * (to.red - from.red), from.green + part * (to.green - from.green),
          from.blue + part * (to.blue - from.blue)};
}

/// Violet over teal to yellow, with lightness that only grows: readable in grey and by the
/// colour-blind.
Colour ramp(double position) {
  constexpr std::array<Colour, 6> kStops = {
      {{68, 1, 84}, {65, 68, 135}, {42, 120, 142}, {34, 168, 132}, {122, 209, 81}, {253, 231, 37}}};
  const double place = position * static_cast<double>(kStops.size() - 1);
  const auto below = std::min(static_cast<std::size_t>(place), kStops.size() - 2);
  return mixed(kStops[below], kStops[below + 1], place - static_cast<double>(below));
}

std::string hex(const Colour& colour) {
  return fmt::format("#{:02x}{:02x}{:02x}", std::lround(colour.red), std::lround(colour.green),
                     std::lround(colour.blue));
}

enum class Theme { light, dark };

/// The shades as variables. What is strong is dark on a light page and bright on a dark one; the
/// end of the ramp that the page's ground would swallow is left out.
std::string shade_variables(Theme theme) {
  std::string result;
  for (int shade = 0; shade < kHeatShades; ++shade) {
    const double strength = shade / (kHeatShades - 1.0);
    Colour colour = ramp(0.06 + 0.94 * strength);
    if (theme == Theme::light) {
      constexpr double kPaleBelow = 0.4;
      const double pale = std::max(0.0, 1.0 - strength / kPaleBelow);
      colour = mixed(ramp(0.93 * (1.0 - strength)), {255, 255, 255}, 0.72 * pale);
    }
    result += fmt::format("--h{}:{};", shade, hex(colour));
  }
  for (int shade = 0; shade < kLevelShades; ++shade) {
    const double place = shade / (kLevelShades - 1.0);
    result += fmt::format("--v{}:{};", shade,
                          hex(ramp(theme == Theme::light ? 0.78 * place : 0.34 + 0.66 * place)));
  }
  return result;
}

// Okabe and Ito's colours; on a dark page the two darkest are lightened.
constexpr std::string_view kLight =
    "--ground:#f7f8f9;--card:#fff;--ink:#1a2027;--soft:#55606c;--edge:#dde2e7;--grid:#e9edf1;"
    "--strong-text:#fff;--weak-text:#1a2027;--key:#b34700;"
    "--s0:#0072b2;--s1:#d55e00;--s2:#009e73;--s3:#cc79a7;--s4:#e69f00;--s5:#56b4e9;--s6:#8a7a00;";
constexpr std::string_view kDark =
    "--ground:#0f1317;--card:#171c21;--ink:#e7ebef;--soft:#a0abb6;--edge:#2d353d;--grid:#252c33;"
    "--strong-text:#11161b;--weak-text:#e7ebef;--key:#ff9d5c;"
    "--s0:#56b4e9;--s1:#f0803c;--s2:#2fc49a;--s3:#e09cc4;--s4:#e69f00;--s5:#8fb8ff;--s6:#f0e442;";

constexpr std::string_view kStyle = R"(
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:1056px;margin:0 auto;padding:40px 24px 64px}
h1{font-size:30px;line-height:1.2;margin:0 0 6px;letter-spacing:-.01em;overflow-wrap:anywhere}
h2{font-size:20px;line-height:1.3;margin:0 0 4px}
p{margin:0 0 14px;max-width:76ch}
.lead,.hint{color:var(--soft)}
.hint{font-size:14.5px}
.lead{margin-bottom:22px}
section{background:var(--card);border:1px solid var(--edge);border-radius:10px;padding:22px 24px;margin:0 0 20px}
.glance{display:grid;grid-template-columns:repeat(auto-fit,minmax(196px,1fr));gap:14px;margin:0 0 20px}
.glance div{background:var(--card);border:1px solid var(--edge);border-radius:10px;padding:14px 18px}
.glance b{display:block;font-size:25px;line-height:1.3;font-weight:650;font-variant-numeric:tabular-nums}
.glance span{display:block;font-size:14px;color:var(--soft)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 22px;margin:10px 0 0;font-size:15px}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
figure{margin:0;overflow-x:auto}
svg{display:block;max-width:100%;height:auto}
svg text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;fill:var(--soft);font-variant-numeric:tabular-nums}
svg .axis-title{font-size:13px;fill:var(--ink)}
svg .label{font-size:12px}
svg .middle,svg .cell{text-anchor:middle}
svg .end{text-anchor:end}
svg .cut{transform:translateX(8px);paint-order:stroke;stroke:var(--card);stroke-width:4px}
svg .cell{pointer-events:none;font-size:11.5px}
svg .on-strong{fill:var(--strong-text)}
svg .on-weak{fill:var(--weak-text)}
.axis{fill:none;stroke:var(--soft);stroke-width:1}
.grid{fill:none;stroke:var(--grid);stroke-width:1}
.line{fill:none;stroke:var(--c);stroke-width:1.6;stroke-linejoin:round}
.line.thin{stroke-width:.9}
.area{fill:var(--c);fill-opacity:.14}
.area:hover{fill-opacity:.4}
.band{fill:var(--c);fill-opacity:.16}
.bar{fill:var(--c);fill-opacity:.85}
.dot{fill:var(--c)}
.mark .line{stroke-width:1.4}
.mark:hover .line{stroke-width:2.6}
.hit{fill:none;stroke:transparent;stroke-width:11;pointer-events:stroke}
.reference{--c:var(--soft);stroke-dasharray:4 3;stroke-width:1.1}
.reference.thin{stroke-dasharray:none;stroke-width:.5;stroke-opacity:.55}
.outline{fill:none;stroke:var(--c);stroke-width:1.5}
.ideal{--c:var(--key)}
.ink{--c:var(--ink)}
.tabs input{position:absolute;opacity:0}
.tabs label{display:inline-block;font-size:14px;padding:3px 13px;margin:0 6px 10px 0;border:1px solid var(--edge);border-radius:99px;color:var(--soft);cursor:pointer}
.tabs input:checked+label{color:var(--ink);border-color:var(--soft);font-weight:600}
.tabs input:focus-visible+label{outline:2px solid var(--s0)}
.pane{display:none}
.scroll{overflow:auto;max-height:560px;border:1px solid var(--edge);border-radius:6px}
table{border-collapse:separate;border-spacing:0;width:100%;font-size:14px;font-variant-numeric:tabular-nums}
th,td{padding:4px 9px;text-align:right;white-space:nowrap;border-bottom:1px solid var(--grid)}
thead th{position:sticky;top:0;background:var(--card);font-weight:600;border-bottom:1px solid var(--edge);white-space:normal;vertical-align:bottom}
th small{display:block;font-weight:400;color:var(--soft);font-size:12px}
tr:last-child td,tr:last-child th{border-bottom:0}
tbody tr:hover{background:var(--grid)}
td.worst{font-weight:700;color:var(--key)}
td small{color:var(--soft);font-size:12.5px}
pre{margin:0;overflow:auto;max-height:560px;font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;padding:14px 16px;border:1px solid var(--edge);border-radius:6px;background:var(--ground)}
#tip{position:fixed;z-index:9;pointer-events:none;background:var(--ink);color:var(--card);font-size:13.5px;padding:4px 9px;border-radius:5px;max-width:340px}
footer{color:var(--soft);font-size:13.5px}
@media screen and (max-width:760px){main{padding:24px 12px}section{padding:16px}svg{max-width:none}}
@media print{body{font-size:13px}main{max-width:none;padding:0}section{break-inside:avoid;border:0;padding:8px 0}.scroll,pre{max-height:none;border:0}.tabs label{display:none}.tabs .pane{display:block}.table,.config{break-inside:auto}}
)";

/// Browsers show <title> late; this shows it at once. Without it the page only reads slower.
constexpr std::string_view kScript = R"((function(){
var tip=document.createElement('div');tip.id='tip';tip.hidden=true;document.body.append(tip);
document.addEventListener('mousemove',function(e){
var at=e.target,text='';
while(at&&at.closest&&at.closest('svg')){
var t=at.querySelector(':scope>title');
if(t){at.dataset.tip=t.textContent;t.remove()}
if(at.dataset.tip){text=at.dataset.tip;break}
at=at.parentNode}
tip.hidden=!text;
if(text){tip.textContent=text;
var w=tip.offsetWidth,x=e.clientX+14;
if(x+w>innerWidth-6)x=e.clientX-w-10;
tip.style.left=Math.max(4,x)+'px';tip.style.top=e.clientY+16+'px'}})})();)";

std::string class_rules() {
  std::string result;
  for (int shade = 0; shade < kHeatShades; ++shade) {
    result += fmt::format(".h{0}{{fill:var(--h{0});shape-rendering:crispEdges}}", shade);
  }
  for (int shade = 0; shade < kLevelShades; ++shade) {
    result += fmt::format(".v{0}{{--c:var(--v{0})}}", shade);
  }
  for (int series = 0; series < kSeries; ++series) {
    result += fmt::format(".s{0}{{--c:var(--s{0})}}", series);
  }
  return result;
}

}  // namespace

std::string page(std::string_view title, std::string_view body) {
  // Paper is light whatever the screen.
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>{}</title>\n<style>\n"
      ":root{{{}{}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{}{}}}}}\n{}{}\n"
      "</style>\n</head>\n<body>\n<main>\n{}</main>\n<script>{}</script>\n</body>\n</html>\n",
      escaped(title), kLight, shade_variables(Theme::light), kDark, shade_variables(Theme::dark),
      kStyle, class_rules(), body, kScript);
}

std::string tabs(std::string_view name,
                 const std::vector<std::pair<std::string, std::string>>& panes) {
  std::string choices;
  std::string contents;
  std::string rules;
  for (std::size_t index = 0; index < panes.size(); ++index) {
    const std::string id = fmt::format("{}-{}", escaped(name), index);
    choices += fmt::format(
        "<input type=\"radio\" name=\"{0}\" id=\"{1}\"{2}/><label for=\"{1}\">{3}"
        "</label>",
        escaped(name), id, index == 0 ? " checked" : "", escaped(panes[index].first));
    contents += fmt::format("<div class=\"pane {}-pane\">\n{}</div>\n", id, panes[index].second);
    rules += fmt::format("#{0}:checked~.{0}-pane{{display:block}}", id);
  }
  return fmt::format("<style>{}</style><div class=\"tabs\">{}\n{}</div>\n", rules, choices,
                     contents);
}

bool is_upper_limit(const MisreadPoint& point) {
  if (point.basis == MisreadBasis::none_seen) return true;
  return point.basis == MisreadBasis::computed && !(point.lower > 0.0) && point.upper > 0.0;
}

std::string rate_text(const MisreadPoint& point) {
  if (point.basis == MisreadBasis::none_seen) return "none seen";
  if (is_upper_limit(point)) return "< " + number_text(point.upper, 1);
  return number_text(point.rate);
}

std::string interval_text(const MisreadPoint& point) {
  // As few digits as tell the ends apart.
  constexpr int kMostDigits = 6;
  const double bound = point.upper - point.rate;
  switch (point.basis) {
    case MisreadBasis::none_seen:
      return "below " + number_text(point.upper, 2);
    case MisreadBasis::computed:
      return bound > 0.0 ? "± " + number_text(bound, 1) : "exact";
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

std::string accuracy_text(const AccuracyBar& bar) {
  if (bar.lower == bar.upper) return percent_text(bar.value, 2);
  return fmt::format("{} ({:.2f} to {:.2f})", percent_text(bar.value, 2), 100.0 * bar.lower,
                     100.0 * bar.upper);
}

}  // namespace cimstat::experiments::report
