#include "circuits/wires/crossbar_kernel.h"

#include <algorithm>
#include <cassert>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "circuits/wires/crossbar_kernel.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace cimstat::circuits::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using Tag = hn::CappedTag<double, 8>;
using Numbers = hn::Vec<Tag>;

constexpr std::size_t lanes = hn::MaxLanes(Tag());
/// Wires that are walked along together: one register of them would wait for its own additions.
constexpr std::size_t column_registers = 4;
constexpr std::size_t column_block = column_registers * lanes;
constexpr std::size_t row_registers = strip_rows / lanes < 4 ? strip_rows / lanes : 4;
constexpr std::size_t row_block = row_registers * lanes;
static_assert(panel_columns % column_block == 0 && strip_rows % row_block == 0);

/// A column of a panel's block: what a kernel adds to a pointer to reach the node of a row.
HWY_INLINE std::size_t row_of(const Wire& wire, std::size_t node) {
  return static_cast<std::size_t>(static_cast<std::ptrdiff_t>(wire.first) +
                                  static_cast<std::ptrdiff_t>(node) * wire.step);
}

/// f = 1 / (1 + R Y) for the Y that has come this far, Y = f Y behind it.
template <std::size_t Registers>
struct Elimination {
  // Written out, since an implied one is compiled without the target's instructions.
  HWY_INLINE Elimination() {}

  Numbers conductance[Registers];
  Numbers through[Registers];

  HWY_INLINE void begin() {
    const Tag d;
    for (std::size_t k = 0; k < Registers; ++k) {
      conductance[k] = hn::Zero(d);
      through[k] = hn::Set(d, 1.0);
    }
  }
  HWY_INLINE void take(const double* HWY_RESTRICT own, double gate, double resistance,
                       double* HWY_RESTRICT factor) {
    const Tag d;
    const auto one = hn::Set(d, 1.0);
    for (std::size_t k = 0; k < Registers; ++k) {
      const auto cells = hn::Mul(hn::Set(d, gate), hn::Load(d, own + k * lanes));
      const auto all = hn::Add(conductance[k], cells);
      const auto f = hn::Div(one, hn::Add(one, hn::Mul(hn::Set(d, resistance), all)));
      hn::Store(f, d, factor + k * lanes);
      conductance[k] = hn::Mul(f, all);
      through[k] = hn::Mul(through[k], f);
    }
  }
  HWY_INLINE void end(double* HWY_RESTRICT to_conductance, double* HWY_RESTRICT to_through) const {
    const Tag d;
    for (std::size_t k = 0; k < Registers; ++k) {
      hn::Store(conductance[k], d, to_conductance + k * lanes);
      hn::Store(through[k], d, to_through + k * lanes);
    }
  }
};

void factor_columns_here(const ColumnWires& columns, const double* conductances, double* factors,
                         WireEnds& ends) {
  const CrossbarShape& shape = columns.shape;
  const std::size_t all_columns = shape.panels() * panel_columns;
  for (std::size_t w = 0; w < columns.wires.size(); ++w) {
    const Wire& wire = columns.wires[w];
    for (std::size_t c = 0; c < all_columns; c += column_block) {
      const std::size_t base = shape.panel_index(0, c);
      Elimination<column_registers> elimination;
      elimination.begin();
      for (std::size_t k = 0; k < wire.resistance.size(); ++k) {
        const std::size_t row = row_of(wire, k);
        const std::size_t at = base + row * panel_columns;
        elimination.take(conductances + at, columns.gate[row], wire.resistance[k], factors + at);
      }
      elimination.end(ends.conductance.data() + w * all_columns + c,
                      ends.through.data() + w * all_columns + c);
    }
  }
}

void factor_rows_here(const RowWires& rows, const double* conductances, double* factors,
                      WireEnds& ends) {
  const CrossbarShape& shape = rows.shape;
  for (std::size_t r = 0; r < shape.strips() * strip_rows; r += row_block) {
    const std::size_t base = shape.strip_index(r, 0);
    Elimination<row_registers> elimination;
    elimination.begin();
    for (std::size_t c = shape.columns; c-- > 0;) {
      const std::size_t at = base + c * strip_rows;
      elimination.take(conductances + at, 1.0, rows.resistance[c], factors + at);
    }
    elimination.end(ends.conductance.data() + r, ends.through.data() + r);
  }
}

/// direction := residual + beta direction for one row of a panel.
HWY_INLINE void turn(double beta, const double* HWY_RESTRICT residual,
                     double* HWY_RESTRICT direction) {
  const Tag d;
  const auto factor = hn::Set(d, beta);
  for (std::size_t c = 0; c < panel_columns; c += lanes) {
    const auto old = hn::Mul(factor, hn::Load(d, direction + c));
    hn::Store(hn::Add(hn::Load(d, residual + c), old), d, direction + c);
  }
}

/// One strip's numbers, [column][row of the strip].
struct Strip {
  double* HWY_RESTRICT direction;  ///< then the current
  double* HWY_RESTRICT carried;    ///< J of the elimination; holds what is injected before
};

/// Rows of a strip into columns of lanes, from panels; rows that are not there are zeros.
HWY_INLINE void take_strip(const CrossbarShape& shape, std::size_t first, const double* from,
                           double* HWY_RESTRICT to) {
  const std::size_t rows = std::min(strip_rows, shape.rows - first);
  if (rows < strip_rows) std::fill_n(to, shape.strip_size(), 0.0);
  for (std::size_t c = 0; c < shape.columns; ++c) {
    const double* HWY_RESTRICT column = from + shape.panel_index(first, c);
    double* HWY_RESTRICT lane = to + c * strip_rows;
    for (std::size_t r = 0; r < rows; ++r) lane[r] = column[r * panel_columns];
  }
}

HWY_INLINE void give_strip(const CrossbarShape& shape, std::size_t first,
                           const double* HWY_RESTRICT from, double* to) {
  const std::size_t rows = std::min(strip_rows, shape.rows - first);
  for (std::size_t c = 0; c < shape.columns; ++c) {
    double* HWY_RESTRICT column = to + shape.panel_index(first, c);
    const double* HWY_RESTRICT lane = from + c * strip_rows;
    for (std::size_t r = 0; r < rows; ++r) column[r * panel_columns] = lane[r];
  }
}

/// What runs from the terminal to the open end, for one node: potential u = f (R J + u), and the
/// current that its cells bring.
template <SupplyPass Pass>
HWY_INLINE Numbers give(Numbers own, Numbers gate, Numbers injected, Numbers potential) {
  if constexpr (Pass == SupplyPass::voltages) return potential;
  const auto current = hn::Mul(own, potential);
  if constexpr (Pass == SupplyPass::start) return hn::Mul(gate, hn::Add(current, injected));
  return hn::Mul(gate, current);
}

/// The current that a node's cells bring onto the supply line.
template <SupplyPass Pass>
HWY_INLINE Numbers load(Numbers own, Numbers direction, Numbers injected) {
  if constexpr (Pass == SupplyPass::iterate) return hn::Mul(own, direction);
  if constexpr (Pass == SupplyPass::start) return hn::Neg(injected);
  return hn::Sub(hn::Mul(own, direction), injected);
}

template <SupplyPass Pass>
void pass_strip(const RowWires& rows, std::size_t first, const double* conductances,
                const double* factors, const SupplyVectors& vectors, Strip strip,
                double* products) {
  const Tag d;
  const std::size_t columns = rows.shape.columns;
  const std::size_t base = rows.shape.strip_index(first, 0);
  const double* HWY_RESTRICT own = conductances + base;
  const double* HWY_RESTRICT factor = factors + base;
  for (std::size_t r = 0; r < strip_rows; r += row_block) {
    Numbers current[row_registers];
    for (std::size_t k = 0; k < row_registers; ++k) current[k] = hn::Zero(d);
    for (std::size_t c = columns; c-- > 0;) {
      const std::size_t at = c * strip_rows + r;
      for (std::size_t k = 0; k < row_registers; ++k) {
        const std::size_t lane = at + k * lanes;
        const auto add = load<Pass>(
            hn::Load(d, own + lane), hn::Load(d, strip.direction + lane),
            Pass == SupplyPass::iterate ? hn::Zero(d) : hn::Load(d, strip.carried + lane));
        if (c + 1 < columns) {
          current[k] = hn::Mul(hn::Load(d, factor + lane + strip_rows), current[k]);
        }
        current[k] = hn::Add(add, current[k]);
        // What is injected is needed again on the way back.
        hn::Store(
            current[k], d,
            strip.carried + lane + (Pass == SupplyPass::iterate ? 0 : rows.shape.strip_size()));
      }
    }
    Numbers potential[row_registers];
    Numbers product[row_registers];
    Numbers gate[row_registers];
    for (std::size_t k = 0; k < row_registers; ++k) {
      const std::size_t row = first + r + k * lanes;
      potential[k] =
          Pass == SupplyPass::iterate ? hn::Zero(d) : hn::Load(d, vectors.source.data() + row);
      gate[k] = hn::Load(d, vectors.gate.data() + row);
      product[k] = hn::Zero(d);
    }
    for (std::size_t c = 0; c < columns; ++c) {
      const auto resistance = hn::Set(d, rows.resistance[c]);
      for (std::size_t k = 0; k < row_registers; ++k) {
        const std::size_t lane = c * strip_rows + r + k * lanes;
        const auto carried = hn::Load(
            d, strip.carried + lane + (Pass == SupplyPass::iterate ? 0 : rows.shape.strip_size()));
        potential[k] = hn::Mul(hn::Load(d, factor + lane),
                               hn::Add(hn::Mul(resistance, carried), potential[k]));
        const auto brought =
            give<Pass>(hn::Load(d, own + lane), gate[k],
                       Pass == SupplyPass::start ? hn::Load(d, strip.carried + lane) : hn::Zero(d),
                       potential[k]);
        if constexpr (Pass == SupplyPass::iterate) {
          product[k] = hn::Add(product[k], hn::Mul(hn::Load(d, strip.direction + lane), brought));
        }
        hn::Store(brought, d, strip.direction + lane);
      }
    }
    for (std::size_t k = 0; k < row_registers; ++k) {
      hn::Store(product[k], d, products + r + k * lanes);
    }
  }
}

template <SupplyPass Pass>
double pass_rows_as(const RowWires& rows, const double* conductances, const double* factors,
                    const SupplyVectors& vectors, double* scratch) {
  const CrossbarShape& shape = rows.shape;
  const Strip strip{scratch, scratch + shape.strip_size()};
  alignas(64) double products[strip_rows];
  double sum = 0.0;
  for (std::size_t first = 0; first < shape.rows; first += strip_rows) {
    if constexpr (Pass == SupplyPass::iterate) {
      const std::size_t end = std::min(shape.rows, first + strip_rows);
      for (std::size_t panel = 0; panel < shape.panels(); ++panel) {
        for (std::size_t row = first; row < end; ++row) {
          const std::size_t at = shape.panel_index(row, panel * panel_columns);
          turn(vectors.beta, vectors.residual.data() + at, vectors.direction.data() + at);
        }
      }
    }
    if constexpr (Pass != SupplyPass::start) {
      take_strip(shape, first, vectors.direction.data(), strip.direction);
    }
    if constexpr (Pass != SupplyPass::iterate) {
      if (vectors.injected.empty()) {
        std::fill_n(strip.carried, shape.strip_size(), 0.0);
      } else {
        take_strip(shape, first, vectors.injected.data(), strip.carried);
      }
    }
    pass_strip<Pass>(rows, first, conductances, factors, vectors, strip, products);
    give_strip(shape, first, strip.direction, vectors.currents.data());
    if constexpr (Pass == SupplyPass::iterate) {
      for (const double product : products) sum += product;
    }
  }
  return sum;
}

double pass_rows_here(SupplyPass pass, const RowWires& rows, const double* conductances,
                      const double* factors, const SupplyVectors& vectors, double* scratch) {
  switch (pass) {
    case SupplyPass::iterate:
      return pass_rows_as<SupplyPass::iterate>(rows, conductances, factors, vectors, scratch);
    case SupplyPass::start:
      return pass_rows_as<SupplyPass::start>(rows, conductances, factors, vectors, scratch);
    case SupplyPass::voltages:
      break;
  }
  return pass_rows_as<SupplyPass::voltages>(rows, conductances, factors, vectors, scratch);
}

/// The supply lines of one block of columns; `carried` is [row][column of the block].
template <SupplyPass Pass>
void pass_block(const ColumnWires& columns, std::size_t base, const double* conductances,
                const double* factors, const SupplyVectors& vectors, double* HWY_RESTRICT carried,
                Numbers (&product)[column_registers]) {
  const Tag d;
  const double* injected = vectors.injected.empty() ? nullptr : vectors.injected.data();
  for (std::size_t w = 0; w < columns.wires.size(); ++w) {
    const Wire& wire = columns.wires[w];
    const std::size_t nodes = wire.resistance.size();
    Numbers current[column_registers];
    for (auto& lane : current) lane = hn::Zero(d);
    for (std::size_t n = 0; n < nodes; ++n) {
      const std::size_t row = row_of(wire, n);
      const auto gate = hn::Set(d, vectors.gate[row]);
      for (std::size_t k = 0; k < column_registers; ++k) {
        const std::size_t at = base + row * panel_columns + k * lanes;
        const auto own = hn::Load(d, conductances + at);
        const auto source = Pass == SupplyPass::iterate || injected == nullptr
                                ? hn::Zero(d)
                                : hn::Load(d, injected + at);
        const auto direction =
            Pass == SupplyPass::start ? hn::Zero(d) : hn::Load(d, vectors.direction.data() + at);
        const auto add = hn::Mul(gate, load<Pass>(own, direction, source));
        if (n > 0) {
          const std::size_t behind = base + row_of(wire, n - 1) * panel_columns + k * lanes;
          current[k] = hn::Mul(hn::Load(d, factors + behind), current[k]);
        }
        current[k] = hn::Add(add, current[k]);
        hn::Store(current[k], d, carried + row * column_block + k * lanes);
      }
    }
    Numbers potential[column_registers];
    for (auto& lane : potential) {
      lane = Pass == SupplyPass::iterate ? hn::Zero(d) : hn::Set(d, vectors.source[w]);
    }
    for (std::size_t n = nodes; n-- > 0;) {
      const std::size_t row = row_of(wire, n);
      const auto gate = hn::Set(d, vectors.gate[row]);
      const auto resistance = hn::Set(d, wire.resistance[n]);
      for (std::size_t k = 0; k < column_registers; ++k) {
        const std::size_t at = base + row * panel_columns + k * lanes;
        const auto behind = hn::Load(d, carried + row * column_block + k * lanes);
        potential[k] =
            hn::Mul(hn::Load(d, factors + at), hn::Add(hn::Mul(resistance, behind), potential[k]));
        const auto source = Pass != SupplyPass::start || injected == nullptr
                                ? hn::Zero(d)
                                : hn::Load(d, injected + at);
        const auto brought = give<Pass>(hn::Load(d, conductances + at), gate, source, potential[k]);
        if constexpr (Pass == SupplyPass::iterate) {
          product[k] =
              hn::Add(product[k], hn::Mul(hn::Load(d, vectors.direction.data() + at), brought));
        }
        hn::Store(brought, d, vectors.currents.data() + at);
      }
    }
  }
}

template <SupplyPass Pass>
double pass_columns_as(const ColumnWires& columns, const double* conductances,
                       const double* factors, const SupplyVectors& vectors, double* scratch) {
  const Tag d;
  const CrossbarShape& shape = columns.shape;
  double sum = 0.0;
  for (std::size_t panel = 0; panel < shape.panels(); ++panel) {
    alignas(64) double products[panel_columns];
    if constexpr (Pass == SupplyPass::iterate) {
      for (std::size_t row = 0; row < shape.rows; ++row) {
        const std::size_t at = shape.panel_index(row, panel * panel_columns);
        turn(vectors.beta, vectors.residual.data() + at, vectors.direction.data() + at);
      }
    }
    for (std::size_t c = 0; c < panel_columns; c += column_block) {
      Numbers product[column_registers];
      for (auto& lane : product) lane = hn::Zero(d);
      pass_block<Pass>(columns, shape.panel_index(0, panel * panel_columns + c), conductances,
                       factors, vectors, scratch, product);
      for (std::size_t k = 0; k < column_registers; ++k) {
        hn::Store(product[k], d, products + c + k * lanes);
      }
    }
    if constexpr (Pass == SupplyPass::iterate) {
      for (const double product : products) sum += product;
    }
  }
  return sum;
}

double pass_columns_here(SupplyPass pass, const ColumnWires& columns, const double* conductances,
                         const double* factors, const SupplyVectors& vectors, double* scratch) {
  switch (pass) {
    case SupplyPass::iterate:
      return pass_columns_as<SupplyPass::iterate>(columns, conductances, factors, vectors, scratch);
    case SupplyPass::start:
      return pass_columns_as<SupplyPass::start>(columns, conductances, factors, vectors, scratch);
    case SupplyPass::voltages:
      break;
  }
  return pass_columns_as<SupplyPass::voltages>(columns, conductances, factors, vectors, scratch);
}

struct Outcome {
  HWY_INLINE Outcome() {}  // as above

  Numbers product[column_registers];
  Numbers greatest[column_registers];
};

template <ColumnStep Step>
HWY_INLINE void step_block(const Wire& wire, std::size_t base, const double* HWY_RESTRICT factors,
                           const ColumnVectors& vectors, double* HWY_RESTRICT terminal,
                           double* HWY_RESTRICT carried, Outcome& outcome) {
  const Tag d;
  const std::size_t nodes = wire.resistance.size();
  const double* HWY_RESTRICT currents = vectors.currents.data() + base;
  const double* HWY_RESTRICT direction = vectors.direction.data() + base;
  double* HWY_RESTRICT residual = vectors.residual.data() + base;
  double* HWY_RESTRICT to_potential =
      vectors.potential.empty() ? nullptr : vectors.potential.data() + base;
  const double* HWY_RESTRICT factor = factors + base;
  const auto alpha = hn::Set(d, vectors.alpha);
  Numbers current[column_registers];
  for (auto& lane : current) lane = hn::Zero(d);
  for (std::size_t n = 0; n < nodes; ++n) {
    for (std::size_t k = 0; k < column_registers; ++k) {
      const std::size_t at = n * panel_columns + k * lanes;
      current[k] = hn::Add(hn::Load(d, currents + at), current[k]);
      hn::Store(current[k], d, carried + n * column_block + k * lanes);
      current[k] = hn::Mul(hn::Load(d, factor + at), current[k]);
    }
  }
  for (std::size_t k = 0; k < column_registers; ++k) {
    const auto old = Step == ColumnStep::first ? hn::Zero(d) : hn::Load(d, terminal + k * lanes);
    hn::Store(hn::Add(old, hn::Mul(alpha, current[k])), d, terminal + k * lanes);
  }
  Numbers potential[column_registers];
  for (auto& lane : potential) lane = hn::Zero(d);
  for (std::size_t n = nodes; n-- > 0;) {
    const auto resistance = hn::Set(d, wire.resistance[n]);
    for (std::size_t k = 0; k < column_registers; ++k) {
      const std::size_t at = n * panel_columns + k * lanes;
      const auto behind = hn::Load(d, carried + n * column_block + k * lanes);
      potential[k] =
          hn::Mul(hn::Load(d, factor + at), hn::Add(hn::Mul(resistance, behind), potential[k]));
      auto changed = potential[k];
      if constexpr (Step == ColumnStep::next) {
        const auto along = hn::Load(d, direction + at);
        changed = hn::Sub(hn::Load(d, residual + at), hn::Mul(alpha, hn::Sub(along, potential[k])));
        if (to_potential != nullptr) {
          hn::Store(hn::Add(hn::Load(d, to_potential + at), hn::Mul(alpha, along)), d,
                    to_potential + at);
        }
      }
      hn::Store(changed, d, residual + at);
      outcome.product[k] =
          hn::Add(outcome.product[k], hn::Mul(hn::Load(d, currents + at), changed));
      outcome.greatest[k] = hn::Max(outcome.greatest[k], hn::Abs(changed));
    }
  }
}

ColumnOutcome step_columns_here(ColumnStep step, const ColumnWires& columns, const double* factors,
                                const ColumnVectors& vectors, double* scratch) {
  const Tag d;
  const CrossbarShape& shape = columns.shape;
  ColumnOutcome all;
  for (std::size_t c = 0; c < shape.panels() * panel_columns; c += column_block) {
    Outcome outcome;
    for (std::size_t k = 0; k < column_registers; ++k) {
      outcome.product[k] = hn::Zero(d);
      outcome.greatest[k] = hn::Zero(d);
    }
    const std::size_t base = shape.panel_index(0, c);
    double* terminal = vectors.terminal.data() + c;
    if (step == ColumnStep::first) {
      step_block<ColumnStep::first>(columns.wires.front(), base, factors, vectors, terminal,
                                    scratch, outcome);
    } else {
      step_block<ColumnStep::next>(columns.wires.front(), base, factors, vectors, terminal, scratch,
                                   outcome);
    }
    alignas(64) double products[column_block];
    alignas(64) double greatest[column_block];
    for (std::size_t k = 0; k < column_registers; ++k) {
      hn::Store(outcome.product[k], d, products + k * lanes);
      hn::Store(outcome.greatest[k], d, greatest + k * lanes);
    }
    for (const double product : products) all.product += product;
    for (const double value : greatest) all.greatest = std::max(all.greatest, value);
  }
  return all;
}

}  // namespace cimstat::circuits::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cimstat::circuits {

HWY_EXPORT(factor_columns_here);
HWY_EXPORT(factor_rows_here);
HWY_EXPORT(pass_rows_here);
HWY_EXPORT(pass_columns_here);
HWY_EXPORT(step_columns_here);

void factor_columns(const ColumnWires& columns, std::span<const double> conductances,
                    std::span<double> factors, WireEnds& ends) {
  const std::size_t ends_size = columns.wires.size() * columns.shape.panels() * panel_columns;
  ends.conductance.resize(ends_size);
  ends.through.resize(ends_size);
  HWY_DYNAMIC_DISPATCH(factor_columns_here)(columns, conductances.data(), factors.data(), ends);
}

void factor_rows(const RowWires& rows, std::span<const double> conductances,
                 std::span<double> factors, WireEnds& ends) {
  ends.conductance.resize(rows.shape.strips() * strip_rows);
  ends.through.resize(rows.shape.strips() * strip_rows);
  HWY_DYNAMIC_DISPATCH(factor_rows_here)(rows, conductances.data(), factors.data(), ends);
}

std::size_t supply_scratch(const CrossbarShape& shape) {
  return std::max(3 * shape.strip_size(), shape.panel_size());
}

double pass_rows(SupplyPass pass, const RowWires& rows, std::span<const double> conductances,
                 std::span<const double> factors, const SupplyVectors& vectors,
                 std::span<double> scratch) {
  assert(scratch.size() >= supply_scratch(rows.shape));
  return HWY_DYNAMIC_DISPATCH(pass_rows_here)(pass, rows, conductances.data(), factors.data(),
                                              vectors, scratch.data());
}

double pass_columns(SupplyPass pass, const ColumnWires& columns,
                    std::span<const double> conductances, std::span<const double> factors,
                    const SupplyVectors& vectors, std::span<double> scratch) {
  assert(scratch.size() >= supply_scratch(columns.shape));
  return HWY_DYNAMIC_DISPATCH(pass_columns_here)(pass, columns, conductances.data(), factors.data(),
                                                 vectors, scratch.data());
}

ColumnOutcome step_columns(ColumnStep step, const ColumnWires& columns,
                           std::span<const double> factors, const ColumnVectors& vectors,
                           std::span<double> scratch) {
  assert(scratch.size() >= supply_scratch(columns.shape));
  return HWY_DYNAMIC_DISPATCH(step_columns_here)(step, columns, factors.data(), vectors,
                                                 scratch.data());
}

}  // namespace cimstat::circuits
#endif
