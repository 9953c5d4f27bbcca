#include "core/file/text_table.h"

#include <clocale>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

#include "tests/support/temporary_folder.h"

namespace cimstat::core {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class TextTables : public testing::Test {
 protected:
  TextTable table(const std::string& bytes) {
    std::ofstream(file(), std::ios::binary) << bytes;
    return TextTable(file());
  }
  std::string file() const { return (folder_ / "m.csv").string(); }

  std::vector<std::vector<std::string>> rows(const std::string& bytes) {
    TextTable read = table(bytes);
    std::vector<std::vector<std::string>> result;
    for (auto row = read.next(); !row.empty(); row = read.next()) {
      result.emplace_back();
      for (const TextField& field : row) result.back().push_back(field.text);
    }
    return result;
  }

  /// What stands behind the name of the file.
  std::string error(const std::string& bytes) {
    try {
      TextTable read = table(bytes);
      for (auto row = read.next(); !row.empty(); row = read.next()) {
        for (const TextField& field : row) read.number(field);
      }
    } catch (const DataError& caught) {
      const std::string text = caught.what();
      EXPECT_TRUE(text.starts_with(file())) << text;
      return text.substr(file().size());
    }
    return "no error";
  }

  tests::TemporaryFolder folder_;
};

TEST_F(TextTables, ReadColumnsSeparatedByCommasSemicolonsTabsOrBlanks) {
  for (const std::string& bytes :
       {std::string("a,b\n1,2.5\n3,-4e-6\n"), std::string("a;b\n1;2.5\n3;-4e-6\n"),
        std::string("a\tb\n1\t2.5\n3\t-4e-6\n"), std::string("a b\n 1  2.5 \n3 -4e-6\n")}) {
    EXPECT_THAT(table(bytes).names(), ElementsAre("a", "b"));
    EXPECT_THAT(rows(bytes), ElementsAre(ElementsAre("1", "2.5"), ElementsAre("3", "-4e-6")));
  }
}

TEST_F(TextTables, TakeUnitsInBracketsForPartsOfNames) {
  for (const std::string& bytes :
       {std::string("a [mV] b (kohm)\n1 2\n"), std::string("a [mV],b (kohm)\n1,2\n")}) {
    EXPECT_THAT(table(bytes).names(), ElementsAre("a [mV]", "b (kohm)"));
    EXPECT_THAT(rows(bytes), ElementsAre(ElementsAre("1", "2")));
  }
  EXPECT_THAT(table("a [mV]\n200\n").names(), ElementsAre("a [mV]"));
}

TEST_F(TextTables, TakeNumbersInTheFirstRowForValues) {
  EXPECT_THAT(rows("1\n2\n"), ElementsAre(ElementsAre("1"), ElementsAre("2")));
  EXPECT_TRUE(table("1\n2\n").names().empty());
}

TEST_F(TextTables, LeaveOutMarksBlankLinesCommentsAndCarriageReturns) {
  EXPECT_THAT(rows("\xEF\xBB\xBF# made by hand\r\n\r\n \t \na,b\r\n\n1,2\r\n# end\n3,4"),
              ElementsAre(ElementsAre("1", "2"), ElementsAre("3", "4")));
  EXPECT_THAT(table("\xEF\xBB\xBFk,b\n1,2\n").names(), ElementsAre("k", "b"));
}

TEST_F(TextTables, ReadQuotedFields) {
  EXPECT_THAT(rows("\"a, b\",c\n \"1\" , 2\n"), ElementsAre(ElementsAre("1", "2")));
  EXPECT_THAT(table("\"a, \"\"b\"\"\",c\n1,2\n").names(), ElementsAre("a, \"b\"", "c"));
}

TEST_F(TextTables, ReadHspiceMeasureFilesWhoseRunsGoOverSeveralLines) {
  const std::string bytes =
      "$DATA1 SOURCE='HSPICE' VERSION='C-2009.09'\n.TITLE '* 1t1r cell, monte carlo'\n"
      " index            r_lrs            r_hrs            temper\n alter#\n"
      "   1.0000        2.450e+04        8.800e+05         25.0000\n    1.0000\n"
      "   2.0000        2.510e+04        9.100e+05         25.0000\n    1.0000\n";
  EXPECT_THAT(table(bytes).names(), ElementsAre("index", "r_lrs", "r_hrs", "temper", "alter#"));
  const auto values = rows(bytes);
  ASSERT_EQ(values.size(), 2u);
  EXPECT_THAT(values[1], ElementsAre("2.0000", "2.510e+04", "9.100e+05", "25.0000", "1.0000"));
}

TEST_F(TextTables, ReadMeasureFilesWithCommasAndThoseOfSpectre) {
  EXPECT_THAT(rows("$DATA1 SOURCE='HSPICE'\n.TITLE 'x, y'\nindex,r,temper,alter#\n1,2.5,25,1\n"),
              ElementsAre(ElementsAre("1", "2.5", "25", "1")));
  EXPECT_THAT(rows("index temp r_on temper alter#\n1 25 2.4e4 25 1\n2 25 2.5e4 25 1\n"),
              ElementsAre(ElementsAre("1", "25", "2.4e4", "25", "1"),
                          ElementsAre("2", "25", "2.5e4", "25", "1")));
}

TEST_F(TextTables, NameLineAndColumnOfWhatIsWrong) {
  EXPECT_EQ(error("a,b\n1,2\n3,x\n"),
            ":3:3: \"x\" is not a number; write a plain number such as 4.01e-5, or leave the row "
            "out");
  EXPECT_THAT(error("\xC2\xB5S,b\n1,2\n\"\xC2\xB5\",7\n"), HasSubstr(":3:1: "));
  EXPECT_THAT(error("a,b\n\"\xC2\xB5\xC2\xB5\" , y\n"), HasSubstr(":2:1: "));
  EXPECT_EQ(error("a;b\n1;2,5\n"),
            ":2:3: \"2,5\" is not a number; write a point, not a comma, before the decimals");
  EXPECT_THAT(error("a,b\n1,\n"), HasSubstr(":2:3: a number is missing"));
  EXPECT_THAT(error("a,b\n1,nan\n"), HasSubstr(":2:3: \"nan\" is not finite"));
  EXPECT_THAT(error("a,b\n1,-inf\n"), HasSubstr(":2:3: \"-inf\" is not finite"));
  EXPECT_THAT(error("nan\n"), HasSubstr(":1:1: \"nan\" is not finite"));
  EXPECT_THAT(error("a,b\n1,1e999\n"), HasSubstr(":2:3: \"1e999\" is no number"));
  EXPECT_THAT(error("a,b\n1,0x10\n"), HasSubstr(":2:3: \"0x10\" is not a number"));
  EXPECT_THAT(error("a,b\n1,2 uS\n"), HasSubstr("\"2 uS\" is not a number"));
  EXPECT_THAT(error("a,b\n1,2,3\n"), HasSubstr(":2:5: the row has 3 fields instead of 2"));
  EXPECT_THAT(error("a,b\n1\n"), HasSubstr(":2:1: the row has 1 field instead of 2"));
  EXPECT_THAT(error("a,b\n1,\"2\n"), HasSubstr(":2:3: a quote is not closed"));
  EXPECT_THAT(error("a,b\n1,\"2\"3\n"), HasSubstr(":2:6: text follows a closed quote"));
  EXPECT_THAT(error("a,b\n1,2\xB5\n"), HasSubstr(":2:4: is not UTF-8 (byte 0xb5)"));
  EXPECT_THAT(error(std::string("a,b\n1,2\0\n", 9)),
              HasSubstr(":2:4: is no text (it holds the control character 0x00)"));
  EXPECT_THAT(error("a,b\r1,2\r"), HasSubstr(":1:4: a carriage return stands within the line"));
  EXPECT_THAT(error("\xFF\xFE"), HasSubstr(":1:1: is not UTF-8"));
  EXPECT_THAT(error("# nothing\n\n"), HasSubstr(": holds no table (it has no rows)"));
  EXPECT_THAT(error(""), HasSubstr(": holds no table"));
  EXPECT_THAT(error(std::string(2'000'000, '1')), HasSubstr(":1:1: a line is too long"));
  EXPECT_THAT(error(std::string(400'000, ',')), HasSubstr("a line has too many fields"));
  EXPECT_THAT(error("$DATA1\n.TITLE 'x'\nindex r temper alter#\n1 2.5 25 1\n2 2.4\n"),
              HasSubstr(":5:3: the file ends within a run (2 of its 4 values)"));
  EXPECT_THAT(error("$DATA1\nindex r alter#\n1 failed 1\n"),
              HasSubstr(":3:3: \"failed\" is not a number"));
  EXPECT_THAT(error("index = 1\ntemp = 25\n"), HasSubstr("write the measure file with mt_format"));
}

TEST_F(TextTables, CutWhatTheyQuoteAndShowNoRawBytes) {
  const std::string text = error("a,b\n1,\"" + std::string(500, 'x') + "\"\n");
  EXPECT_LT(text.size(), 200u);
  EXPECT_THAT(error("a,b\n1,\xE2\x80\xAEx\n"), HasSubstr("\\xe2\\x80\\xae"));
}

TEST_F(TextTables, FindColumnsByNameOrNumber) {
  TextTable read = table("cell,lrs_ohm,hrs_ohm,x,x\n0,1,2,3,4\n");
  EXPECT_EQ(read.column("hrs_ohm", "--hrs"), 2u);
  EXPECT_EQ(read.column("2", "--hrs"), 1u);
  const auto refusal = [&](const std::string& name) -> std::string {
    try {
      read.column(name, "--hrs " + name);
    } catch (const UsageError& caught) {
      return caught.what();
    }
    return "none";
  };
  EXPECT_THAT(refusal("hsr_ohm"), HasSubstr("--hrs hsr_ohm: \"hsr_ohm\" is no column of"));
  EXPECT_THAT(refusal("hsr_ohm"), HasSubstr("did you mean hrs_ohm?"));
  EXPECT_THAT(refusal("6"), HasSubstr("give a name or a number from 1 to 5"));
  EXPECT_THAT(refusal("0"), HasSubstr("is no column"));
  EXPECT_THAT(refusal("x"), HasSubstr("2 have that name"));
}

TEST_F(TextTables, ReadWholeNumbersWithinARange) {
  TextTable read = table("12,1e2,2.5,-1,300,+7\n");
  const auto row = read.next();
  EXPECT_EQ(read.whole(row[0], 0, 255), 12u);
  EXPECT_EQ(read.whole(row[1], 0, 255), 100u);
  EXPECT_EQ(read.whole(row[5], 0, 255), 7u);
  for (const std::size_t wrong : {2u, 3u, 4u}) {
    EXPECT_THROW(read.whole(row[wrong], 0, 255), DataError) << wrong;
  }
}

TEST_F(TextTables, DoNotDependOnTheLocale) {
  const std::string before = std::setlocale(LC_ALL, nullptr);
  for (const char* name : {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8"}) {
    if (std::setlocale(LC_ALL, name) != nullptr) break;
  }
  TextTable read = table("1.5\n");
  EXPECT_EQ(read.number(read.next()[0]), 1.5);
  std::setlocale(LC_ALL, before.c_str());
}

TEST_F(TextTables, RefuseWhatIsNoFile) {
  EXPECT_THROW(TextTable(folder_ / "missing.csv"), UsageError);
  EXPECT_THROW(TextTable("/dev/zero"), UsageError);
}

}  // namespace
}  // namespace cimstat::core
