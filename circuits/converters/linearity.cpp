#include "circuits/converters/linearity.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace cimstat::circuits {
namespace {

double largest_size(const std::vector<double>& values) {
  double largest = 0.0;
  for (const double value : values) largest = std::max(largest, std::abs(value));
  return largest;
}

}  // namespace

std::vector<double> transitions(std::span<const CodePiece> pieces, std::size_t references) {
  assert(!pieces.empty());
  if (pieces.size() == 1) {
    // One code for all: every transition below it is never left, every one above never met.
    std::vector<double> result(references, INFINITY);
    std::fill_n(result.begin(), pieces.front().code, -INFINITY);
    return result;
  }
  const double low = pieces[1].from - 1.0;
  const double high = pieces.back().from + 1.0;
  std::vector<double> widths(references + 1, 0.0);
  bool ascending = true;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const double from = i == 0 ? low : pieces[i].from;
    const double to = i + 1 < pieces.size() ? pieces[i + 1].from : high;
    widths[pieces[i].code] += to - from;
    ascending = ascending && (i == 0 || pieces[i].code > pieces[i - 1].code);
  }
  std::vector<double> result(references);
  if (ascending) {  // without the roundings of the sum
    std::size_t next = 0;
    for (const CodePiece& piece : pieces) {
      for (; next < piece.code; ++next) result[next] = piece.from;
    }
    for (; next < references; ++next) result[next] = high;
    if (pieces.front().code > 0) std::fill_n(result.begin(), pieces.front().code, low);
    return result;
  }
  double below = low;
  for (std::size_t code = 1; code <= references; ++code) {
    below += widths[code - 1];
    result[code - 1] = below;
  }
  return result;
}

double Linearity::worst_dnl() const { return largest_size(dnl); }
double Linearity::worst_inl() const { return largest_size(inl); }

Linearity linearity(std::span<const double> transitions, std::span<const double> positions,
                    Line line) {
  assert(transitions.size() == positions.size() && positions.size() >= 2);
  double slope = 1.0;
  double base = 0.0;
  if (line == Line::end_point) {
    slope = (transitions.back() - transitions.front()) / (positions.back() - positions.front());
    base = transitions.front() - slope * positions.front();
  } else if (line == Line::best_fit) {
    const auto count = static_cast<double>(positions.size());
    double mean_position = 0.0;
    double mean_transition = 0.0;
    for (std::size_t j = 0; j < positions.size(); ++j) {
      mean_position += positions[j] / count;
      mean_transition += transitions[j] / count;
    }
    double products = 0.0;
    double squares = 0.0;
    for (std::size_t j = 0; j < positions.size(); ++j) {
      const double distance = positions[j] - mean_position;
      products += distance * (transitions[j] - mean_transition);
      squares += distance * distance;
    }
    slope = products / squares;
    base = mean_transition - slope * mean_position;
  }
  Linearity result;
  for (std::size_t j = 0; j < positions.size(); ++j) {
    result.inl.push_back((transitions[j] - (base + slope * positions[j])) / slope);
    if (j == 0) continue;
    const double width = slope * (positions[j] - positions[j - 1]);
    result.dnl.push_back((transitions[j] - transitions[j - 1]) / width - 1.0);
  }
  return result;
}

std::size_t missing_codes(std::span<const CodePiece> pieces, std::size_t references) {
  std::vector<bool> met(references + 1, false);
  for (const CodePiece& piece : pieces) met[piece.code] = true;
  std::size_t missing = 0;
  for (std::size_t code = 1; code < references; ++code) missing += met[code] ? 0U : 1U;
  return missing;
}

bool steps_back(std::span<const CodePiece> pieces) {
  for (std::size_t i = 1; i < pieces.size(); ++i) {
    if (pieces[i].code < pieces[i - 1].code) return true;
  }
  return false;
}

}  // namespace cimstat::circuits
