#pragma once

#include "core/law/law.h"

namespace cimstat::devices {

/// Programming until a noisy read lies within a window. In the generative order that leaves tails
/// (read fluctuations while verifying, rather than relaxation, make that of the HRS: Nminibapiel et
/// al., IEEE EDL 38 (2017), abstract): G = target + pulse_sd z, again until |G + n1 - target| <
/// window, n1 ~ N(0, verify_noise^2). Delivered is G, which then relaxes; a read sees a noise of
/// its own.
struct WriteVerify {
  double pulse_sd = 0.0;      ///< of the conductance about its target before any verifying [S]
  double verify_noise = 0.0;  ///< sd of the read that decides [S]
  double window = 0.0;        ///< [S]
};

/// Share of attempts that are accepted: 2 Phi(window / sqrt(pulse_sd^2 + verify_noise^2)) - 1.
double acceptance(const WriteVerify& write);

/// Sd of what is delivered, with an independent normal change of `relaxation_sd` added [S]:
/// c^2 v + pulse_sd^2 + relaxation_sd^2 - c pulse_sd^2, with c = pulse_sd^2 / (pulse_sd^2 +
/// verify_noise^2) and v the variance of the truncated normal that the accepted readings follow.
double delivered_sd(const WriteVerify& write, double relaxation_sd = 0.0);

/// The law of what is delivered, with such a change; its mean is `target` [S], and nothing keeps it
/// above 0. A noise and change below 1e-6 of window and pulse_sd are left out. Throws
/// core::LawError where nothing spreads.
core::Shape delivered_law(const WriteVerify& write, double target, double relaxation_sd = 0.0);

}  // namespace cimstat::devices
