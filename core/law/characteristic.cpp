#include "core/law/characteristic.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "core/interrupt.h"
#include "core/law/component.h"
#include "core/law/contour.h"
#include "core/law/shape.h"
#include "core/law/wave_sums.h"

namespace cimstat::core {
namespace {

using Complex = std::complex<double>;
constexpr double unit = 0.5 * std::numeric_limits<double>::epsilon();  // of rounding
constexpr double quadrature_error = 1e-18;
/// Radians over the whole of a law that is integrated along the real axis: 16,000 nodes.
constexpr double widest_wave = 4000.0;

/// A sum that loses nothing to cancellation between its terms (Kahan, Babuska, Neumaier).
class Accumulator {
 public:
  void add(double term) {
    const double sum = sum_ + term;
    lost_ += std::abs(sum_) >= std::abs(term) ? (sum_ - sum) + term : (term - sum) + sum_;
    sum_ = sum;
  }
  double sum() const { return sum_ + lost_; }

 private:
  double sum_ = 0.0;
  double lost_ = 0.0;
};

Complex exponential(Complex z) {
  const double modulus = std::exp(z.real());
  return {modulus * std::cos(z.imag()), modulus * std::sin(z.imag())};
}

}  // namespace

namespace {

struct Part {
  Complex value;
  double error = 0.0;
};

/// E exp(w(X - centre)) of a measured law without series resistance: each rectangle of its density
/// is a sine quotient.
Part rectangles(const Component& c, Complex w, double centre) {
  const auto& measured = std::get<Empirical>(c.base);
  Part sum;
  for (std::size_t i = 1; i < measured.value.size(); ++i) {
    const double mass = measured.probability[i] - measured.probability[i - 1];
    const double middle = c.scale * 0.5 * (measured.value[i] + measured.value[i - 1]);
    const Complex half = c.scale * 0.5 * (measured.value[i] - measured.value[i - 1]) * w;
    const Complex quotient =
        std::abs(half) < 1e-4 ? 1.0 + half * half / 6.0 : std::sinh(half) / half;
    const Complex value = mass * quotient * exponential(w * (middle - centre));
    sum.value += value;
    sum.error +=
        unit * (16.0 * mass * std::exp(std::abs(w.real()) * std::abs(middle - centre)) *
                    std::cosh(half.real()) +
                std::abs(value) * 4.0 * std::abs(w) * (std::abs(middle) + std::abs(centre)));
  }
  return sum;
}

}  // namespace

struct Characteristic::Piece {
  Component component;
  Envelope envelope;
  std::optional<Normal> closed;  ///< the normal inside, in units of X
  double relative_noise = 0.0;
  std::vector<Node> line;   ///< nodes off the real axis, right for every frequency
  bool rectangles = false;  ///< a measured law, whose density is flat between its points
  bool nonnegative = false;

  void add_curve(double mean, double step, double tilt, Values& result) const;
};

Characteristic::~Characteristic() = default;
Characteristic::Characteristic(Characteristic&&) noexcept = default;

Characteristic::Characteristic(const Law& law, double bend) : mean_(law.mean()), bend_(bend) {
  for (const Component& c : law.components()) {
    stop_if_requested();
    Piece piece{c, Envelope(c), std::nullopt, 0.0, {}, false};
    piece.nonnegative = c.scale >= 0.0 && c.relative_noise == 0.0 && support(c.base).first >= 0.0;
    const auto* normal = std::get_if<Normal>(&c.base);
    const auto* lognormal = std::get_if<LogNormal>(&c.base);
    if (const auto exact = normal_component(c)) {
      piece.closed = exact;
    } else {
      piece.relative_noise = c.relative_noise;
      if (normal != nullptr && c.compression == 0.0) {
        piece.closed = Normal{c.scale * normal->mean, std::abs(c.scale) * normal->sd};
      }
    }
    if (!piece.closed && (normal != nullptr || lognormal != nullptr)) {
      // The error bound compares the lines 0 and 2 eta, between which no factor may grow: the
      // noise's exp(-(u r g)^2 / 2) allows angles of g up to pi / 4, and pi / 8 with a bend.
      const double angle = std::numbers::pi / (c.relative_noise == 0.0 ? 2.0
                                               : bend == 0.0           ? 4.0
                                                                       : 8.0);
      const double eta =
          lognormal != nullptr ? std::min(0.75, 0.5 * angle / lognormal->sigma) : 0.75;
      const double digits = -std::log(quadrature_error);
      const double step =
          2.0 * std::numbers::pi * eta / (digits + std::log1p(std::exp(2.0 * eta * eta)));
      const auto reach = static_cast<int>(std::ceil(std::sqrt(eta * eta + 2.0 * digits) / step));
      Complex total = 0.0;
      for (int i = -reach; i <= reach; ++i) {
        const Complex z(step * i, eta);
        const Complex b = lognormal != nullptr ? lognormal->median * std::exp(lognormal->sigma * z)
                                               : normal->mean + normal->sd * z;
        Node node;
        node.value = c.scale * b / (1.0 + c.compression * b);
        const Complex exponent = -0.5 * z * z;
        node.weight = exponential(exponent);
        if (c.scale < 0.0) {
          node.value = std::conj(node.value);
          node.weight = std::conj(node.weight);
        }
        node.weight_error = unit * (4.0 + std::abs(exponent));
        total += node.weight;
        piece.line.push_back(node);
      }
      for (Node& node : piece.line) {
        node.weight /= total;
        node.weight_modulus = std::abs(node.weight);
        node.weight_error *= node.weight_modulus;
      }
    }
    if (!piece.closed && piece.line.empty() && c.relative_noise == 0.0 && bend == 0.0) {
      if (std::holds_alternative<Empirical>(c.base)) {
        piece.rectangles = c.compression == 0.0;
      } else if (!std::holds_alternative<QuantileCurve>(c.base)) {
        for (const ContourNode& node : truncated_contour(c, 0.75)) {
          const double modulus = std::abs(node.weight);
          piece.line.push_back({node.value, node.weight, modulus, 64.0 * unit * modulus});
        }
      }
    }
    pieces_.push_back(std::move(piece));
  }
}

/// Nodes that serve every frequency up to `largest`.
std::vector<Characteristic::Node> Characteristic::nodes(const Piece& piece, double largest) {
  if (piece.closed || !piece.line.empty()) return piece.line;
  const Component& c = piece.component;
  std::vector<Node> result;
  double total = 0.0;
  for (const core::Node& node : expectation_nodes(c.base, 4.0 / (largest * std::abs(c.scale)))) {
    result.push_back(
        {c.scale * compressed(c, node.value), node.weight, node.weight, 32.0 * unit * node.weight});
    total += node.weight;
  }
  for (Node& node : result) node.weight /= total;
  return result;
}

/// A curve's waves, octave by octave: the nodes of one serve all of its frequencies.
void Characteristic::Piece::add_curve(double mean, double step, double tilt, Values& result) const {
  const std::size_t count = result.value.size();
  for (std::size_t first = 0; first < count;) {
    const double u = (static_cast<double>(first) + 0.5) * step;
    const double end = std::ldexp(2.0, std::ilogb(u));
    std::size_t next = first + 1;
    while (next < count && (static_cast<double>(next) + 0.5) * step < end) ++next;
    WaveSums sums{{}, mean, tilt, relative_noise};
    double peak = 1.0;  // of the tilt over the nodes
    for (const Node& node : nodes(*this, std::max(end, std::abs(tilt)))) {
      sums.nodes.push_back({node.value.real(), node.weight.real()});
      if (tilt != 0.0) peak = std::max(peak, std::exp(tilt * (node.value.real() - mean)));
    }
    const WaveSums::Values values = sums.at_midpoints(step, first, next - first);
    for (std::size_t k = first; k < next; ++k) {
      result.value[k] += component.weight * values.value[k - first];
      result.error[k] +=
          component.weight * (values.error[k - first] + quadrature_error * 4.0 * peak);
    }
    first = next;
  }
}

Characteristic::Values Characteristic::at_midpoints(double step, std::size_t count,
                                                    double tilt) const {
  Values result{std::vector<Complex>(count), std::vector<double>(count)};
  for (const Piece& piece : pieces_) {
    const double weight = piece.component.weight;
    const double r = piece.relative_noise;
    if (std::holds_alternative<QuantileCurve>(piece.component.base) && bend_ == 0.0) {
      piece.add_curve(mean_, step, tilt, result);
      continue;
    }
    std::vector<Node> cached;
    int octave = std::numeric_limits<int>::min();
    double peak = 1.0;  // of the tilt over the nodes
    for (std::size_t k = 0; k < count; ++k) {
      const double u = (static_cast<double>(k) + 0.5) * step;
      const Complex w(tilt - bend_ * u * u, u);
      const Complex noise = 0.5 * r * r * w * w;
      if (piece.closed) {
        const double m = piece.closed->mean;
        const double s = piece.closed->sd;
        const Complex left = 1.0 - 2.0 * noise * s * s;
        const Complex bent = (w * m * (1.0 - left) + noise * m * m + 0.5 * w * w * s * s) / left;
        const Complex value = exponential(w * (m - mean_) + bent) / std::sqrt(left);
        result.value[k] += weight * value;
        result.error[k] += weight * std::abs(value) * unit *
                           (8.0 + std::abs(w) * (std::abs(m) + std::abs(mean_)) +
                            8.0 * (std::abs(bent) + std::abs(noise * m * m / left)));
        continue;
      }
      if (piece.rectangles) {
        const Part part = rectangles(piece.component, w, mean_);
        result.value[k] += weight * part.value;
        result.error[k] += weight * part.error;
        continue;
      }
      stop_if_requested();
      if (std::ilogb(u) != octave) {
        octave = std::ilogb(u);
        cached = nodes(piece, std::max(std::ldexp(2.0, octave), std::abs(tilt)));
        peak = 1.0;
        for (const Node& node : cached) {
          if (tilt == 0.0) break;
          peak = std::max(peak, std::exp(tilt * (node.value.real() - mean_)));
        }
      }
      const double modulus_of_w = std::abs(w);
      Accumulator real;
      Accumulator imaginary;
      double error = quadrature_error * 4.0 * peak;
      for (const Node& node : cached) {
        const double value_real = node.value.real();
        const double value_imaginary = node.value.imag();
        const double shifted = value_real - mean_;
        double log_modulus = w.real() * shifted - w.imag() * value_imaginary;
        double phase = w.real() * value_imaginary + w.imag() * shifted;
        double size = 6.0 + modulus_of_w * (std::abs(value_real) + std::abs(value_imaginary) +
                                            std::abs(mean_));
        if (r > 0.0) {
          const Complex square = noise * node.value * node.value;
          log_modulus += square.real();
          phase += square.imag();
          size += 4.0 * std::abs(square);
        }
        if (log_modulus < -80.0) {
          error += 1e-34;
          continue;
        }
        const double modulus = std::exp(log_modulus);
        const double wave_real = modulus * std::cos(phase);
        const double wave_imaginary = modulus * std::sin(phase);
        real.add(node.weight.real() * wave_real - node.weight.imag() * wave_imaginary);
        imaginary.add(node.weight.real() * wave_imaginary + node.weight.imag() * wave_real);
        error += modulus * (node.weight_error + unit * node.weight_modulus * size);
      }
      result.value[k] += weight * Complex(real.sum(), imaginary.sum());
      result.error[k] += weight * error;
    }
  }
  return result;
}

bool Characteristic::can_tilt(double tilt) const {
  if (bend_ > 0.0) return false;
  return std::all_of(pieces_.begin(), pieces_.end(), [&](const Piece& piece) {
    const Component& c = piece.component;
    const double along = tilt * c.scale;
    const double r = c.relative_noise;
    if (piece.closed) return std::pow(tilt * piece.relative_noise * piece.closed->sd, 2) < 0.5;
    if (r > 0.1) return false;
    if (std::holds_alternative<LogNormal>(c.base)) {
      // What noise adds to the exponent must stay below what the wave takes from it.
      const double largest = compressed(c, quantile(c.base, Tail::upper, 1e-19));
      return along <= 0.0 && std::abs(along) * r * r * largest < 0.5;
    }
    if (const auto* s = std::get_if<TruncatedNormal>(&c.base)) {
      // The path ends at 9.5 sd of the parent.
      const double end = along > 0.0 ? s->high - s->mean : s->mean - s->low;
      return end < 9.5 * s->sd || std::abs(along) * s->sd < 1.5;
    }
    if (const auto* s = std::get_if<TruncatedLogNormal>(&c.base)) {
      return along <= 0.0 || std::log(s->high / s->median) < 9.5 * s->sigma;
    }
    if (const auto* s = std::get_if<Normal>(&c.base)) return std::abs(along) * s->sd < 1.5;
    if (const auto* s = std::get_if<QuantileCurve>(&c.base)) {
      return std::abs(along) * *std::max_element(s->slope.begin(), s->slope.end()) < 1.5;
    }
    return std::holds_alternative<Empirical>(c.base);
  });
}

double Characteristic::highest() const {
  double highest = std::numeric_limits<double>::infinity();
  for (const Piece& piece : pieces_) {
    if (piece.closed || piece.rectangles || !piece.line.empty()) continue;
    const Component& c = piece.component;
    const double low = compressed(c, quantile(c.base, Tail::lower, 1e-19));
    const double high = compressed(c, quantile(c.base, Tail::upper, 1e-19));
    highest = std::min(highest, widest_wave / (std::abs(c.scale) * (high - low)));
  }
  return highest;
}

bool Characteristic::nonnegative() const {
  return std::all_of(pieces_.begin(), pieces_.end(),
                     [](const Piece& piece) { return piece.nonnegative; });
}

Envelope::Bound Characteristic::envelope(double u) const {
  stop_if_requested();
  double sum = 0.0;
  Envelope::Bound bound{0.0, std::numeric_limits<double>::infinity(), 0.0};
  for (const Piece& piece : pieces_) {
    if (bend_ > 0.0 && !piece.nonnegative) return {};
    const Envelope::Bound part = piece.envelope(u);
    sum += piece.component.weight * std::exp(part.log_value);
    bound.slope = std::min(bound.slope, part.slope);
    // A falling power (u / v)^a integrates to 1 / a.
    bound.tail_integral =
        std::max(bound.tail_integral, std::min(1.0 / part.slope, part.tail_integral));
  }
  bound.log_value = std::log(std::max(sum, 1e-300));
  return bound;
}

}  // namespace cimstat::core
