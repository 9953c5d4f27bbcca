#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "tests/fuzz/fuzz_target.h"

/// Whole HDF5 files from recipes. Everything that our readers take is under checksums, which blind
/// changes of bytes do not get past; so the fuzzer changes what is to be stored, and the library
/// writes a sound file of it.
namespace cimstat::fuzz {

using Content = std::variant<std::string, std::vector<std::int64_t>, std::vector<double>>;

struct StoredAttribute {
  std::string object;
  std::string name;
  Content content;
  bool scalar = true;     ///< a list of one otherwise
  std::uint8_t form = 0;  ///< of the stored type; 0 is the plain one
};

struct StoredDataset {
  std::string path;
  Content content;
  std::vector<std::uint64_t> shape;
  std::uint8_t form = 0;
  std::uint8_t layout = 0;
};

/// An object that stands where another one is expected, or that nobody expects.
struct StoredOddity {
  std::string path;
  std::uint8_t kind = 0;
};

struct StoredFile {
  std::vector<std::string> groups;
  std::vector<StoredDataset> datasets;
  std::vector<StoredAttribute> attributes;
  std::vector<StoredOddity> oddities;
  std::uint8_t version = 0;  ///< of the file format; 0 is ours

  StoredAttribute* attribute(std::string_view object, std::string_view name);
  StoredDataset* dataset(std::string_view path);
};

/// What a file of ours holds, as far as it is text and numbers.
StoredFile load(const std::filesystem::path& file);

/// One change, as the recipe says.
void change(StoredFile& file, Recipe& recipe);

/// Writes it; what the library refuses to store is left out.
void store(const StoredFile& stored, const std::filesystem::path& path);

}  // namespace cimstat::fuzz
