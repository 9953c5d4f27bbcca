#include "experiments/inference/parallel_accuracy.h"

#include "experiments/inference/image_passes.h"

namespace cimstat::experiments {

void check_parallel(const Network& network, const ImageSet& image_set,
                    const circuits::ColumnDesign& design, const AccuracyOptions& options) {
  check_accuracy(network, image_set, design.ladder.codes, options);
  const ForwardPass pass(network, options.array);
  check_parallel_codes(design, pass.spans(), pass.most_active_rows(), options.array);
}

ParallelTables parallel_tables(const Network& network, const circuits::ColumnDesign& design,
                               const ArrayOptions& array) {
  const ForwardPass pass(network, array);
  const std::vector<std::uint32_t> spans = pass.spans();
  const std::uint32_t rows = pass.most_active_rows();
  ParallelTables tables{ParallelCodes(design, spans, rows, array), {}};
  if (array.diagonals.count > 0 && array.diagonals.kind == Protection::converter) {
    tables.spared.emplace(design, spans, rows, array, ParallelCodes::Errors::none);
  }
  return tables;
}

AccuracyResult accuracy_in_parallel(const Network& network, const ImageSet& image_set,
                                    const ParallelTables& tables, const AccuracyOptions& options,
                                    core::Threads threads, const core::Progress& progress) {
  const std::size_t images = images_to_run(network, image_set, options);
  const ForwardPass pass(network, options.array);
  const ParallelCodes& codes = tables.drawn;
  pass.check_codes(codes.codes());
  ImagePasses passes(pass, image_set, options, images,
                     {codes.codes(), codes.code_step(), codes.code_origin()},
                     core::resolved(threads));
  const Arithmetic arithmetic(ColumnReading(
      DrawnParallelCodes{&codes, options.stream, tables.spared ? &*tables.spared : nullptr}));
  const auto origin_of = [&](std::uint64_t image_read) {
    return DrawOrigin{options.key, image_read};
  };
  passes.recalibrate([&](std::size_t) { return arithmetic; }, origin_of, threads);
  core::for_each_block(
      images, threads,
      [&](std::size_t index, std::size_t slot) {
        passes.run(index, slot, 0, arithmetic, origin_of);
      },
      progress);
  return passes.result();
}

}  // namespace cimstat::experiments
