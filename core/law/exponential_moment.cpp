#include "core/law/exponential_moment.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "core/interrupt.h"
#include "core/law/component.h"
#include "core/law/shape.h"

namespace cimstat::core {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr std::size_t panel_nodes = 16;
constexpr double remote = 1e-19;
/// Gauss-Legendre with 16 nodes is right to 1e-5 while a panel's integrand spans less than this
/// (natural log).
constexpr double widest_span = 30.0;

/// The values of B that are kept, divided where the density bends.
std::vector<double> kept_panels(const Shape& shape) {
  if (const auto* point = std::get_if<Point>(&shape)) return {point->value, point->value};
  const double low = std::max(support(shape).first, quantile(shape, Tail::lower, remote));
  const double high = std::min(support(shape).second, quantile(shape, Tail::upper, remote));
  std::vector<double> ends{low};
  const std::vector<double> corners = knots(shape);
  for (std::size_t i = 1; i < corners.size(); ++i) {
    const double middle = 0.5 * (corners[i - 1] + corners[i]);
    for (const double b : {middle, corners[i]}) {
      if (b > ends.back() && b < high) ends.push_back(b);
    }
  }
  ends.push_back(high);
  return ends;
}

}  // namespace

ExponentialMoment::ExponentialMoment(const Law& law) : mean_(law.mean()) {
  for (const Component& c : law.components()) {
    stop_if_requested();
    Piece& piece = pieces_.emplace_back();
    piece.weight = c.weight;
    if (const auto normal = normal_component(c)) {
      piece.normal_mean = normal->mean;
      piece.normal_sd = normal->sd;
      continue;
    }
    piece.relative_noise = c.relative_noise;
    const auto* normal = std::get_if<Normal>(&c.base);
    if (normal != nullptr && c.compression == 0.0) {
      piece.normal_mean = c.scale * normal->mean;
      piece.normal_sd = std::abs(c.scale) * normal->sd;
      continue;
    }
    const std::vector<double> ends = kept_panels(c.base);
    for (std::size_t i = 1; i < ends.size(); ++i) {
      const double half = 0.5 * (ends[i] - ends[i - 1]);
      for (const Node& node : gauss_legendre_16()) {
        const double b = ends[i - 1] + half * (1.0 + node.value);
        piece.value.push_back(c.scale * compressed(c, b));
        piece.node_weight.push_back(half * node.weight * density(c.base, b));
      }
    }
    if (const auto* measured = std::get_if<Empirical>(&c.base)) {
      for (std::size_t i = 1; i < measured->value.size(); ++i) {
        if (measured->value[i] != measured->value[i - 1]) continue;
        const double atom = c.scale * compressed(c, measured->value[i]);
        piece.value.insert(piece.value.end(), panel_nodes, atom);
        piece.node_weight.insert(
            piece.node_weight.end(), panel_nodes,
            (measured->probability[i] - measured->probability[i - 1]) / panel_nodes);
      }
    }
    discarded_ += c.weight * 2.0 * remote;
  }
}

double ExponentialMoment::log_moment(double theta) const {
  stop_if_requested();
  double sum = 0.0;
  double shift = -infinity;
  std::vector<double> exponents;
  std::vector<double> logs;
  for (const Piece& piece : pieces_) {
    const double r = piece.relative_noise;
    double log_value = 0.0;
    if (piece.value.empty()) {
      // E exp(aB + bB^2), a = theta, b = (theta r)^2 / 2.
      const double m = piece.normal_mean;
      const double s = piece.normal_sd;
      const double left = 1.0 - theta * theta * r * r * s * s;
      if (left <= 0.0) return infinity;
      const double square = 0.5 * theta * theta;
      log_value = (theta * m * (1.0 - left) + square * (r * r * m * m + s * s)) / left +
                  theta * (m - mean_) - 0.5 * std::log(left);
    } else {
      exponents.resize(piece.value.size());
      double top = -infinity;
      for (std::size_t i = 0; i < exponents.size(); ++i) {
        const double noise = theta * r * piece.value[i];
        exponents[i] = theta * (piece.value[i] - mean_) + 0.5 * noise * noise;
        top = std::max(top, exponents[i]);
      }
      double value = 0.0;
      double unsure = 0.0;
      for (std::size_t i = 0; i < exponents.size(); i += panel_nodes) {
        double panel = 0.0;
        for (std::size_t j = i; j < i + panel_nodes; ++j) {
          panel += piece.node_weight[j] * std::exp(exponents[j] - top);
        }
        value += panel;
        if (std::abs(exponents[i + panel_nodes - 1] - exponents[i]) > widest_span) unsure += panel;
      }
      if (unsure > 1e-3 * value) return infinity;
      log_value = top + std::log(value) + 2e-3;
    }
    logs.push_back(log_value + std::log(piece.weight));
    shift = std::max(shift, logs.back());
  }
  for (const double value : logs) sum += std::exp(value - shift);
  return shift + std::log(sum);
}

}  // namespace cimstat::core
