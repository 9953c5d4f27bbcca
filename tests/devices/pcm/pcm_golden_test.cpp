#include <cmath>
#include <cstdint>

#include <gtest/gtest.h>

#include "devices/pcm/pcm.h"

// Against numbers computed from the published coefficients outside of this program, in 30 digits.
namespace cimstat::devices {
namespace {

constexpr double micro = 1e-6;
constexpr double day = 86400.0;

/// What is published of cells in the state g = G / G_max.
struct GoldenState {
  PcmPreset preset;
  double g;
  double programming_sd;  ///< [uS]
  double drift_mean;
  double drift_sd;
  double quality;  ///< Q_s
};

// Among them both sides of every switch of a formula and of every limit of a clip.
constexpr GoldenState golden_states[] = {
    {PcmPreset::ibm, 0.0, 0.26348, 0.1, 0.045, 0.2},
    {PcmPreset::ibm, 0.005, 0.2732756725, 0.1, 0.045, 0.2},
    {PcmPreset::ibm, 0.0076, 0.278346241744, 0.1, 0.045, 0.2},
    {PcmPreset::ibm, 0.0081, 0.279319532909, 0.099046313868208032, 0.045, 0.2},
    {PcmPreset::ibm, 0.0082, 0.279514120756, 0.098856127433034909, 0.045, 0.19975776401401555},
    {PcmPreset::ibm, 0.017, 0.2965459741, 0.087555399991351775, 0.045, 0.12436290931130503},
    {PcmPreset::ibm, 0.0171, 0.296738473829, 0.087464490639839605, 0.044958460193419036,
     0.12388969974233187},
    {PcmPreset::ibm, 0.1, 0.448249, 0.060090068941407708, 0.022882313662425571,
     0.039308156109284754},
    {PcmPreset::ibm, 0.2044, 0.616114632784, 0.049008984520115109, 0.013945955258157346,
     0.024698472383719005},
    {PcmPreset::ibm, 0.2046, 0.616411673204, 0.049, 0.013933730318307637, 0.024682776631475803},
    {PcmPreset::ibm, 0.3, 0.747401, 0.049, 0.0091496600540741999, 0.01924659273515269},
    {PcmPreset::ibm, 0.3287, 0.782629447261, 0.049, 0.0080076224788995416, 0.018136891899297843},
    {PcmPreset::ibm, 0.3291, 0.783106781189, 0.049, 0.008, 0.018122560099068853},
    {PcmPreset::ibm, 0.5, 0.952705, 0.049, 0.008, 0.013808680122982813},
    {PcmPreset::ibm, 0.8, 1.084696, 0.049, 0.008, 0.010173588810205915},
    {PcmPreset::ibm, 1.0, 1.05538, 0.049, 0.008, 0.0088},
    {PcmPreset::joshi, 0.0, 0.28638599, 0.1, 0.045, 0.2},
    {PcmPreset::joshi, 0.005, 0.29584021265625, 0.1, 0.045, 0.2},
    {PcmPreset::joshi, 0.1, 0.4648561525, 0.060090068941407708, 0.022882313662425571,
     0.039308156109284754},
    {PcmPreset::joshi, 0.3, 0.7547588525, 0.049, 0.0091496600540741999, 0.01924659273515269},
    {PcmPreset::joshi, 0.5, 0.9552780525, 0.049, 0.008, 0.013808680122982813},
    {PcmPreset::joshi, 0.8, 1.08846279, 0.049, 0.008, 0.010173588810205915},
    {PcmPreset::joshi, 1.0, 1.06552324, 0.049, 0.008, 0.0088},
    {PcmPreset::hermes_one_device, 0.0, 0.15781817, 0.13, 0.04, 0.04},
    {PcmPreset::hermes_one_device, 0.0096, 0.1799340429351245, 0.13, 0.04, 0.04},
    {PcmPreset::hermes_one_device, 0.0097, 0.1801623312842705, 0.13, 0.04, 0.039957909269087839},
    {PcmPreset::hermes_one_device, 0.0216, 0.20702377367470051, 0.13, 0.04, 0.033713483321477738},
    {PcmPreset::hermes_one_device, 0.0218, 0.20747008022879422, 0.12986021346554053, 0.04,
     0.033641593411659331},
    {PcmPreset::hermes_one_device, 0.0294, 0.22430447114547871, 0.11828563539947129, 0.04,
     0.031308732716172509},
    {PcmPreset::hermes_one_device, 0.0295, 0.22452435347327628, 0.11815422610512724,
     0.039980380187636355, 0.031282247121963631},
    {PcmPreset::hermes_one_device, 0.05, 0.2687184092975, 0.097734838986539451,
     0.033648787282647892, 0.02716671173372113},
    {PcmPreset::hermes_one_device, 0.0944999, 0.35874134055440026, 0.073099356653873048,
     0.026009878032208697, 0.022201420720935653},
    {PcmPreset::hermes_one_device, 0.0945001, 0.35874172736538299, 0.072019939015959564,
     0.0260098526353833, 0.022201404212999145},
    {PcmPreset::hermes_one_device, 0.1, 0.36931942028, 0.071904, 0.025331021115928548,
     0.021760163725353556},
    {PcmPreset::hermes_one_device, 0.1590999, 0.47565436438476908, 0.070491704131351564,
     0.019758675666089268, 0.018138139182958024},
    {PcmPreset::hermes_one_device, 0.1591001, 0.47565470206786229, 0.070491698836647564,
     0.019758660581236974, 0.01786400257008054},
    {PcmPreset::hermes_one_device, 0.2937, 0.67135760251892803, 0.066138457516,
     0.012402357289330752, 0.0213760587832792},
    {PcmPreset::hermes_one_device, 0.294, 0.67172705570106512, 0.0661269904, 0.0124,
     0.0213804218176},
    {PcmPreset::hermes_one_device, 0.3038999, 0.68376244086516705, 0.065744176754007564, 0.0124,
     0.02151672639412107},
    {PcmPreset::hermes_one_device, 0.3039001, 0.68376268095294651, 0.065744168933991564,
     0.012401379192129835, 0.021516728998640637},
    {PcmPreset::hermes_one_device, 0.5, 0.865312925, 0.0564, 0.012075, 0.0217},
    {PcmPreset::hermes_one_device, 0.8, 0.98545023656, 0.035616, 0.00912, 0.0177088},
    {PcmPreset::hermes_one_device, 1.0, 1.00756712, 0.0174, 0.0055, 0.0168},
    {PcmPreset::hermes_two_devices, 0.0, 0.16603222, 0.13, 0.04, 0.04},
    {PcmPreset::hermes_two_devices, 0.0181, 0.24867853439385942, 0.13, 0.04, 0.04},
    {PcmPreset::hermes_two_devices, 0.0182, 0.24912001824691338, 0.13, 0.04, 0.039974104113322832},
    {PcmPreset::hermes_two_devices, 0.0201, 0.25747698868547573, 0.13, 0.04, 0.038812314927830152},
    {PcmPreset::hermes_two_devices, 0.0202, 0.25791518790085577, 0.13, 0.039954250292527242,
     0.038754250292527242},
    {PcmPreset::hermes_two_devices, 0.0216, 0.26403277639283291, 0.13, 0.039170224982216607,
     0.037970224982216607},
    {PcmPreset::hermes_two_devices, 0.0218, 0.26490409912499409, 0.12986021346554053,
     0.039062390117488997, 0.037862390117488997},
    {PcmPreset::hermes_two_devices, 0.0944999, 0.54010905198690237, 0.073099356653873048,
     0.02190213108140348, 0.02070213108140348},
    {PcmPreset::hermes_two_devices, 0.0945001, 0.54010970014522138, 0.072019939015959564,
     0.021902106319498718, 0.020702106319498718},
    {PcmPreset::hermes_two_devices, 0.1, 0.55771817699, 0.071904, 0.021240245588030335,
     0.020040245588030335},
    {PcmPreset::hermes_two_devices, 0.1538, 0.70811803036291265, 0.070630786416,
     0.016203595996353943, 0.015003595996353943},
    {PcmPreset::hermes_two_devices, 0.1539, 0.70836217677748589, 0.070628184844,
     0.016195991186206451, 0.015},
    {PcmPreset::hermes_two_devices, 0.1599999, 0.72301707157987336, 0.070467842655199564,
     0.015741210438357514, 0.015},
    {PcmPreset::hermes_two_devices, 0.1600001, 0.72301754444048204, 0.070467837344799564,
     0.015741195813357514, 0.014987463666991753},
    {PcmPreset::hermes_two_devices, 0.2821, 0.92735593324819405, 0.066575834124,
     0.0091062758333979815, 0.0161789609922609},
    {PcmPreset::hermes_two_devices, 0.2823, 0.92756628913326213, 0.066568392556, 0.0091,
     0.0161803500487923},
    {PcmPreset::hermes_two_devices, 0.3, 0.94478008033, 0.065896, 0.0091, 0.0162963},
    {PcmPreset::hermes_two_devices, 0.3054999, 0.94957799125679933, 0.065681505023959564, 0.0091,
     0.016329537908093666},
    {PcmPreset::hermes_two_devices, 0.3055001, 0.94957816109972424, 0.065681497176039564,
     0.009039853259019882, 0.016329539092880901},
    {PcmPreset::hermes_two_devices, 0.5, 0.99101320375, 0.0564, 0.009, 0.0167125},
    {PcmPreset::hermes_two_devices, 0.8, 0.91371841648, 0.035616, 0.007188, 0.0147928},
    {PcmPreset::hermes_two_devices, 1.0, 1.09269857, 0.0174, 0.0048, 0.0123}};

TEST(PcmGolden, EveryFormulaOfEveryPresetOverAllStates) {
  for (const GoldenState& golden : golden_states) {
    SCOPED_TRACE(testing::Message()
                 << "preset " << static_cast<int>(golden.preset) << " g " << golden.g);
    const PcmStatistics found = pcm_statistics(golden.preset);
    const double state = golden.g * found.full_scale;
    EXPECT_NEAR(found.programming_sd(state) / (golden.programming_sd * micro), 1.0, 1e-12);
    EXPECT_NEAR(found.drift_mean(state) / golden.drift_mean, 1.0, 1e-12);
    EXPECT_NEAR(found.drift_sd(state) / golden.drift_sd, 1.0, 1e-12);
    EXPECT_NEAR(found.read_noise_quality(state) / golden.quality, 1.0, 1e-12);
  }
}

TEST(PcmGolden, TheGenericCellIsTheSameInEveryState) {
  const PcmStatistics generic = pcm_statistics(PcmPreset::state_independent);
  for (const double g : {0.0, 0.1, 0.3, 0.5, 0.8, 1.0}) {
    const double state = g * 25.0 * micro;
    EXPECT_NEAR(generic.programming_sd(state) / (0.2 * micro), 1.0, 1e-12) << g;
    EXPECT_NEAR(generic.drift_mean(state) / 0.1, 1.0, 1e-12) << g;
    EXPECT_NEAR(generic.drift_sd(state) / 0.05, 1.0, 1e-12) << g;
    EXPECT_NEAR(generic.read_noise_quality(state) / 0.04, 1.0, 1e-12) << g;  // 1 uS of 25
  }
}

struct GoldenTimes {
  PcmPreset preset;
  double full_scale;     ///< [uS]
  double first_read;     ///< t_0 [s]
  double read_duration;  ///< [s]
  double factors[3];     ///< at 0 s, 1 h and 1e7 s
  double logarithms[3];
};

constexpr GoldenTimes golden_times[] = {
    {PcmPreset::ibm,
     25.0,
     20.0,
     250e-9,
     {4.1838248080647701, 4.764754667704634, 5.5341445038488618},
     {0.0, 5.1984970312658257, 13.122365377402329}},
    {PcmPreset::joshi,
     25.0,
     27.36,
     250e-9,
     {4.221106471106361, 4.764967799317605, 5.5341445703449798},
     {0.0, 4.8871782971861697, 12.809016294200227}},
    {PcmPreset::hermes_one_device,
     10.35,
     200.0,
     512e-9,
     {4.3692232033228738, 4.6940973974978589, 5.4689953082906674},
     {0.0, 2.9444389791664405, 10.819798284210286}},
    {PcmPreset::hermes_two_devices,
     20.7,
     300.0,
     512e-9,
     {4.4153795428830154, 4.6968634069553245, 5.46899622251244},
     {0.0, 2.5649493574615367, 10.414343175852128}},
    {PcmPreset::state_independent,
     25.0,
     20.0,
     250e-9,
     {4.1838248080647701, 4.764754667704634, 5.5341445038488618},
     {0.0, 5.1984970312658257, 13.122365377402329}}};

TEST(PcmGolden, TimesOfEveryPreset) {
  for (const GoldenTimes& golden : golden_times) {
    SCOPED_TRACE(testing::Message() << "preset " << static_cast<int>(golden.preset));
    const PcmStatistics found = pcm_statistics(golden.preset);
    EXPECT_NEAR(found.full_scale / (golden.full_scale * micro), 1.0, 1e-15);
    EXPECT_EQ(found.first_read, golden.first_read);
    EXPECT_EQ(found.read_duration, golden.read_duration);
    for (int i = 0; i < 3; ++i) {
      const double time = i == 0 ? 0.0 : i == 1 ? 3600.0 : 1e7;
      EXPECT_NEAR(found.time_factor(time) / golden.factors[i], 1.0, 1e-12);
      EXPECT_NEAR(found.drift_logarithm(time), golden.logarithms[i], 1e-12 * golden.logarithms[i]);
    }
  }
}

/// Cells that aim at g: integrals over programming and exponent.
struct GoldenCells {
  PcmPreset preset;
  double g;
  double time;     ///< [s]
  double mean;     ///< [uS]
  double sd;       ///< frozen [uS]
  double read_sd;  ///< of the read noise alone [uS]
};

constexpr GoldenCells golden_cells[] = {
    {PcmPreset::ibm, 0.0, 0.0, 0.10511331204016948, 0.15382472763488308, 0.10890690863892842},
    {PcmPreset::ibm, 0.0, 30.0 * day, 0.036743155613543029, 0.063639504163833642,
     0.055553109647659861},
    {PcmPreset::ibm, 0.1, 0.0, 2.5000000009270399, 0.44824899467669682, 0.41043339030388205},
    {PcmPreset::ibm, 0.1, 30.0 * day, 1.2760254245384895, 0.41763277683275976, 0.28059191953662518},
    {PcmPreset::ibm, 0.5, 0.0, 12.5, 0.952705, 0.7219424893544948},
    {PcmPreset::ibm, 0.5, 30.0 * day, 7.052095404622099, 0.85704243420375883, 0.52908276645932156},
    {PcmPreset::ibm, 1.0, 0.0, 25.0, 1.05538, 0.92035522067680202},
    {PcmPreset::ibm, 1.0, 30.0 * day, 14.104190809244198, 1.4594187661112334, 0.67449151900776691},
    {PcmPreset::joshi, 0.0, 0.0, 0.11425147992562189, 0.16719768828828127, 0.11436169455469898},
    {PcmPreset::joshi, 0.0, 30.0 * day, 0.040935920964552851, 0.070347595593749747,
     0.058919024700744525},
    {PcmPreset::joshi, 0.1, 0.0, 2.5000000030612173, 0.46485613551576445, 0.41403475445637431},
    {PcmPreset::joshi, 0.1, 30.0 * day, 1.297883991957722, 0.42195510015122067, 0.2848418576718625},
    {PcmPreset::joshi, 0.5, 0.0, 12.5, 0.9552780525, 0.72837443697185977},
    {PcmPreset::joshi, 0.5, 30.0 * day, 7.1595408705948993, 0.85701283870521741,
     0.53701787581641295},
    {PcmPreset::joshi, 1.0, 0.0, 25.0, 1.06552324, 0.92855473526205492},
    {PcmPreset::joshi, 1.0, 30.0 * day, 14.319081741189799, 1.4511699206888084,
     0.68460734781246231},
    {PcmPreset::hermes_one_device, 0.0, 0.0, 0.062960340628580971, 0.092137304600294806,
     0.016377097095990056},
    {PcmPreset::hermes_one_device, 0.0, 30.0 * day, 0.019743210097410188, 0.031965112203898951,
     0.0067440137835267193},
    {PcmPreset::hermes_one_device, 0.1, 0.0, 1.0352787788667862, 0.36845942385578983,
     0.099483823101611664},
    {PcmPreset::hermes_one_device, 0.1, 30.0 * day, 0.53897494909458519, 0.23626828050060056,
     0.065163957317630407},
    {PcmPreset::hermes_one_device, 0.5, 0.0, 5.1750000001529891, 0.865312924061281,
     0.48729920555302211},
    {PcmPreset::hermes_one_device, 0.5, 30.0 * day, 3.0534915692763196, 0.62195414799437996,
     0.35399302996770883},
    {PcmPreset::hermes_one_device, 1.0, 0.0, 10.35, 1.00756712, 0.80001947216770833},
    {PcmPreset::hermes_one_device, 1.0, 30.0 * day, 8.7893791898667312, 0.97120912835527856,
     0.83210651275128371},
    {PcmPreset::hermes_two_devices, 0.0, 0.0, 0.066237272466912359, 0.096932826097293862,
     0.020578496044312822},
    {PcmPreset::hermes_two_devices, 0.0, 30.0 * day, 0.02176438070442579, 0.034950004368853278,
     0.0087348510505984464},
    {PcmPreset::hermes_two_devices, 0.1, 0.0, 2.0700137778142506, 0.55766388421943486,
     0.18088494500605682},
    {PcmPreset::hermes_two_devices, 0.1, 30.0 * day, 1.0988502838587308, 0.36931370342953099,
     0.11838662291350808},
    {PcmPreset::hermes_two_devices, 0.5, 0.0, 10.35, 0.99101320375, 0.7646666768013614},
    {PcmPreset::hermes_two_devices, 0.5, 30.0 * day, 6.2282102464250393, 0.78550874276328434,
     0.55879192931994561},
    {PcmPreset::hermes_two_devices, 1.0, 0.0, 20.7, 1.09269857, 1.1188030113347637},
    {PcmPreset::hermes_two_devices, 1.0, 30.0 * day, 17.696347099597249, 1.2113090990046122,
     1.1587443392110216},
    {PcmPreset::state_independent, 0.0, 0.0, 0.079788456080286536, 0.11676387402070979,
     0.023667287144632837},
    {PcmPreset::state_independent, 0.0, 30.0 * day, 0.02840773480881952, 0.050235122497329644,
     0.01249048886469104},
    {PcmPreset::state_independent, 0.1, 0.0, 2.5, 0.2, 0.41971916945423771},
    {PcmPreset::state_independent, 0.1, 30.0 * day, 0.8900953911250786, 0.50516679815638784,
     0.22150817625730284},
    {PcmPreset::state_independent, 0.5, 0.0, 12.5, 0.2, 2.092180151685348},
    {PcmPreset::state_independent, 0.5, 30.0 * day, 4.450476955625393, 2.4939867955511514,
     1.1041549767768644},
    {PcmPreset::state_independent, 1.0, 0.0, 25.0, 0.2, 4.1839586883165784},
    {PcmPreset::state_independent, 1.0, 30.0 * day, 8.900953911250786, 4.9859700303911036,
     2.2080979998840626}};

TEST(PcmGolden, MeanSdAndReadNoiseOfCellsOfEveryPreset) {
  for (const GoldenCells& golden : golden_cells) {
    SCOPED_TRACE(testing::Message() << "preset " << static_cast<int>(golden.preset) << " g "
                                    << golden.g << " after " << golden.time << " s");
    const PcmStatistics statistics = pcm_statistics(golden.preset);
    PcmCell cell{
        .statistics = statistics, .targets = {golden.g * statistics.full_scale}, .conditions = {}};
    cell.conditions.time = golden.time;
    EXPECT_NEAR(cell.mean(0, golden.time) / (golden.mean * micro), 1.0, 1e-12);
    EXPECT_NEAR(std::sqrt(cell.variance(0, golden.time)) / (golden.sd * micro), 1.0, 1e-12);
    EXPECT_NEAR(std::sqrt(cell.read_variance(0, golden.time)) / (golden.read_sd * micro), 1.0,
                1e-11);
    const core::Law programmed = cell.programmed(0);
    EXPECT_NEAR(programmed.mean() / (golden.mean * micro), 1.0, 1e-12);
    EXPECT_NEAR(programmed.sd() / (golden.sd * micro), 1.0, 1e-12);
    const core::Law read = cell.read(0);
    EXPECT_NEAR(read.mean() / (golden.mean * micro), 1.0, 1e-12);
    EXPECT_NEAR(read.sd() / (std::hypot(golden.sd, golden.read_sd) * micro), 1.0, 1e-12);
  }
}

}  // namespace
}  // namespace cimstat::devices
