#include "experiments/commands/report_files.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/file/hdf5_file.h"

#include "experiments/counted.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// Files of each kind, as far as their kind can be told.
class ReportFiles : public ::testing::Test {
 protected:
  ReportFiles() {
    for (const auto& [name, filetype] : {std::pair("t.h5", "cimstat error table"),
                                         {"a.h5", "cimstat accuracy"},
                                         {"n.h5", "cimstat network"}}) {
      core::Hdf5Output file(path(name));
      file.attribute("/", "filetype", std::string_view(filetype));
      file.commit();
    }
    std::ofstream(path("t.h5.run.json")) << "{}\n";
    std::ofstream(path("m.toml")) << "\n";
  }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  /// The refusal of `table` and `accuracy`, or "" for none.
  std::string refusal(const std::string& table, const std::vector<std::string>& accuracy) const {
    std::vector<AccuracyArgument> arguments;
    for (const std::string& name : accuracy) arguments.push_back({path(name), {}});
    try {
      require_kinds(path(table), arguments);
    } catch (const core::DataError& error) {
      return error.what();
    }
    return {};
  }

 private:
  tests::TemporaryFolder folder_;
};

constexpr const char* order = "(the error table comes first, accuracy results follow it)";

TEST_F(ReportFiles, InTheWrongOrderAreToBeSwapped) {
  EXPECT_EQ(refusal("a.h5", {"t.h5"}), path("a.h5") + ": is an accuracy result " + order +
                                           "; swap the two: cimstat report " + path("t.h5") + " " +
                                           path("a.h5"));
  EXPECT_THAT(refusal("a.h5", {}),
              AllOf(HasSubstr(order), EndsWith("; put its error table before it: cimstat report "
                                               "TABLE.h5 " +
                                               path("a.h5"))));
}

TEST_F(ReportFiles, OfOtherKindsAreNamedWithWhatToDo) {
  EXPECT_THAT(refusal("n.h5", {}), StartsWith(path("n.h5") + ": is a network " + order + "; name"));
  EXPECT_THAT(refusal("t.h5", {"n.h5"}), StartsWith(path("n.h5") + ": is a network " + order));
  EXPECT_THAT(refusal("t.h5.run.json", {}),
              EndsWith("; name the result that it is the record of, " + path("t.h5")));
  EXPECT_THAT(refusal("t.h5", {"t.h5.run.json"}),
              HasSubstr(": is a run record " + std::string(order)));
  EXPECT_THAT(refusal("m.toml", {}),
              EndsWith("; make its error table first: cimstat table " + path("m.toml")));
  EXPECT_THAT(refusal("t.h5", {"t.h5"}), HasSubstr("cimstat accuracy CONFIG.toml --table"));
}

TEST_F(ReportFiles, InTheRightOrderOrUnknownAreLeftToTheirReaders) {
  EXPECT_EQ(refusal("t.h5", {"a.h5"}), "");
  EXPECT_EQ(refusal("missing.h5", {"a.h5"}), "");
}

TEST_F(ReportFiles, TakeLabelsBeforeTheirPaths) {
  const auto argument = [&](const std::string& text) {
    const AccuracyArgument found = accuracy_argument(text);
    return std::pair(found.label, found.file.string());
  };
  EXPECT_EQ(argument(path("a.h5")), std::pair(std::string(), path("a.h5")));
  EXPECT_EQ(argument("2 uA=" + path("a.h5")), std::pair(std::string("2 uA"), path("a.h5")));
  EXPECT_EQ(argument("sigma = 0.1=" + path("a.h5")),
            std::pair(std::string("sigma = 0.1"), path("a.h5")));
  EXPECT_EQ(argument("one=missing=h5"), std::pair(std::string("one"), std::string("missing=h5")));
  std::ofstream(path("x=1.h5")) << "\n";
  EXPECT_EQ(argument(path("x=1.h5")), std::pair(std::string(), path("x=1.h5")));
  EXPECT_THROW(accuracy_argument("=" + path("a.h5")), core::UsageError);
}

TEST_F(ReportFiles, AndLabelsStandOnceEach) {
  EXPECT_NO_THROW(refuse_repetition({{path("a.h5"), {}}, {path("t.h5"), {}}}));
  EXPECT_THROW(refuse_repetition({{path("a.h5"), {}}, {path("a.h5"), "x"}}), core::UsageError);
  EXPECT_THROW(refuse_repetition({{path("a.h5"), "x"}, {path("t.h5"), "x"}}), core::UsageError);
}

TEST(Counted, HasASingularAndAPlural) {
  EXPECT_EQ(counted(0, "image"), "0 images");
  EXPECT_EQ(counted(1, "image"), "1 image");
  EXPECT_EQ(counted(2, "class", "classes"), "2 classes");
  EXPECT_EQ(counted(1, "class", "classes"), "1 class");
}

}  // namespace
}  // namespace cimstat::experiments
