#pragma once

#include <string>
#include <vector>

#include "core/config/parameter.h"
#include "core/config/section_reader.h"

/// The sections [accuracy.layer_tables.NAME]: layers whose codes are drawn from error tables of
/// their own.
namespace cimstat::experiments {

struct LayerTableSettings {
  std::string name;
  std::vector<std::string> layers;  ///< of the network
  std::string table;                ///< its file
};

core::Section layer_tables_section();

/// Of [accuracy], sorted by name. Throws UsageError for a section without layers or a table, and
/// for a layer that two name.
std::vector<LayerTableSettings> read_layer_table_settings(const core::SectionReader& accuracy);

}  // namespace cimstat::experiments
