#pragma once

#include <vector>

#include "core/config/section_reader.h"
#include "core/law/law.h"

#include "devices/any_cell.h"

/// The laws of a cell's levels, with errors that name what in the file makes them impossible.
namespace cimstat::experiments {

/// As read at these conditions, from the least level to the highest [S] (capacitors: [F]). `root`
/// is the whole file, of which `cell` was read. Throws UsageError where a level has no law, or the
/// highest one does not conduct more than the lowest: at the condition whose nominal value would
/// mend it, else at the key of [cell] that is not at its default where there is one such key.
std::vector<core::Law> level_laws(const core::SectionReader& root, const devices::AnyCell& cell,
                                  const devices::Conditions& conditions);

/// What a dummy column is made of, with the same errors.
core::Law middle_law(const core::SectionReader& root, const devices::AnyCell& cell,
                     const devices::Conditions& conditions);

}  // namespace cimstat::experiments
