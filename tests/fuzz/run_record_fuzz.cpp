#include "core/file/provenance.h"
#include "core/utf8.h"

#include "experiments/seeing/file_description.h"
#include "tests/fuzz/fuzz_target.h"

/// A run record (JSON) and what kind of file any bytes are taken for.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cimstat;
  const std::filesystem::path file = fuzz::scratch_file("input.run.json", {data, size});
  fuzz::refusal_of([&] { core::read_run_record(file); });
  fuzz::refusal_of([&] { experiments::file_kind(file); });
  fuzz::refusal_of([&] { experiments::file_kind(fuzz::scratch_file("input", {data, size})); });
  return 0;
}
