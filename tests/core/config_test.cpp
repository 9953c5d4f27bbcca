#include "core/config/config.h"

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/utf8.h"

namespace cimstat::core {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::uint64_t kAny = std::numeric_limits<std::uint64_t>::max();

constexpr std::string_view kMacro = R"(title = "nine rows"
trials = 1e9

[cell.lrs]
# the filament is formed
distribution = "lognormal"
sigma  = -0.1
resistance = "6 kohm"
samples = [1, 2,
  "3 kohm", "4 V"]
[cell.hrs]
sigma = 0.2
)";

using Reads = std::function<void(const Config&)>;

/// The message that reading (and finish) ends with; "" for none.
std::string message_of(std::string_view text, const Reads& reads,
                       const std::vector<std::string>& overrides = {}) {
  try {
    const Config config = Config::from_text(text, "macro.toml", overrides);
    reads(config);
    config.finish();
  } catch (const UsageError& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  return "";
}

void nothing(const Config&) {}

Reads read_number(std::string key, Quantity quantity, Range range) {
  return [=](const Config& config) { config.number(key, quantity, range); };
}

Config parsed(std::string_view text, const std::vector<std::string>& overrides = {}) {
  return Config::from_text(text, "macro.toml", overrides);
}

// ---- values

TEST(Config, ReadsEachKindOfValue) {
  const Config config = parsed(R"(
trials = 1e9
seed = 7
name = "Chen"
fast = true
r = "6 kohm"
plain = 6000
list = [1, 2.5, "3 %"]
rows = [9, 1e2]
)");
  EXPECT_EQ(config.count("trials", 1, kAny), 1'000'000'000u);
  EXPECT_EQ(config.count("seed", 0, kAny), 7u);
  EXPECT_EQ(config.text("name"), "Chen");
  EXPECT_TRUE(config.flag_or("fast", false));
  EXPECT_EQ(config.number("r", Quantity::resistance, Range::positive()), 6000.0);
  EXPECT_EQ(config.number("plain", Quantity::resistance, Range::positive()), 6000.0);
  EXPECT_EQ(config.numbers("list", Quantity::ratio, {}), (std::vector<double>{1.0, 2.5, 0.03}));
  EXPECT_EQ(config.counts("rows", 1, 200), (std::vector<std::uint64_t>{9, 100}));
  config.finish();
}

TEST(Config, FallsBackOnDefaultsAndRecordsThem) {
  const Config config = parsed("");
  const std::vector<std::string_view> methods{"exact", "auto"};
  EXPECT_EQ(config.number_or("v", Quantity::voltage, Range::positive(), 0.2), 0.2);
  EXPECT_EQ(config.count_or("n", 1, 10, 3), 3u);
  EXPECT_EQ(config.text_or("name", "x"), "x");
  EXPECT_EQ(config.choice_or("method", methods, "auto"), "auto");
  EXPECT_TRUE(config.flag_or("on", true));
  EXPECT_EQ(config.canonical(), "method = \"auto\"\nn = 3\nname = \"x\"\non = true\nv = 0.2\n");
}

TEST(Config, TellsTheKindOfAKey) {
  const Config config =
      parsed("a = \"x\"\nb = 1\nc = 1.5\nd = true\ne = []\ng = 2020-01-01\n[f]\n");
  EXPECT_EQ(config.kind_of("a"), "text");
  EXPECT_EQ(config.kind_of("b"), "integer");
  EXPECT_EQ(config.kind_of("c"), "number");
  EXPECT_EQ(config.kind_of("d"), "flag");
  EXPECT_EQ(config.kind_of("e"), "array");
  EXPECT_EQ(config.kind_of("f"), "table");
  EXPECT_EQ(config.kind_of("g"), "date");
  EXPECT_EQ(config.kind_of("h"), "");
}

TEST(Config, ReadsCountsBeyondTomlsIntegersFromText) {
  const Config config = parsed("seed = \"18446744073709551615\"");
  EXPECT_EQ(config.count("seed", 0, kAny), kAny);
  EXPECT_EQ(config.canonical(), "seed = \"18446744073709551615\"\n");
}

// ---- messages, each with its place

TEST(ConfigError, NamesAValueOutOfRangeAtItsPlace) {
  const auto sigma = [](const Config& config) {
    config.table("cell").table("lrs").number("sigma", Quantity::ratio, Range::not_negative());
  };
  EXPECT_EQ(message_of(kMacro, sigma),
            "macro.toml:7:10: cell.lrs.sigma: -0.1 is out of range (must be >= 0); write a "
            "non-negative number");
  EXPECT_EQ(message_of("v = \"3 V\"", read_number("v", Quantity::voltage, {0.0, 1.2, true, false})),
            "macro.toml:1:5: v: \"3 V\" is out of range (must be > 0 and <= 1.2 V); write a number "
            "between 0 and 1.2 V");
  EXPECT_EQ(message_of("r = 0", read_number("r", Quantity::resistance, Range::positive())),
            "macro.toml:1:5: r: 0 is out of range (must be > 0); write a positive number");
  EXPECT_EQ(
      message_of("p = 2", read_number("p", Quantity::ratio, Range::fraction())),
      "macro.toml:1:5: p: 2 is out of range (must be >= 0 and <= 1); write a number between 0 "
      "and 1");
  EXPECT_EQ(message_of("r = 1", read_number("r", Quantity::resistance, {2000.0})),
            "macro.toml:1:5: r: 1 is out of range (must be >= 2 kohm); write a larger number");
}

TEST(ConfigError, NamesTheExpectedUnit) {
  const auto voltage = [](const Config& config) {
    config.table("cell").table("lrs").number("resistance", Quantity::voltage, {});
  };
  EXPECT_EQ(message_of(kMacro, voltage),
            "macro.toml:8:14: cell.lrs.resistance: \"6 kohm\" is not a voltage (the unit \"kohm\" "
            "where V is needed); write a voltage such as \"0.2 V\"");
  EXPECT_EQ(message_of("p = \"6 V\"", read_number("p", Quantity::ratio, {})),
            "macro.toml:1:5: p: \"6 V\" is not a number (the unit \"V\" where only % may stand); "
            "write a number such as 0.05");
  EXPECT_EQ(message_of("r = \"much\"", read_number("r", Quantity::resistance, {})),
            "macro.toml:1:5: r: \"much\" is not a resistance (no number in it); write a resistance "
            "such as \"6 kohm\"");
}

TEST(ConfigError, PointsAtTheItemOfAList) {
  const auto samples = [](const Config& config) {
    config.table("cell").table("lrs").numbers("samples", Quantity::resistance, {});
  };
  EXPECT_EQ(message_of(kMacro, samples),
            "macro.toml:10:13: cell.lrs.samples[3]: \"4 V\" is not a resistance (the unit \"V\" "
            "where ohm is needed); write a resistance such as \"6 kohm\"");
  EXPECT_EQ(message_of("rows = [1, 0]", [](const Config& c) { c.counts("rows", 1, 9); }),
            "macro.toml:1:12: rows[1]: 0 is out of range (must be a whole number from 1 to 9); "
            "write 1 or more");
  EXPECT_EQ(message_of("rows = 4", [](const Config& c) { c.counts("rows", 1, 9); }),
            "macro.toml:1:8: rows: 4 is not a list (its kind is integer); write whole numbers in "
            "square brackets");
}

TEST(ConfigError, RefusesNumbersThatAreNotFinite) {
  for (const std::string value : {"nan", "inf", "-inf"}) {
    EXPECT_EQ(message_of("a = " + value, read_number("a", Quantity::ratio, {})),
              "macro.toml:1:5: a: " + value +
                  " is not a number (it is not finite); write a number such as 0.05");
  }
  EXPECT_THAT(message_of("a = \"nan V\"", read_number("a", Quantity::voltage, {})),
              HasSubstr("no number in it"));
  EXPECT_THAT(message_of("a = \"1e400 V\"", read_number("a", Quantity::voltage, {})),
              HasSubstr("beyond the range of numbers"));
}

TEST(ConfigError, RefusesCountsThatAreNotWhole) {
  const auto count = [](const Config& config) { config.count("n", 1, 5); };
  EXPECT_EQ(message_of("n = 2.5", count),
            "macro.toml:1:5: n: 2.5 is not a count (must be a whole number from 1 to 5); write an "
            "integer such as 5");
  EXPECT_EQ(message_of("n = -3", count),
            "macro.toml:1:5: n: -3 is out of range (must be a whole number from 1 to 5); write 1 "
            "or more");
  EXPECT_EQ(message_of("n = -3.0", [](const Config& config) { config.count("n", 1, kAny); }),
            "macro.toml:1:5: n: -3 is out of range (must be a whole number >= 1); write 1 or "
            "more");
  for (const std::string value : {"1e30", "nan", "\"many\"", "true", "[]", "2020-01-01"}) {
    EXPECT_THAT(message_of("n = " + value, count), HasSubstr("is not a count")) << value;
  }
}

TEST(ConfigError, TellsWhichKindWasFound) {
  const std::vector<std::string_view> choices{"normal", "lognormal"};
  EXPECT_EQ(message_of("a = true", read_number("a", Quantity::time, {})),
            "macro.toml:1:5: a: true is not a time (its kind is flag); write a time such as "
            "\"10 ns\"");
  EXPECT_EQ(message_of("a = 1", [](const Config& config) { config.text("a"); }),
            "macro.toml:1:5: a: 1 is not a text (its kind is integer); put it in quotes");
  EXPECT_EQ(message_of("a = 1", [](const Config& config) { config.flag_or("a", true); }),
            "macro.toml:1:5: a: 1 is not a flag (its kind is integer); write true or false");
  EXPECT_EQ(message_of("a = 1", [](const Config& config) { config.table("a"); }),
            "macro.toml:1:5: a: 1 is not a table (its kind is integer); write a section [a]");
  EXPECT_EQ(message_of("[[a]]", [](const Config& config) { config.table_or_empty("a"); }),
            "macro.toml:1:1: a: [...] is not a table (its kind is array); write a section [a]");
  EXPECT_EQ(message_of("a = 1", [&](const Config& config) { config.choice("a", choices); }),
            "macro.toml:1:5: a: 1 is not a choice (one of normal, lognormal); write one of them, "
            "such as \"normal\"");
}

TEST(ConfigError, OffersTheNearestChoice) {
  const std::vector<std::string_view> choices{"normal", "lognormal"};
  EXPECT_EQ(message_of("a = \"lognromal\"", [&](const Config& c) { c.choice("a", choices); }),
            "macro.toml:1:5: a: \"lognromal\" is not a choice (one of normal, lognormal); did you "
            "mean \"lognormal\"?");
}

TEST(ConfigError, PointsAtTheTableOfAMissingKey) {
  const auto resistance = [](const Config& config) {
    config.table("cell").table("hrs").number("resistance", Quantity::resistance, {});
  };
  EXPECT_EQ(message_of(kMacro, resistance),
            "macro.toml:11:1: cell.hrs.resistance: is missing (a resistance such as \"6 kohm\" is "
            "needed); add it to [cell.hrs]");
  EXPECT_EQ(message_of("\n\na = 1", [](const Config& config) { config.text("name"); }),
            "macro.toml:1:1: name: is missing (a text is needed); add it at the top of the file");
  const auto in_absent = [](const Config& config) {
    config.table("cell").table_or_empty("extra").count("rows", 1, 9);
  };
  EXPECT_EQ(
      message_of("\n[cell]", in_absent),
      "macro.toml:2:1: cell.extra.rows: is missing (a whole number from 1 to 9 is needed); add "
      "it to [cell.extra]");
}

TEST(ConfigError, SuspectsAMisspeltKeyWhereOneIsMissing) {
  EXPECT_EQ(message_of(kMacro, [](const Config& config) { config.table("cel"); }),
            "macro.toml:1:1: cel: is missing (a table is needed); did you misspell it as cell?");
}

TEST(ConfigError, RefusesUnknownKeysAtTheirPlaceWithTheNearestKnownOne) {
  const auto reads = [](const Config& config) {
    const ConfigTable lrs = config.table("cell");
    lrs.number_or("sigma", Quantity::ratio, {}, 0.1);
    lrs.number_or("median", Quantity::conductance, {}, 1.0);
  };
  EXPECT_EQ(message_of("[cell]\n  sgima = 1\n", reads),
            "macro.toml:2:3: cell.sgima: is unknown (known here: median, sigma); did you mean "
            "sigma?");
  EXPECT_EQ(message_of("[cell]\n", reads), "");
  EXPECT_EQ(message_of("[cell]\nx = 1\n[other]\ny = 1\nz = 2\n", reads),
            "macro.toml:2:1: cell.x: is unknown (known here: median, sigma; also not used: "
            "other); remove it");
  EXPECT_EQ(message_of("median = 1\n[cell]\n", reads),
            "macro.toml:1:1: median: is unknown (known here: cell); did you mean cell.median?");
}

TEST(ConfigError, RefusesAKeyThatWasAskedForButNotRead) {
  const auto reads = [](const Config& config) {
    if (config.has("median")) config.count_or("rows", 1, 9, 1);
  };
  EXPECT_EQ(message_of("median = 1\nrows = 2", reads),
            "macro.toml:1:1: median: has no effect here (what else is set leaves no use for it); "
            "remove it");
}

TEST(ConfigError, LetsTheProgramPointAtAKeyOrATable) {
  EXPECT_EQ(message_of(kMacro,
                       [](const Config& config) {
                         config.table("cell").table("hrs").fail("sigma", "contradicts the mean",
                                                                "both are given", "remove one");
                       }),
            "macro.toml:12:9: cell.hrs.sigma: contradicts the mean (both are given); remove one");
  EXPECT_EQ(message_of(kMacro,
                       [](const Config& config) {
                         config.table("cell").table("hrs").fail("", "is odd (it is)");
                       }),
            "macro.toml:11:1: cell.hrs: is odd (it is)");
  EXPECT_EQ(message_of("", [](const Config& config) { config.fail("", "is odd"); }),
            "macro.toml:1:1: is odd");
}

// The parser's behaviour is undefined there (toml++ 3.3 reaches what it takes for unreachable).
TEST(ConfigError, RefusesCharactersBeyondAsciiOutsideOfQuotes) {
  EXPECT_EQ(message_of("x = 1\na = 40 \u00B5S\n", nothing),
            "macro.toml:2:8: is not valid TOML (a character beyond ASCII outside of quotes); put "
            "text and quantities in quotes: a = \"40 \u00B5S\"");
  EXPECT_THAT(message_of("\u00B5 = 1", nothing), StartsWith("macro.toml:1:1: is not valid TOML"));
  // Five quotes: the string's own last two and its end.
  EXPECT_THAT(message_of("a = \"\"\"x\"\"\"\"\"\u00B5", nothing),
              StartsWith("macro.toml:1:14: is not valid TOML"));
  // A quote inside of a number opens no string, and three quotes open no key.
  for (const char* number :
       {"2\"", "2=\"", "[1, 2=\"", "2.\"", "[2[\"", "1\n\"\"\"d = \"&\"\n\""}) {
    EXPECT_THAT(message_of(std::string("a = ") + number + "\u00B5\"", nothing),
                HasSubstr("is not valid TOML"))
        << number;
  }
  EXPECT_EQ(message_of("a = [\n1, \"\u00B5\"]\nb = {c.\"\u00B5\" = \"\u00B5\", d = '\u00B5'}",
                       [](const Config& config) {
                         config.leave_out("a");
                         config.leave_out("b");
                       }),
            "");
  const auto text = [](const Config& config) { config.text("a"); };
  EXPECT_EQ(message_of("\uFEFFa = \"\u00B5\" # \u00B5", text), "");
  EXPECT_EQ(message_of("", text, {"a=40 \u00B5S"}), "");
  EXPECT_THAT(message_of("", text, {"\u00B5=1"}), StartsWith("--set \u00B5: is not a key"));
}

TEST(ConfigError, KeepsCharactersBeyondAsciiInTextsKeysAndMessages) {
  const Config config = parsed(
      "a = \"\u0080\u00B5\u07FF\u0800\u2013\uFFFD\U0001F600\"\n"
      "\"\u00B5\" = 'x'\nescaped = \"\\u00B5\\U000DD800\\U000D007F\"");
  EXPECT_EQ(config.text("a"), "\u0080\u00B5\u07FF\u0800\u2013\uFFFD\U0001F600");
  EXPECT_EQ(config.text("\u00B5"), "x");
  EXPECT_EQ(config.text("escaped"), "\u00B5\U000DD800\U000D007F");
}

TEST(ConfigError, KeepsThePlaceOfBadToml) {
  EXPECT_EQ(
      message_of("x = 1\na = 6 kohm # why\n", nothing),
      "macro.toml:2:7: is not valid TOML (while parsing key-value pair: expected a comment or "
      "whitespace, saw 'k'); put text and quantities in quotes: a = \"6 kohm\"");
  EXPECT_THAT(message_of("a = \n", nothing), StartsWith("macro.toml:1:5: is not valid TOML ("));
  EXPECT_THAT(message_of("a = \n", nothing), HasSubstr("write a value after the \"=\""));
  EXPECT_THAT(message_of("a = 1\na = 3\n", nothing), HasSubstr("); correct this line"));
  EXPECT_THAT(message_of("[a\nb = 2\n", nothing), StartsWith("macro.toml:1:3: is not valid TOML"));
  EXPECT_THAT(message_of("a = \"x\n", nothing), StartsWith("macro.toml:1:7: is not valid TOML"));
}

TEST(ConfigError, StaysOnOneLineWhateverTheFileHolds) {
  // message_of checks for line breaks.
  EXPECT_EQ(message_of("\"a\\nb\" = 1", nothing),
            "macro.toml:1:1: \"a\\nb\": is unknown (known here: nothing); remove it");
  EXPECT_EQ(
      message_of("a = \"x\\r\\ny\"", read_number("a", Quantity::ratio, {})),
      "macro.toml:1:5: a: \"x\\r\\ny\" is not a number (no number in it); write a number such "
      "as 0.05");
  EXPECT_THAT(
      message_of("a = \"" + std::string(1000, 'x') + "\"", read_number("a", Quantity::ratio, {})),
      HasSubstr("\"" + std::string(60, 'x') + "\"... is not a number"));
  try {
    Config::from_text("a", "two\nlines.toml");
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), StartsWith("two\\x0alines.toml:1:"));
  }
}

TEST(ErrorLine, LeavesOutWhatIsEmpty) {
  EXPECT_EQ(error_line("a.toml", "is odd"), "a.toml: is odd");
  EXPECT_EQ(error_line("a.toml", "is odd", "it is"), "a.toml: is odd (it is)");
  EXPECT_EQ(error_line("a.toml", "is odd", "", "go"), "a.toml: is odd; go");
  EXPECT_EQ(error_line("--set x", "is odd", "it is", "go"), "--set x: is odd (it is); go");
  const std::string endless(5000, 'x');
  const std::string cut = std::string(1024, 'x') + "...";
  EXPECT_EQ(error_line(endless, endless, endless, endless),
            cut + ": " + cut + " (" + cut + "); " + cut);
}

TEST(ErrorLine, ShowsWhatWouldActOnATerminal) {
  EXPECT_EQ(error_line("a\nb", "\x1b[2J", "\x7f", "\xff"), "a\\x0ab: \\x1b[2J (\\x7f); \\xff");
  EXPECT_EQ(one_line("\u009b1m \u2028 \u202e \u2066"),
            "\\xc2\\x9b1m \\xe2\\x80\\xa8 \\xe2\\x80\\xae \\xe2\\x81\\xa6");
  EXPECT_EQ(one_line("\u03a9 \u20ac \U0001F600"), "\u03a9 \u20ac \U0001F600");
}

// ---- the text as a whole

TEST(ConfigText, MustBeUtf8) {
  EXPECT_EQ(message_of("x = 1\na = \"\xc3\xa9\xff\"", nothing),
            "macro.toml:2:7: is not UTF-8 text (byte 0xff); name a TOML file, saved as UTF-8");
  for (const char* bad :
       {"\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
    EXPECT_THAT(message_of(std::string("a = \"") + bad + "\"", nothing), HasSubstr("UTF-8")) << bad;
  }
  EXPECT_EQ(message_of("a = \"\u03a9 \u20ac \U0001F600\"", [](const Config& c) { c.text("a"); }),
            "");
}

TEST(ConfigText, MayStartWithAByteOrderMarkAndEndLinesAsOnWindows) {
  EXPECT_EQ(message_of("\xef\xbb\xbf"
                       "a = 1\r\nb = \"x\"\r\n",
                       [](const Config& config) {
                         config.count("a", 1, 1);
                         config.text("b");
                       }),
            "");
}

TEST(ConfigText, NestedTooDeepIsRefusedAndNotACrash) {
  const auto repeated = [](std::string_view part, std::size_t times) {
    std::string result;
    for (std::size_t index = 0; index < times; ++index) result += part;
    return result;
  };
  for (const std::string& text :
       {"a = " + repeated("[", 500'000), "a = " + repeated("{a=", 300'000),
        "[" + repeated("a.", 500'000) + "a]", repeated("a.", 500'000) + "a = 1",
        repeated("\"a\" . ", 100'000) + "a = 1",
        repeated("[a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a]\n", 9),
        "a = [\n" + repeated("[\n", 100'000)}) {
    EXPECT_THAT(message_of(text, nothing), HasSubstr("is nested too deep (more than 16 levels)"));
  }
  EXPECT_EQ(message_of("[a]\n" + repeated("b.", 17) + "c = 1", nothing),
            "macro.toml:2:32: is nested too deep (more than 16 levels); use fewer levels");
}

TEST(ConfigText, DotsInCommentsTextAndNumbersAreNotNesting) {
  const std::string dots(100, '.');
  std::string text = "# " + dots + "\na = \"" + dots + "\" # " + dots + "\nb = '" + dots +
                     "'\nc = \"\"\"\n" + dots + " \\\" \"\n" + dots + "\"\"\"\nd = [";
  for (int item = 0; item < 100; ++item) text += "1.5,";
  text += "]\n";
  EXPECT_EQ(message_of(text,
                       [](const Config& config) {
                         for (const char* key : {"a", "b", "c"}) config.text(key);
                         config.numbers("d", Quantity::ratio, {});
                       }),
            "");
}

TEST(ConfigText, IsReadFromAFileOrRefusedWithAReason) {
  const std::filesystem::path directory =
      std::filesystem::path(::testing::TempDir()) / "cimstat_config_test";
  std::filesystem::create_directories(directory);
  const auto refusal = [](const std::filesystem::path& file) -> std::string {
    try {
      Config::from_file(file);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "";
  };
  const std::filesystem::path good = directory / "good.toml";
  std::ofstream(good) << "a = 1\n";
  EXPECT_EQ(Config::from_file(good).count("a", 1, 1), 1u);
  const std::filesystem::path bad = directory / "bad.toml";
  std::ofstream(bad) << "a == 1\n";
  EXPECT_THAT(refusal(bad), StartsWith(bad.string() + ":1:4: is not valid TOML"));
  const std::filesystem::path absent = directory / "absent.toml";
  EXPECT_EQ(refusal(absent), absent.string() + ": can't be read (no such file); check the path");
  EXPECT_EQ(refusal(directory),
            directory.string() + ": can't be read (it is a directory); name a TOML file");
  const std::filesystem::path large = directory / "large.toml";
  std::ofstream(large) << std::string((1 << 20) + 1, '#');
  EXPECT_EQ(refusal(large),
            large.string() +
                ": is too long for a configuration (more than 1 MiB); check that it "
                "is the right file");
  std::filesystem::remove_all(directory);
}

// ---- --set

TEST(ConfigSet, ReplacesAddsAndMakesTables) {
  const Config config =
      parsed("[cell]\nr = 1\nkept = 2\n",
             {"cell.r=6 kohm", "cell.new.deep=[1, 2]", "name=bare word", "on=true", "trials = 1e6",
              "cell.r=\"7 kohm\"", "\"odd key\".x=''"});
  const ConfigTable cell = config.table("cell");
  EXPECT_EQ(cell.number("r", Quantity::resistance, {}), 7000.0);
  EXPECT_EQ(cell.count("kept", 0, 9), 2u);
  EXPECT_EQ(cell.table("new").counts("deep", 0, 9), (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(config.text("name"), "bare word");
  EXPECT_TRUE(config.flag_or("on", false));
  EXPECT_EQ(config.count("trials", 1, kAny), 1'000'000u);
  EXPECT_EQ(config.table("odd key").text("x"), "");
  config.finish();
}

TEST(ConfigSet, IsThePlaceOfItsErrors) {
  const auto reads = [](const Config& config) {
    config.table("cell").table("lrs").number("sigma", Quantity::ratio, Range::not_negative());
  };
  EXPECT_EQ(message_of("", reads, {"cell.lrs.sigma=-1"}),
            "--set cell.lrs.sigma: -1 is out of range (must be >= 0); write a non-negative number");
  EXPECT_EQ(
      message_of(kMacro, reads, {"cell.lrs={sigma=-1}"}),
      "--set cell.lrs: cell.lrs.sigma: -1 is out of range (must be >= 0); write a non-negative "
      "number");
  EXPECT_EQ(
      message_of("", reads, {"cell.lrs.x=1"}),
      "--set cell.lrs.x: cell.lrs.sigma: is missing (a number such as 0.05 is needed); add it "
      "to [cell.lrs]");
  EXPECT_EQ(message_of("[cell.lrs]\nsigma = 1", reads, {"cell.lrs.sgima=1"}),
            "--set cell.lrs.sgima: is unknown (known here: sigma); did you mean sigma?");
}

TEST(ConfigSet, RefusesWhatItCantRead) {
  const auto refusal = [](const std::string& assignment) {
    return message_of("title = \"x\"\nlist = [1]\n", nothing, {assignment});
  };
  EXPECT_EQ(refusal("title"),
            "--set title: has no value (key=value is needed); write --set title=...");
  EXPECT_EQ(refusal("a="),
            "--set a: has no value (key=value is needed); write the value after the \"=\", or \"\" "
            "for an empty text");
  EXPECT_EQ(
      refusal("a..b=1"),
      "--set a..b: is not a key (names joined by dots are needed); write --set table.key=value");
  EXPECT_EQ(refusal("=1"),
            "--set : is not a key (names joined by dots are needed); write --set table.key=value");
  EXPECT_THAT(message_of("", nothing, {"#=1"}), StartsWith("--set #: is not a key"));
  EXPECT_EQ(refusal("title.b=1"),
            "--set title.b: title is \"x\" (of the kind text, not a table); set title itself");
  EXPECT_EQ(refusal("list.b=1"),
            "--set list.b: list is [...] (of the kind array, not a table); set list itself");
  EXPECT_THAT(refusal("a=[1"),
              StartsWith("--set a: \"[1\" is not a TOML value (while parsing array"));
  EXPECT_THAT(refusal("a=1\nb=2"), StartsWith("--set a=1\\x0ab=2: holds a control character"));
  EXPECT_THAT(refusal("a=\xff"), HasSubstr("UTF-8"));
  std::string deep = "a";
  for (int level = 0; level < 100'000; ++level) deep += ".a";
  EXPECT_THAT(refusal(deep + "=1"), HasSubstr("nested too deep"));
  EXPECT_THAT(refusal("a=" + std::string(100'000, '[')), HasSubstr("nested too deep"));
}

// ---- the canonical form

void read_everything(const Config& config) {
  config.count("trials", 1, kAny);
  config.count_or("seed", 0, kAny, kAny);
  const ConfigTable cell = config.table("cell");
  cell.number("r", Quantity::resistance, {});
  cell.number_or("t", Quantity::temperature, {}, 298.15);
  cell.numbers("list", Quantity::ratio, {});
  cell.counts("rows", 0, 9);
  const ConfigTable odd = config.table_or_empty("a \"b\".c\n[d]");
  odd.text_or("k = \x7f", "tab\t quote\" back\\slash \u03a9");
  odd.flag_or("on", false);
  config.table("empty");
  config.table_or_empty("unused");
  const ConfigTable run = config.table_or_empty("run");
  run.count_or("threads", 0, 64, 0);
  config.leave_out("run");
  config.text_or("out", "x.h5");
  config.leave_out("out");
}

TEST(ConfigCanonical, IsSortedResolvedAndReadsBackToItself) {
  const Config config = parsed(
      "trials = 1e9\n[run]\nthreads = 7\n[empty]\n[cell]\nrows = []\nlist = [0.1, 1e300, 1]\n"
      "r = \"6.2 kohm\"\n");
  read_everything(config);
  config.finish();
  const std::string canonical = config.canonical();
  EXPECT_EQ(canonical,
            "seed = \"18446744073709551615\"\n"
            "trials = 1000000000\n"
            "\n[\"a \\\"b\\\".c\\n[d]\"]\n"
            "\"k = \\u007F\" = \"tab\\t quote\\\" back\\\\slash \u03a9\"\n"
            "on = false\n"
            "\n[cell]\n"
            "list = [0.1, 1e+300, 1.0]\n"
            "r = 6200.0\n"
            "rows = []\n"
            "t = 298.15\n"
            "\n[empty]\n");
  const Config again = parsed(canonical);
  read_everything(again);
  again.finish();
  EXPECT_EQ(again.canonical(), canonical);
}

TEST(ConfigCanonical, KeepsEveryBitOfANumber) {
  for (const double value : {0.1, 1.0 / 3.0, 4e-05, 5e-324, 1.7976931348623157e308, -0.0, 1e16,
                             123456789012345680.0, 6.02214076e23}) {
    const Config config = parsed("");
    config.number_or("x", Quantity::ratio, {}, value);
    const Config again = parsed(config.canonical());
    const double read = again.number("x", Quantity::ratio, {});
    EXPECT_EQ(read, value);
    EXPECT_EQ(std::signbit(read), std::signbit(value));
    EXPECT_EQ(again.canonical(), config.canonical());
  }
}

TEST(ConfigCanonical, DoesNotDependOnHowTheFileWasWritten) {
  const auto canonical = [](std::string_view text, const std::vector<std::string>& overrides) {
    const Config config = parsed(text, overrides);
    const ConfigTable cell = config.table("cell");
    cell.number("r", Quantity::resistance, {});
    cell.count_or("rows", 1, 9, 4);
    return config.canonical();
  };
  const std::string one = canonical("[cell]\nr = \"6 kohm\"\nrows = 4 # four\n", {});
  EXPECT_EQ(canonical("cell = { rows = 4.0, r = 6000 }", {}), one);
  EXPECT_EQ(canonical("", {"cell.r=6e3"}), one);
}

// ---- quantities and words

TEST(Quantity, ReadsPrefixesAndUnits) {
  EXPECT_EQ(parse_quantity("6 kohm", Quantity::resistance), 6000.0);
  EXPECT_EQ(parse_quantity("6k\u03a9", Quantity::resistance), 6000.0);
  EXPECT_EQ(parse_quantity(" 1.5 M\u2126 ", Quantity::resistance), 1.5e6);
  EXPECT_EQ(parse_quantity("40 uS", Quantity::conductance), 40e-6);
  EXPECT_EQ(parse_quantity("40 \u00b5S", Quantity::conductance), 40e-6);
  EXPECT_EQ(parse_quantity("40 \u03bcS", Quantity::conductance), 40e-6);
  EXPECT_EQ(parse_quantity("0.2 V", Quantity::voltage), 0.2);
  EXPECT_EQ(parse_quantity("+.5mV", Quantity::voltage), 0.5e-3);
  EXPECT_EQ(parse_quantity("-1.5e3 uA", Quantity::current), -1.5e-3);
  EXPECT_EQ(parse_quantity("3 aA", Quantity::current), 3e-18);
  EXPECT_EQ(parse_quantity("3 fA", Quantity::current), 3e-15);
  EXPECT_EQ(parse_quantity("3 pA", Quantity::current), 3e-12);
  EXPECT_EQ(parse_quantity("10 ns", Quantity::time), 1e-8);
  EXPECT_EQ(parse_quantity("2 Gohm", Quantity::resistance), 2e9);
  EXPECT_EQ(parse_quantity("2 Tohm", Quantity::resistance), 2e12);
  EXPECT_EQ(parse_quantity("25 degC", Quantity::temperature), 298.15);
  EXPECT_EQ(parse_quantity("25 C", Quantity::temperature), 298.15);
  EXPECT_EQ(parse_quantity("25 \u00b0C", Quantity::temperature), 298.15);
  EXPECT_EQ(parse_quantity("25 C", Quantity::charge), 25.0);  // coulombs
  EXPECT_EQ(parse_quantity("1 fC", Quantity::charge), 1e-15);
  EXPECT_EQ(parse_quantity("1 h", Quantity::time), 3600.0);
  EXPECT_EQ(parse_quantity("30 days", Quantity::time), 2592000.0);
  EXPECT_EQ(parse_quantity("250 ns", Quantity::time), 250e-9);
  EXPECT_EQ(parse_quantity("1.5min", Quantity::time), 90.0);
  EXPECT_DOUBLE_EQ(parse_quantity("-40 \u00b0C", Quantity::temperature), 233.15);
  EXPECT_EQ(parse_quantity("300 K", Quantity::temperature), 300.0);
  EXPECT_EQ(parse_quantity("1.5 fF", Quantity::capacitance), 1.5e-15);
  EXPECT_EQ(parse_quantity("0.5 fC", Quantity::charge), 0.5e-15);
  EXPECT_EQ(parse_quantity("28 nm", Quantity::length), 28e-9);
  EXPECT_EQ(parse_quantity("2 mm", Quantity::length), 2e-3);
  EXPECT_EQ(parse_quantity("5 %", Quantity::ratio), 0.05);
  EXPECT_EQ(parse_quantity("0.05", Quantity::ratio), 0.05);
  EXPECT_EQ(parse_quantity("6000", Quantity::resistance), 6000.0);
}

TEST(Quantity, RefusesWhatIsNotOne) {
  const auto refused = [](std::string_view text, Quantity quantity) {
    EXPECT_THROW(parse_quantity(text, quantity), std::invalid_argument) << text;
  };
  for (const char* text : {"",           " ",        "ohm",     "nan ohm",   "inf",
                           "6 Kohm",     "6 kV",     "6 k",     "6 %",       "6 ohm x",
                           "6,5 ohm",    "0x10 ohm", "--6 ohm", "1e999 ohm", "1e99999999999 ohm",
                           "1e-999 ohm", "1..2 ohm", ". ohm",   "6 degC",    "6 kkohm"}) {
    refused(text, Quantity::resistance);
  }
  refused("5 degC", Quantity::voltage);
  refused("5 kdegC", Quantity::temperature);
  refused("5 mC", Quantity::temperature);
  refused("5 degC", Quantity::charge);
  refused("5 m", Quantity::ratio);
}

TEST(Quantity, IsWrittenWithAFittingPrefix) {
  EXPECT_EQ(format_quantity(6000.0, Quantity::resistance), "6 kohm");
  EXPECT_EQ(bound_text(8.05e-13), "9e-13");
  EXPECT_EQ(bound_text(8e-13), "8e-13");
  EXPECT_EQ(bound_text(9.01e-10), "1e-09");
  EXPECT_EQ(bound_text(0.0), "0e+00");
  EXPECT_EQ(format_quantity(40e-6, Quantity::conductance), "40 uS");
  EXPECT_EQ(format_quantity(0.2, Quantity::voltage), "200 mV");
  EXPECT_EQ(format_quantity(1.0, Quantity::voltage), "1 V");
  EXPECT_EQ(format_quantity(-1.23456e-6, Quantity::current), "-1.235 uA");
  EXPECT_EQ(format_quantity(999.97, Quantity::voltage), "1 kV");
  EXPECT_EQ(format_quantity(987654.0, Quantity::resistance, 2), "990 kohm");
  EXPECT_EQ(format_quantity(1e-20, Quantity::current), "0.01 aA");
  EXPECT_EQ(format_quantity(0.0, Quantity::time), "0 s");
  EXPECT_EQ(format_quantity(0.05, Quantity::ratio), "0.05");
  EXPECT_EQ(format_quantity(298.15, Quantity::temperature), "25 degC");
}

TEST(Quantity, ReadsBackWhatItWrites) {
  for (int exponent = -18; exponent <= 14; ++exponent) {
    const double value = 1.234 * std::pow(10.0, exponent);
    const double read =
        parse_quantity(format_quantity(value, Quantity::current), Quantity::current);
    EXPECT_NEAR(read, value, 1e-12 * value);
  }
}

TEST(Nearest, FindsOnlyWhatIsNearEnoughToBeMeant) {
  const std::vector<std::string> known{"distribution", "median", "sigma", "trials"};
  EXPECT_EQ(nearest("sgima", known), "sigma");
  EXPECT_EQ(nearest("Sigma", known), "sigma");
  EXPECT_EQ(nearest("medain", known), "median");
  EXPECT_EQ(nearest("trial", known), "trials");
  EXPECT_EQ(nearest("distrbution", known), "distribution");
  EXPECT_EQ(nearest("x", known), std::nullopt);
  EXPECT_EQ(nearest("", known), std::nullopt);
  EXPECT_EQ(nearest("resistance", known), std::nullopt);
  EXPECT_EQ(nearest(std::string(100'000, 's'), known), std::nullopt);
}

}  // namespace
}  // namespace cimstat::core
