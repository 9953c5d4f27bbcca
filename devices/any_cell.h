#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/config/parameter.h"
#include "core/config/section_reader.h"
#include "core/law/law.h"

#include "devices/cell.h"
#include "devices/conditions.h"
#include "devices/fefet/fefet.h"
#include "devices/mram/mram.h"
#include "devices/pcm/pcm.h"
#include "devices/rram.h"
#include "devices/rram/analog_rram.h"
#include "devices/sonos/sonos.h"
#include "devices/sram/current_cell.h"
#include "devices/sram/unit_capacitor.h"

/// Every cell model, as the section [cell] picks it.
namespace cimstat::devices {

/// One line here for each model, and one in cell_section and read_cell.
using AnyCell = std::variant<RramCell, AnalogRram, PcmCell, SramCell, SonosCell, FefetCell,
                             MramCell, UnitCapacitor>;

/// The section [cell].
core::Section cell_section();

/// The model that `selector` says, at these conditions. Throws UsageError.
AnyCell read_cell(const core::SectionReader& cell, const Conditions& conditions);

std::uint32_t levels(const AnyCell& cell);
double target(const AnyCell& cell, std::uint32_t level);  ///< [S]
core::Law programmed(const AnyCell& cell, std::uint32_t level);
core::Law read(const AnyCell& cell, std::uint32_t level);

/// What the model itself knows of the conditions. That `supply` scales the read voltage of a column
/// is among it; the current of models without `corner` has the common factor of their column for
/// it.
std::vector<ConditionUse> condition_uses(const AnyCell& cell);
/// How it knows one of them, or nothing.
std::optional<ConditionUse> use_of(const AnyCell& cell, Condition condition);

/// What a dummy column is made of [S], none stuck. Models with statistics for every target: a cell
/// programmed half way between the targets of the lowest and the highest level. Others (SRAM,
/// FeFET, MRAM, binary RRAM): half way between their mean conductances, with the relative spread
/// and noise of the highest.
core::Law middle(const AnyCell& cell);

/// A property of a cell in the words of the field, such as {"LRS", "lognormal: median 40 uS, ..."}.
struct CellLine {
  std::string part;
  std::string text;
};

/// What the cell is; ASCII, with units.
std::vector<CellLine> describe(const AnyCell& cell);

}  // namespace cimstat::devices
