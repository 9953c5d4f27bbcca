#pragma once

#include "core/parallel.h"

#include "circuits/arrays/array_plane.h"
#include "circuits/arrays/level_kernel.h"
#include "circuits/arrays/level_tables.h"

/// Frozen arrays: each cell takes one draw from the law of its level.
namespace cimstat::circuits {

/// Draws the conductance of each cell, in the unit of the tables' laws, from word `row` of
/// (place, domain). `values` takes the shape of `levels`; a plane that has it already is used
/// again. Throws UsageError for a level without a table and as check() does.
void program(const LevelTables& tables, const LevelPlane& levels, const ArrayPlace& place,
             core::Threads threads, ArrayPlane& values,
             core::Domain domain = core::Domain::programming,
             Negatives negatives = Negatives::kept);

}  // namespace cimstat::circuits
