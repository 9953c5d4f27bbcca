#include "circuits/bit_line/line_curve.h"

#include <algorithm>
#include <cmath>

namespace cimstat::circuits {

double LineCurve::operator()(double sum) const {
  switch (shape) {
    case CurveShape::linear:
      return std::min(gain * sum, most);
    case CurveShape::exponential:
      return std::min(-gain * knee * std::expm1(-sum / knee), most);
    case CurveShape::rational:
      break;
  }
  return std::min(gain * sum / (1.0 + std::max(sum, 0.0) / knee), most);
}

double LineCurve::inverse(double delivered) const {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (delivered > most) return infinity;
  const double linear = delivered / gain;
  switch (shape) {
    case CurveShape::linear:
      return linear;
    case CurveShape::exponential:
      return linear < knee ? -knee * std::log1p(-linear / knee) : infinity;
    case CurveShape::rational:
      break;
  }
  if (linear <= 0.0) return linear;
  return linear < knee ? linear / (1.0 - linear / knee) : infinity;
}

double LineCurve::slope(double sum) const {
  if ((*this)(sum) >= most) return 0.0;
  switch (shape) {
    case CurveShape::linear:
      return gain;
    case CurveShape::exponential:
      return gain * std::exp(-sum / knee);
    case CurveShape::rational:
      break;
  }
  const double bend = 1.0 + std::max(sum, 0.0) / knee;
  return gain / (bend * bend);
}

std::optional<LineCurve> curve_of(const BitLine& line) {
  if (const auto* compression = std::get_if<Compression>(&line)) {
    return LineCurve{.shape = CurveShape::rational, .knee = compression->knee};
  }
  const auto* discharge = std::get_if<Discharge>(&line);
  if (discharge == nullptr) return std::nullopt;
  LineCurve curve{.gain = discharge->time / discharge->capacitance, .most = discharge->precharge};
  if (discharge->path == DischargePath::resistive) {
    curve.shape = CurveShape::exponential;
    curve.knee = discharge->read_voltage / curve.gain;
    curve.gain *= discharge->precharge / discharge->read_voltage;
  } else if (discharge->modulation > 0.0) {
    curve.shape = CurveShape::exponential;
    curve.knee = 1.0 / (discharge->modulation * curve.gain);
    curve.gain *= 1.0 + discharge->modulation * discharge->precharge;
  }
  return curve;
}

}  // namespace cimstat::circuits
