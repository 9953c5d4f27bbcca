#include "experiments/settings.h"

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "core/config/option.h"

#include "circuits/column.h"

#include "experiments/inference/chip_cells.h"
#include "experiments/inference/input_cycles.h"
#include "experiments/inference/vote.h"
#include "experiments/inference/weighted_reads.h"
#include "experiments/level_settings.h"
#include "experiments/wires/wires_settings.h"

namespace cimstat::experiments {

namespace {

using core::CountRule;
using core::FlagRule;
using core::NumberRule;
using core::Option;
using core::Parameter;
using core::Quantity;
using core::Range;
using core::SectionReader;

// Bounds that keep a mistyped number from asking for years of work.
constexpr std::uint64_t trial_limit = 1'000'000'000'000;
constexpr std::uint64_t image_limit = 100'000'000;
constexpr std::uint64_t read_limit = 10'000;
constexpr std::uint64_t most_chips = 10'000;
static_assert(most_chips < chip_limit);
constexpr std::size_t longest_path = 4096;
constexpr std::uint64_t most_recalibration_images = 1024;  // whose maps are all kept
constexpr std::uint64_t most_diagonals = 16;               // of 8 activation and 8 weight bits: 15

constexpr Option<Method> methods[] = {
    {Method::automatic, {"auto", "exact where it can be, else monte_carlo; the result says which"}},
    {Method::exact, {"exact", "inversion of characteristic functions, with an error bound"}},
    {Method::monte_carlo, {"monte_carlo", "sampling, with confidence intervals"}},
    {Method::measured, {"measured", "on a chip: what `cimstat fit codes` writes"}}};

constexpr Option<core::Stream> streams[] = {
    {core::Stream::philox, {"philox", "Philox4x32-10, random access to every draw"}},
    {core::Stream::fast, {"fast", "xoshiro128++, seeded for each tile of trials; faster"}}};

constexpr Option<circuits::Summation> summations[] = {
    {circuits::Summation::block_tables,
     {"block_tables", "one draw for many cells of a kind, from tables of their sums"}},
    {circuits::Summation::per_cell, {"per_cell", "one draw for each cell"}}};

constexpr Option<WeightMapping> weight_mappings[] = {
    {WeightMapping::twos_complement, {"twos_complement", "one column for each bit of a weight"}},
    {WeightMapping::differential,
     {"differential", "columns for positive and for negative weights, subtracted digitally"}},
    {WeightMapping::offset,
     {"offset", "one column for each bit of weights that begin at 0, beside a dummy column"}},
    {WeightMapping::biased,
     {"biased",
      "the same without one: so many times the number of active rows is taken off digitally"}},
    {WeightMapping::xnor,
     {"xnor",
      "for weights and inputs -1 and 1: two cells in opposite states, on the word lines of the "
      "input and of its complement"}},
    {WeightMapping::native,
     {"native",
      "one column for all bits of a weight, with its sign; a sum of 0 lies in the middle of the "
      "converter's range (PIM-QAT)"}}};

constexpr Option<InputSigns> input_sign_rules[] = {
    {InputSigns::zero_point,
     {"zero_point", "by levels from 0 on; what the level of 0 adds is taken off digitally"}},
    {InputSigns::cycle,
     {"cycle",
      "by two's complement about the level of 0, whose sign bits are a cycle that counts "
      "negatively (ASiM)"}}};

constexpr Option<circuits::Ties> tie_rules[] = {
    {circuits::Ties::up, {"up", "to the code or level above"}},
    {circuits::Ties::even, {"even", "to the even one of both (ASiM)"}}};

constexpr Option<Tiling> tilings[] = {
    {Tiling::im2col, {"im2col", "runs of so many inputs as a column has rows"}},
    {Tiling::whole_channels, {"whole_channels", "the same, but no channel's window is cut"}},
    {Tiling::kernel_positions,
     {"kernel_positions", "arrays of its own for each position of the kernel"}}};

constexpr Option<Protection> protections[] = {
    {Protection::digital, {"digital", "counted in exact integers, beside the array"}},
    {Protection::converter,
     {"converter", "converted without errors; the converter's rounding stays (ASiM)"}},
    {Protection::vote, {"vote", "read `votes` times, with one code made of them"}}};

constexpr Option<VoteRule> vote_rules[] = {
    {VoteRule::mode,
     {"mode", "the most frequent code, the lowest of equally frequent ones (ASiM)"}},
    {VoteRule::median, {"median", "of an even number the lower of the two in the middle"}},
    {VoteRule::mean, {"mean", "not rounded"}}};

constexpr Option<LayerPlace> places[] = {{LayerPlace::analog, {"analog", "on the macro"}},
                                         {LayerPlace::digital, {"digital", "in exact integers"}}};

constexpr Option<AccuracyNoise> noises[] = {
    {AccuracyNoise::table,
     {"table", "each partial sum's code drawn afresh from the error table: nothing is frozen"}},
    {AccuracyNoise::frozen,
     {"frozen",
      "chips: each column has cells, offset, gain and converter of its own, with fresh noise at "
      "each read"}}};

Parameter stream() {
  return {.key = "stream",
          .rule = core::option_rule(streams, "philox"),
          .meaning = "generator of the random numbers",
          .source = "Philox: Salmon et al., SC 2011; xoshiro: Blackman and Vigna, TOMS 2021"};
}

core::Section section(std::string_view key, std::string_view meaning,
                      std::vector<Parameter> parameters) {
  return {.key = key,
          .need = core::Need::optional,
          .meaning = meaning,
          .parameters = std::move(parameters)};
}

Parameter parameter(std::string_view key, core::Rule rule, std::string_view meaning) {
  return {.key = key, .rule = std::move(rule), .meaning = meaning};
}

core::Section table_section() {
  Parameter tolerance =
      parameter("tolerance", NumberRule{Quantity::ratio, Range{1e-15, 1e-6}, 1e-13},
                "absolute error of a probability that the exact engine aims at");
  tolerance.source = "Gil-Pelaez 1951; Davies 1973";
  Parameter target = parameter("target_relative_error",
                               NumberRule{Quantity::ratio, Range{0.01, 0.5}, std::nullopt},
                               "sample each class until its misread rate is known to this relative "
                               "error at `confidence`, but no longer than `trials`");
  target.example = "0.1";
  target.absent = "all of `trials` are taken";
  target.source = "Huber, Random Structures & Algorithms 50, 2017";
  Parameter classes = {
      .key = "classes",
      .rule = core::option_rule(circuits::composition_options, {}),
      .meaning = "of a column of more than two states a row: which classes the table has",
      .example = "\"typical\"",
      .absent = "all"};
  return section(
      "table", "error table: P(code | LRS count, active rows)",
      {parameter("method", core::option_rule(methods, "auto"), "how probabilities are computed"),
       parameter("active_rows", core::CountsRule{0, circuits::row_limit, "all", "column.rows"},
                 "numbers of active rows that the table has classes for"),
       classes,
       parameter("trials", CountRule{1, trial_limit, 1'000'000, {}},
                 "trials of each class, when sampled; at the most where there is a target"),
       target,
       parameter("confidence", NumberRule{Quantity::ratio, Range{0.5, 0.999999}, 0.95},
                 "level of every confidence interval"),
       tolerance,
       parameter("closed_form", FlagRule{true},
                 "the exact engine may use closed forms where all parts are normal"),
       stream(),
       parameter("summation", core::option_rule(summations, "block_tables"),
                 "how the currents of the cells are drawn, when sampled")});
}

core::Section margin_section() {
  return section(
      "margin", "read margins of neighbouring MAC values",
      {parameter("active_rows", CountRule{1, circuits::row_limit, std::nullopt, "column.rows"},
                 "active rows that the levels are shown for"),
       parameter("sigmas", NumberRule{Quantity::ratio, Range{0.0, 10.0}, 3.0},
                 "standard deviations taken off by the input-aware and pattern margins"),
       parameter("tail_probability",
                 NumberRule{Quantity::ratio, Range{1e-9, 0.5, false, true}, 1e-3},
                 "tail probability of the quantile margin")});
}

/// Codes of a layer's own table have their own meaning.
void check_layer_table_settings(const SectionReader& section, const AccuracySettings& settings) {
  constexpr std::string_view key = "layer_tables";
  if (settings.layer_tables.empty()) return;
  if (settings.noise == AccuracyNoise::frozen) {
    section.fail(key, "are of no use to frozen chips", "a table holds no cells",
                 "leave them out, or write noise = \"table\"");
  }
  if (const auto demand = count_demand(settings.array)) {
    section.fail(key, fmt::format("are of no use to {}", demand->what),
                 fmt::format("a table knows {}", demand->fact),
                 fmt::format("leave them out, or write {} = {}", demand->key, demand->plain));
  }
  if (settings.layers) {
    section.fail(key, "have no place beside accuracy.layers",
                 "it records the codes of one converter", "leave one of them out");
  }
}

core::Section accuracy_section() {
  // Without defaults, so that results of tables keep the bytes of their configuration.
  Parameter noise = parameter("noise", core::option_rule(noises, {}), "what partial sums meet");
  noise.example = "\"frozen\"";
  noise.absent = "\"table\"";
  noise.source = "redrawn at each read in ASiM and NeuroSim";
  Parameter chips = parameter("chips", CountRule{1, most_chips, std::nullopt, {}},
                              "chips drawn, where noise is \"frozen\"");
  chips.example = "20";
  chips.absent = "1";
  Parameter half_width =
      parameter("half_width", NumberRule{Quantity::ratio, Range{1e-4, 0.5}, std::nullopt},
                "end where the accuracy is known to +- this at table.confidence, after 256, 362, "
                "512 ... images, or at `images`");
  half_width.example = "0.01";
  half_width.absent = "all of `images` are run";
  Parameter recalibration = parameter(
      "recalibration_images", CountRule{2, most_recalibration_images, std::nullopt, {}},
      "so many images, the last of the test set and none of `images`, by which the mean and the "
      "deviation of each channel are counted anew on the arrays; frozen chips each count their "
      "own");
  recalibration.example = "256";
  recalibration.absent = "none: scales are those of exact integers";
  recalibration.source = "BN calibration of AdaBits and PIM-QAT";
  Parameter layers =
      parameter("layers", FlagRule{false},
                "record each layer's signal-to-noise ratio, codes and classes of partial sums");
  layers.absent = "false";
  Parameter sensitivity =
      parameter("sensitivity", FlagRule{false},
                "also run each layer alone on arrays, and all but it: two more runs for each");
  sensitivity.absent = "false";
  Parameter rows_per_read =
      parameter("rows_per_read", CountRule{1, circuits::row_limit, std::nullopt, {}},
                "word lines active at a time, at the most; reads of a column follow each other");
  rows_per_read.example = "32";
  rows_per_read.absent = "column.rows";
  rows_per_read.source = "parallelRead of NeuroSim V1.4";
  Parameter input_bits = parameter(
      "input_bits_per_cycle", CountRule{1, most_input_bits, std::nullopt, {}},
      "activation bits that drive a row at once, as one of 2^bits levels; the converter's "
      "range is that of so many");
  input_bits.example = "2";
  input_bits.absent = "1: one bit after the other";
  input_bits.source = "act_enc of ASiM; DAC bits of PIM-QAT";
  Parameter input_signs = parameter("input_signs", core::option_rule(input_sign_rules, {}),
                                    "how activations with a sign drive word lines");
  input_signs.example = "\"cycle\"";
  input_signs.absent = "\"zero_point\"";
  input_signs.source = "cycle: signed inputs of ASiM";
  Parameter ties = parameter("ties", core::option_rule(tie_rules, {}),
                             "where a sum half way between two codes goes, without noise, and a "
                             "value half way between two levels of an activation");
  ties.example = "\"even\"";
  ties.absent = "\"up\"";
  ties.source = "even: ASiM";
  Parameter tiling = parameter("tiling", core::option_rule(tilings, {}),
                               "which inputs of a convolution share an array");
  tiling.example = "\"kernel_positions\"";
  tiling.absent = "\"im2col\"";
  tiling.source = "whole channels: ASiM; kernel positions: Peng et al., ISCAS 2019";
  Parameter attention = parameter("attention", core::option_rule(places, {}),
                                  "where products of two maps are computed; each image writes one "
                                  "of them into the arrays");
  attention.example = "\"analog\"";
  attention.absent = "\"digital\"";
  attention.source = "QK and AV products of ASiM";
  Parameter diagonals =
      parameter("protected_diagonals", CountRule{0, most_diagonals, std::nullopt, {}},
                "so many topmost diagonals of pairs of activation and weight bits are protected");
  diagonals.example = "3";
  diagonals.absent = "none";
  diagonals.source = "hybrid_levels and voting_levels of ASiM";
  Parameter protection = parameter("protection", core::option_rule(protections, {}),
                                   "what protected partial sums are spared");
  protection.example = "\"vote\"";
  protection.absent = "\"digital\"";
  Parameter votes = parameter("votes", CountRule{2, most_votes, std::nullopt, {}},
                              "reads of a protected partial sum, where protection is \"vote\"");
  votes.example = "3";
  votes.absent = "3";
  Parameter vote =
      parameter("vote", core::option_rule(vote_rules, {}), "how one code is made of them");
  vote.example = "\"mode\"";
  vote.absent = "\"median\"";
  return section(
      "accuracy", "accuracy of a network whose partial sums are read through the column",
      {parameter("network", core::TextRule{longest_path, "fashion-cnn"},
                 "\"fashion-cnn\" (shipped), or a network file (HDF5)"),
       parameter("data_set", core::TextRule{longest_path, "fashion-mnist"},
                 "\"fashion-mnist\" (Debian's dataset-fashion-mnist), or a folder of IDX, "
                 "CIFAR or .npy files"),
       parameter("images", CountRule{1, image_limit, 10'000, {}},
                 "images of the test set, from its beginning; all where it has fewer"),
       parameter("reads", CountRule{1, read_limit, 1, {}}, "times that each image is read"),
       parameter("weights", core::option_rule(weight_mappings, "twos_complement"),
                 "how the bits of a weight lie in columns"),
       tiling,
       rows_per_read,
       input_bits,
       input_signs,
       ties,
       diagonals,
       protection,
       votes,
       vote,
       parameter("first_layer", core::option_rule(places, "analog"),
                 "where the first layer with weights is computed"),
       parameter("last_layer", core::option_rule(places, "analog"),
                 "where the last layer with weights is computed"),
       attention,
       stream(),
       noise,
       chips,
       recalibration,
       half_width,
       layers,
       sensitivity});
}

}  // namespace

std::vector<core::Section> settings_sections() {
  core::Section accuracy = accuracy_section();
  for (Parameter& key : level_parameters()) accuracy.parameters.push_back(std::move(key));
  accuracy.sections.push_back(layer_tables_section());
  return {table_section(), margin_section(), columns_section(), wires_section(),
          std::move(accuracy)};
}

TableSettings read_table_settings(const SectionReader& section, std::uint32_t rows) {
  TableSettings settings;
  settings.method = core::read_option(section, "method", methods);
  for (const std::uint64_t n : section.counts("active_rows", rows)) {
    settings.active_rows.push_back(static_cast<std::uint32_t>(n));
  }
  if (section.has("classes")) {
    settings.compositions = core::read_option(section, "classes", circuits::composition_options);
  }
  settings.trials = section.count("trials");
  settings.target_relative_error = section.optional_number("target_relative_error");
  settings.confidence = section.number("confidence");
  settings.tolerance = section.number("tolerance");
  settings.closed_form = section.flag("closed_form");
  settings.stream = core::read_option(section, "stream", streams);
  settings.summation = core::read_option(section, "summation", summations);
  return settings;
}

MarginSettings read_margin_settings(const SectionReader& section, std::uint32_t rows) {
  return {.active_rows = static_cast<std::uint32_t>(section.count("active_rows", rows)),
          .sigmas = section.number("sigmas"),
          .tail_probability = section.number("tail_probability")};
}

namespace {

ProtectedDiagonals read_diagonals(const SectionReader& section) {
  ProtectedDiagonals result;
  if (section.has("protected_diagonals")) {
    result.count = static_cast<std::uint32_t>(section.count("protected_diagonals"));
  }
  if (section.has("protection")) {
    result.kind = core::read_option(section, "protection", protections);
  }
  if (section.has("votes")) result.votes = static_cast<std::uint32_t>(section.count("votes"));
  if (section.has("vote")) result.rule = core::read_option(section, "vote", vote_rules);
  for (const std::string_view key : {"protection", "votes", "vote"}) {
    if (!section.has("protected_diagonals") && section.has(key)) {
      section.fail(key, "protects nothing", "protected_diagonals is missing",
                   "say how many diagonals, or leave it out");
    }
  }
  for (const std::string_view key : {"votes", "vote"}) {
    if (result.kind != Protection::vote && section.has(key)) {
      section.fail(key, "has no votes", "protected partial sums are read once at the most",
                   "write protection = \"vote\", or leave it out");
    }
  }
  return result;
}

/// Frozen chips have cells of several levels and images that share a range; beside them,
/// differential columns have cells of several bits whose codes are computed.
void read_levels(const SectionReader& section, AccuracySettings& settings) {
  settings.levels = read_level_options(section);
  std::uint32_t& cell_bits = settings.levels.cell_bits;
  if (settings.array.weights == WeightMapping::native && cell_bits > 1) {
    section.fail("cell_bits", fmt::format("is {} beside \"native\" weights", cell_bits),
                 "their columns hold all bits of a weight", "leave it out");
  }
  if (settings.array.weights == WeightMapping::differential &&
      settings.noise == AccuracyNoise::table) {
    settings.array.cell_bits = std::exchange(cell_bits, 1);
  }
  if (settings.noise == AccuracyNoise::table && settings.levels.any()) {
    section.fail(level_key(section), "is for frozen chips",
                 "an error table knows binary cells and converters with references alone",
                 "write noise = \"frozen\", or leave it out");
  }
  if (settings.array.weights != WeightMapping::offset && settings.levels.any()) {
    section.fail(level_key(section), "is for offset weights",
                 "the others lie on binary cells without a dummy column",
                 "write weights = \"offset\", or leave it out");
  }
}

/// What weighted counts have no place beside.
void check_weighted_reads(const SectionReader& section, const AccuracySettings& settings) {
  const auto demand = count_demand(settings.array);
  if (!demand) return;
  const auto refuse = [&](std::string_view why, std::string_view remedy) {
    section.fail(demand->key, fmt::format("{} have no place here", demand->what), why, remedy);
  };
  if (settings.noise == AccuracyNoise::frozen) {
    refuse(fmt::format("frozen chips know {}", demand->fact),
           fmt::format("write noise = \"table\", or {}", demand->others));
  }
  const ProtectedDiagonals& diagonals = settings.array.diagonals;
  if (diagonals.count > 0 && cell_values(settings.array) != circuits::CellValues::binary) {
    refuse("protected_diagonals are of pairs of bits, and a conversion holds several of a weight",
           fmt::format("leave protected_diagonals out, or write {}", demand->others));
  }
  if (diagonals.count > 0 && diagonals.kind == Protection::vote) {
    refuse(fmt::format("votes know {}", demand->fact), "protect by \"digital\" or \"converter\"");
  }
  if (settings.layers) {
    refuse(fmt::format("accuracy.layers records {}", demand->fact),
           fmt::format("leave layers out, or write {}", demand->others));
  }
}

}  // namespace

AccuracySettings read_accuracy_settings(const SectionReader& section, std::uint32_t rows) {
  AccuracySettings settings;
  settings.array.rows = rows;
  settings.network = section.text("network");
  settings.data_set = section.text("data_set");
  settings.images = section.count("images");
  settings.reads = static_cast<std::uint32_t>(section.count("reads"));
  settings.array.weights = core::read_option(section, "weights", weight_mappings);
  if (section.has("tiling")) {
    settings.array.tiling = core::read_option(section, "tiling", tilings);
  }
  if (section.has("rows_per_read")) {
    settings.array.rows_per_read = static_cast<std::uint32_t>(section.count("rows_per_read"));
    if (settings.array.rows_per_read > rows) {
      section.fail("rows_per_read", fmt::format("is {}", settings.array.rows_per_read),
                   fmt::format("column.rows is {}", rows),
                   "read fewer at a time, or use a longer column");
    }
  }
  if (section.has("input_bits_per_cycle")) {
    settings.array.input_bits_per_cycle =
        static_cast<std::uint32_t>(section.count("input_bits_per_cycle"));
  }
  if (section.has("input_signs")) {
    settings.array.input_signs = core::read_option(section, "input_signs", input_sign_rules);
  }
  if (section.has("ties")) settings.array.ties = core::read_option(section, "ties", tie_rules);
  settings.array.diagonals = read_diagonals(section);
  settings.array.first_layer = core::read_option(section, "first_layer", places);
  settings.array.last_layer = core::read_option(section, "last_layer", places);
  if (section.has("attention")) {
    settings.array.attention = core::read_option(section, "attention", places);
  }
  settings.stream = core::read_option(section, "stream", streams);
  if (section.has("noise")) settings.noise = core::read_option(section, "noise", noises);
  if (section.has("chips")) settings.chips = static_cast<std::uint32_t>(section.count("chips"));
  if (section.has("recalibration_images")) {
    settings.recalibration_images = section.count("recalibration_images");
  }
  settings.half_width = section.optional_number("half_width");
  // Read where they are given alone: a default would be written into every result.
  settings.layers = section.has("layers") && section.flag("layers");
  settings.sensitivity = section.has("sensitivity") && section.flag("sensitivity");
  read_levels(section, settings);
  if (settings.noise == AccuracyNoise::table && settings.chips != 1) {
    section.fail("chips", fmt::format("is {} without frozen chips", settings.chips),
                 "a table draws each code afresh: there are no chips to differ",
                 "write noise = \"frozen\", or leave it out");
  }
  check_weighted_reads(section, settings);
  settings.layer_tables = read_layer_table_settings(section);
  check_layer_table_settings(section, settings);
  if (settings.noise == AccuracyNoise::frozen && settings.array.attention == LayerPlace::analog) {
    section.fail("attention", "is \"analog\" on frozen chips", written_cells_are_no_chips,
                 "write \"digital\", or noise = \"table\"");
  }
  return settings;
}

}  // namespace cimstat::experiments
