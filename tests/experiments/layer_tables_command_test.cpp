/// Tables of single layers, as a user names them: configuration, result file, refusals.
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/file/hdf5_file.h"

#include "experiments/accuracy_file.h"
#include "experiments/table/table_file.h"
#include "tests/experiments/small_network.h"
#include "tests/support/run_program.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using tests::bytes_of;
using tests::Outcome;
using tests::TemporaryFolder;

class LayerTablesCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    std::ofstream(folder_ / "m.toml") << R"(name = "layers"
[cell]
model = "rram"
[cell.lrs]
distribution = "lognormal"
median = "40 uS"
sigma = 0.2
[cell.hrs]
distribution = "lognormal"
median = "2 uS"
sigma = 0.3
[column]
rows = 16
read_voltage = "0.2 V"
[sense_amplifier]
noise_sd = "4 uA"
[accuracy]
network = "net.h5"
data_set = "images"
reads = 3
)";
    Network network = fixtures::small_network();
    std::mt19937 random(9);
    network.classes = 10;  // as sets of IDX files have
    network.layers[1] = fixtures::random_fully_connected("classes", "hidden", 10, 8, 3, 0, random);
    write_network(network, folder_ / "net.h5");
    write_images();
    ASSERT_EQ(run("table m.toml -q -o same.table.h5").exit_code, 0);
    ASSERT_EQ(run("table m.toml -q --set column.rows=6 --set cell.lrs.sigma=0.02 -o "
                  "short.table.h5")
                  .exit_code,
              0);
  }

  Outcome run(const std::string& arguments) const {
    return tests::run_program("cd '" + folder_.path().string() + "' && (" +
                              std::string(CIMSTAT_BINARY) + " " + arguments + ") 2>&1");
  }
  Outcome accuracy(const std::string& arguments) const {
    return run("accuracy m.toml -q " + arguments);
  }
  /// Keys of one section.
  static std::string section(const std::string& name, const std::string& layers,
                             const std::string& table) {
    const std::string key = " --set 'accuracy.layer_tables." + name;
    return key + ".layers=" + layers + "'" + key + ".table=\"" + table + "\"'";
  }
  void expect_refused(const std::string& arguments, const std::string& line) const {
    const Outcome outcome = accuracy(arguments + " -o refused.h5");
    EXPECT_EQ(outcome.exit_code, 2) << outcome.output;
    EXPECT_THAT(outcome.output, HasSubstr(line));
    EXPECT_EQ(outcome.output.find('\n'), outcome.output.size() - 1) << outcome.output;
    EXPECT_FALSE(std::filesystem::exists(folder_ / "refused.h5"));
  }

  TemporaryFolder folder_;

 private:
  void write_images() const {
    constexpr int count = 40;
    std::filesystem::create_directory(folder_ / "images");
    const auto number = [](unsigned value) {
      return std::string{'\0', '\0', static_cast<char>(value >> 8), static_cast<char>(value)};
    };
    std::mt19937 random(8);
    std::string pixels;
    std::string labels;
    for (int i = 0; i < 16 * count; ++i) pixels += static_cast<char>(random() >> 24);
    for (int i = 0; i < count; ++i) labels += static_cast<char>(i % 10);
    std::ofstream(folder_ / "images/t10k-images-idx3-ubyte", std::ios::binary)
        << number(2051) + number(count) + number(4) + number(4) + pixels;
    std::ofstream(folder_ / "images/t10k-labels-idx1-ubyte", std::ios::binary)
        << number(2049) + number(count) + labels;
  }
};

TEST_F(LayerTablesCommand, TheTableOfTheRestChangesNoAnswer) {
  ASSERT_EQ(accuracy("-o one.h5").exit_code, 0);
  const Outcome made = accuracy("-o two.h5" + section("first", "[\"hidden\"]", "same.table.h5"));
  ASSERT_EQ(made.exit_code, 0) << made.output;
  const AccuracyRecord one = read_accuracy(folder_ / "one.h5");
  const AccuracyRecord two = read_accuracy(folder_ / "two.h5");
  EXPECT_EQ(two.result.answers, one.result.answers);
  EXPECT_EQ(two.result.partial_sums, one.result.partial_sums);
  EXPECT_EQ(two.table_sha256, one.table_sha256);
  const std::string sha256 = read_table(folder_ / "same.table.h5").content_sha256;
  EXPECT_EQ(sha256, one.table_sha256);
  ASSERT_EQ(two.layer_tables.size(), 1U);
  EXPECT_EQ(two.layer_tables[0], (std::pair<std::string, std::string>("first", sha256)));
  const auto version = [&](const char* file) {
    return core::Hdf5Input(folder_ / file).integers_attribute("/", "schema_version").at(1);
  };
  EXPECT_EQ(version("one.h5"), 2);
  EXPECT_EQ(version("two.h5"), 3);
}

// Behind a dummy column codes begin in the middle of the range, of each table its own.
TEST_F(LayerTablesCommand, ColumnsWithADummyKeepTheirMiddle) {
  const std::string macro =
      " --set column.dummy_column=true --set 'converter.references=\"uniform\"' --set "
      "converter.codes=33";
  ASSERT_EQ(run("table m.toml -q -o dummy.table.h5" + macro).exit_code, 0);
  const std::string offset = macro + " --set 'accuracy.weights=\"offset\"'";
  const std::string own = section("first", "[\"hidden\"]", "dummy.table.h5");
  ASSERT_EQ(accuracy("-o one.h5" + offset).exit_code, 0);
  const Outcome made = accuracy("-o two.h5" + offset + own);
  ASSERT_EQ(made.exit_code, 0) << made.output;
  EXPECT_EQ(read_accuracy(folder_ / "two.h5").result.answers,
            read_accuracy(folder_ / "one.h5").result.answers);
  expect_refused(own + " --set 'accuracy.weights=\"biased\"'",
                 "accuracy.layer_tables.first: dummy.table.h5: is of a column with a dummy column");
  expect_refused(
      offset + section("first", "[\"hidden\"]", "same.table.h5"),
      "accuracy.layer_tables.first: same.table.h5: is of a column without a dummy column");
}

TEST_F(LayerTablesCommand, DiffTellsTablesByWhatTheyHold) {
  const std::string own = section("first", "[\"hidden\"]", "own.table.h5");
  std::filesystem::copy_file(folder_ / "same.table.h5", folder_ / "own.table.h5");
  ASSERT_EQ(accuracy("-o one.h5" + own).exit_code, 0);
  std::filesystem::remove(folder_ / "own.table.h5");
  std::filesystem::copy_file(folder_ / "short.table.h5", folder_ / "own.table.h5");
  ASSERT_EQ(accuracy("-o two.h5" + own).exit_code, 0);
  EXPECT_THAT(run("diff one.h5 two.h5").output, HasSubstr("accuracy.layer_tables.first: content"));
}

TEST_F(LayerTablesCommand, ShorterColumnsReadMoreOftenAndTheResultTellsOfThem) {
  ASSERT_EQ(accuracy("-o one.h5").exit_code, 0);
  const std::string keys = section("fine", "[\"hidden\"]", "short.table.h5");
  const Outcome made = accuracy("--json -o two.h5" + keys);
  ASSERT_EQ(made.exit_code, 0) << made.output;
  const auto json = nlohmann::json::parse(made.output);
  const std::string sha256 = read_table(folder_ / "short.table.h5").content_sha256;
  EXPECT_EQ(json["layer_tables"]["fine"], sha256);
  // 16 inputs of 2 bits, 8 outputs of 3: three columns of 6 rows at the most instead of one.
  const AccuracyRecord one = read_accuracy(folder_ / "one.h5");
  const AccuracyRecord two = read_accuracy(folder_ / "two.h5");
  EXPECT_EQ(two.result.partial_sums - one.result.partial_sums, 2U * 2 * 8 * 3);
  EXPECT_FALSE(two.result.answers == one.result.answers);
  EXPECT_THAT(run("show two.h5").output, HasSubstr("fine=" + sha256));
  EXPECT_THAT(accuracy("-o three.h5" + keys).output,
              HasSubstr("Codes of the layers of accuracy.layer_tables.fine are from table " +
                        sha256.substr(0, 16)));
  // The configuration in the file makes its bytes again, with any threads.
  ASSERT_EQ(run("show --config two.h5 > again.toml").exit_code, 0);
  const Outcome again = run("accuracy again.toml -q --threads 3 -o again.h5");
  ASSERT_EQ(again.exit_code, 0) << again.output;
  EXPECT_EQ(bytes_of(folder_ / "again.h5"), bytes_of(folder_ / "two.h5"));
  EXPECT_EQ(run("validate m.toml --dry-run" + keys).exit_code, 0);
}

TEST_F(LayerTablesCommand, AreDescribed) {
  EXPECT_THAT(run("describe accuracy").output, HasSubstr("[accuracy.layer_tables]"));
  EXPECT_THAT(run("describe accuracy.layer_tables").output,
              HasSubstr("[accuracy.layer_tables.NAME]"));
  const Outcome described = run("describe accuracy.layer_tables.NAME");
  EXPECT_EQ(described.exit_code, 0);
  EXPECT_THAT(described.output, HasSubstr("layers whose codes are drawn from another table"));
  EXPECT_THAT(described.output, ContainsRegex("table +text.*required"));
}

TEST_F(LayerTablesCommand, RefuseWhatDoesNotFitInALine) {
  const std::string hidden = "[\"hidden\"]";
  expect_refused(section("t", "[\"hiden\"]", "short.table.h5"),
                 "accuracy.layer_tables.t: short.table.h5: the network has no layer 'hiden'; did "
                 "you mean hidden?");
  expect_refused(section("t", hidden, "none.table.h5"), "none.table.h5");
  const Outcome foreign = accuracy("-o refused.h5" + section("t", hidden, "net.h5"));
  EXPECT_EQ(foreign.exit_code, 3);
  EXPECT_THAT(foreign.output, HasSubstr("net.h5: /: is a file of type 'cimstat network'"));
  expect_refused(section("a", hidden, "same.table.h5") + section("b", hidden, "short.table.h5"),
                 "accuracy.layer_tables.b.layers: names 'hidden' (accuracy.layer_tables.a does, "
                 "too); keep one of the two");
  expect_refused(section("t", "[]", "same.table.h5"), "accuracy.layer_tables.t.layers");
  expect_refused(" --set 'accuracy.layer_tables.t.layers=[\"hidden\"]'",
                 "accuracy.layer_tables.t.table: is missing");
  expect_refused(section("t", hidden, ""),
                 "accuracy.layer_tables.t.table: is empty (codes are drawn from it); name a file");
  expect_refused(section("t", hidden, "same.table.h5") + " --set accuracy.noise=frozen",
                 "accuracy.layer_tables: are of no use to frozen chips (a table holds no cells)");
  expect_refused(section("t", hidden, "same.table.h5") + " --layers",
                 "accuracy.layer_tables: have no place beside accuracy.layers");
  expect_refused(section("t", hidden, "same.table.h5") + " --set accuracy.ties=even",
                 "accuracy.layer_tables: are of no use to even ties");
  expect_refused(section("t", hidden, "short.table.h5") + " --set accuracy.rows_per_read=8",
                 "is of a column of 6 rows (accuracy.rows_per_read is 8); read fewer at a time");
  expect_refused(section("t", hidden, "same.table.h5") + " --set accuracy.first_layer=digital",
                 "layer 'hidden' is on no array");
  ASSERT_EQ(run("table m.toml -q --set table.active_rows=[4] -o few.table.h5").exit_code, 0);
  expect_refused(section("t", hidden, "few.table.h5"),
                 "few.table.h5: has no class of 1 active row");
  const Outcome checked = run("validate m.toml" + section("t", hidden, "few.table.h5"));
  EXPECT_EQ(checked.exit_code, 2);
  EXPECT_THAT(checked.output, HasSubstr("few.table.h5: has no class of 1 active row"));
  // What is read is never written over.
  EXPECT_EQ(accuracy("-o same.table.h5" + section("t", hidden, "same.table.h5")).exit_code, 2);
}

TEST_F(LayerTablesCommand, ResultsWithOtherHashesAreRefused) {
  ASSERT_EQ(accuracy("-o two.h5" + section("fine", "[\"hidden\"]", "short.table.h5")).exit_code, 0);
  const std::string a(64, 'a');
  const std::string g(64, 'g');
  for (const std::string& hash : {std::string("fine=12"), "other=" + a, "fine=" + a + ",more=" + a,
                                  "fine=" + g, "fine=" + a + "a"}) {
    AccuracyRecord record = read_accuracy(folder_ / "two.h5");
    const std::size_t equals = hash.find('=');
    record.layer_tables = {{hash.substr(0, equals), hash.substr(equals + 1)}};
    const Experiment experiment =
        read_experiment(core::Config::from_text(record.config_toml, "two.h5"));
    write_accuracy(experiment, record, folder_ / "edited.h5");
    try {
      read_accuracy(folder_ / "edited.h5");
      FAIL() << hash;
    } catch (const core::DataError& error) {
      EXPECT_THAT(error.what(), HasSubstr("attribute 'layer_table_sha256' contradicts"));
    }
  }
}

}  // namespace
}  // namespace cimstat::experiments
