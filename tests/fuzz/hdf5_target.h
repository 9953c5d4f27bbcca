#pragma once

#include "core/file/provenance.h"

#include "tests/fuzz/hdf5_recipe.h"

namespace cimstat::fuzz {

/// What `write` writes to the file that it is given.
template <class Write>
StoredFile written(Write&& write) {
  const std::filesystem::path file = scratch_folder() / "whole.h5";
  write(file);
  return load(file);
}

/// The HDF5 file that an input of a reader's target stands for. The first byte chooses: even, the
/// rest are the file's bytes; odd, the rest is a recipe that changes `whole` step by step. `finish`
/// puts right what every change breaks (hashes) where the recipe asks for it.
template <class Finish>
std::filesystem::path hdf5_file_of(Bytes bytes, StoredFile whole, Finish&& finish) {
  constexpr int most_changes = 12;
  if (bytes.empty() || bytes[0] % 2 == 0) {
    return scratch_file("input.h5", bytes.empty() ? bytes : bytes.subspan(1));
  }
  Recipe recipe(bytes.subspan(1));
  for (int i = 0; i < most_changes && !recipe.empty(); ++i) change(whole, recipe);
  if (bytes[0] % 4 == 3) finish(whole);
  const std::filesystem::path file = scratch_folder() / "input.h5";
  store(whole, file);
  return file;
}

/// The hash of the configuration that is stored now.
inline void rehash_config(StoredFile& file) {
  const StoredAttribute* config = file.attribute("/", "config_toml");
  StoredAttribute* hash = file.attribute("/", "config_sha256");
  if (config == nullptr || hash == nullptr) return;
  const auto* text = std::get_if<std::string>(&config->content);
  if (text != nullptr) hash->content = core::sha256(std::string_view(text->c_str()));
}

/// The recipe without a change must be accepted, or all others would be refused for its sake.
inline void require_whole(Bytes bytes, const std::optional<std::string>& refusal) {
  if (bytes.size() == 1 && bytes[0] % 2 == 1 && refusal) {
    finding(fmt::format("a whole file is refused: {}", *refusal));
  }
}

}  // namespace cimstat::fuzz
