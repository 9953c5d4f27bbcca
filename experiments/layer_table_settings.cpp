#include "experiments/layer_table_settings.h"

#include <map>

#include <fmt/format.h>

#include "core/utf8.h"

namespace cimstat::experiments {

namespace {

constexpr std::size_t longest_file = 4096;
constexpr std::size_t longest_layer = 100;  // as a network's own
constexpr std::string_view tables_key = "layer_tables";

}  // namespace

core::Section layer_tables_section() {
  return {.key = tables_key,
          .need = core::Need::optional,
          .meaning =
              "layers with error tables of their own, each in a section "
              "[accuracy.layer_tables.NAME]",
          .members = {{.key = "NAME",
                       .need = core::Need::optional,
                       .meaning = "layers whose codes are drawn from another table, made by "
                                  "`cimstat table` of another macro: other rows, converters, cells",
                       .parameters = {{.key = "layers",
                                       .rule = core::TextsRule{longest_layer},
                                       .meaning = "their names in the network; `cimstat show` of "
                                                  "its file lists them",
                                       .example = "[\"conv1\"]"},
                                      {.key = "table",
                                       .rule = core::TextRule{longest_file},
                                       .meaning = "file of their table, which must be named, with "
                                                  "every class that they meet; their columns have "
                                                  "its rows",
                                       .example = "\"fine.table.h5\""}}}}};
}

std::vector<LayerTableSettings> read_layer_table_settings(const core::SectionReader& accuracy) {
  std::vector<LayerTableSettings> result;
  if (!accuracy.has(tables_key)) return result;
  const core::SectionReader section = accuracy.section(tables_key);
  std::map<std::string, std::string> section_of;
  for (const std::string& name : section.members()) {
    const core::SectionReader one = section.member(name);
    LayerTableSettings settings{name, one.texts("layers"), one.text("table")};
    if (settings.layers.empty()) {
      one.fail("layers", "is empty", "at least one is needed",
               "name some, or leave the section out");
    }
    if (settings.table.empty()) {
      one.fail("table", "is empty", "codes are drawn from it",
               "name a file that cimstat table wrote");
    }
    for (const std::string& layer : settings.layers) {
      const auto [found, is_new] = section_of.emplace(layer, name);
      if (is_new) continue;
      one.fail("layers", fmt::format("names '{}'", core::excerpt(layer)),
               fmt::format("{} does, too", section.path_of(found->second)), "keep one of the two");
    }
    result.push_back(std::move(settings));
  }
  return result;
}

}  // namespace cimstat::experiments
