#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/config/parameter.h"

/// What an experiment file may hold, for people, editors and programs: all written from the one
/// list that the parser reads through.
namespace cimstat::experiments {

/// A section with its whole path; those of a variant are there where its condition holds.
struct PlacedSection {
  std::string path;  ///< "cell.lrs"; "" for the top of the file; NAME in it stands for any name
  std::string condition;  ///< `cell.model = "rram"`, or empty
  const core::Section* section = nullptr;
};

/// `root` and all sections in it, outer ones first, in the order of the list.
std::vector<PlacedSection> placed_sections(const core::Section& root);

/// The sections with their meanings and keys, in a few lines each.
std::string sections_as_text(const core::Section& root);
/// A section ("cell.lrs") with all its keys, or one key ("cell.lrs.sigma"). Throws UsageError with
/// the nearest name where there is none.
std::string described(const core::Section& root, std::string_view path);
/// The whole list as JSON: sections with their variants and parameters.
std::string list_as_json(const core::Section& root);
/// A JSON Schema (draft-07) of the file. Numbers may be numbers or texts with the units that the
/// parser takes.
std::string json_schema(const core::Section& root);

/// "conductance, 1 aS to 1 kS": what a value may be.
std::string allowed_words(const core::Rule& rule);
/// The default as TOML writes it, the key that it follows, or what its absence means; "" for a
/// required one.
std::string default_words(const core::Parameter& parameter);
/// "number", "numbers", "whole number", "whole numbers", "choice", "text", "flag", "choices",
/// "texts", "value" or "values".
std::string_view kind_of(const core::Rule& rule);

}  // namespace cimstat::experiments
