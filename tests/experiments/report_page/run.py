#!/usr/bin/env python3
"""Opens pages that `cimstat report` made in headless Chromium and uses them as a reader would.

usage: run.py CIMSTAT CHROMIUM CONFIGS FOLDER SWEEP_PAGES     (exit 77: Chromium is missing, skipped)
SWEEP_PAGES is sweep_sample_pages, which writes pages of made-up sweeps.
"""

import csv
import io
import json
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import time

from devtools import Browser

CIMSTAT, CHROMIUM, CONFIGS, FOLDER, SWEEP_PAGES = sys.argv[1:6]
HOSTILE = '</script></title><img src=x onerror=alert(1)>"\'&'
failures = 0


def check(holds, what):
    global failures
    if not holds:
        failures += 1
    print(("ok   " if holds else "FAIL ") + what, flush=True)


def run(*arguments):
    subprocess.run([CIMSTAT, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)


def make_pages(folder):
    config = pathlib.Path(CONFIGS) / "chen2018_9rows.toml"
    large = pathlib.Path(CONFIGS) / "rram_128rows.toml"
    tables = {
        "exact": [config],
        "sampled": [config, "--set", "table.method=monte_carlo", "--set", "table.trials=50000"],
        "hostile": [config, "--set", "name=" + json.dumps(HOSTILE)],
        "large": [large],
        "codes64": [large, "--set", "column.rows=32", "--set", "converter.references=uniform",
                    "--set", "converter.codes=64"],
    }
    for name, arguments in tables.items():
        run("table", *arguments, "-q", "-o", folder / (name + ".h5"))
        rows = ["--active-rows", "32"] if name == "codes64" else []
        run("report", folder / (name + ".h5"), *rows, "-o", folder / (name + ".html"))
    run("accuracy", config, "-q", "--table", folder / "exact.h5", "-o", folder / "accuracy.h5",
        "--set", "accuracy.data_set=" + str(make_images(folder)), "--layers", "--sensitivity")
    run("report", folder / "exact.h5", folder / "accuracy.h5", "-o", folder / "answers.html")
    subprocess.run([SWEEP_PAGES, str(folder)], check=True)


def make_images(folder):
    """Twenty made-up images, two of each label, as Fashion-MNIST is stored."""
    images = folder / "images"
    images.mkdir()
    pixels = bytes((7 * i + i * i // 784) % 256 for i in range(20 * 784))
    (images / "t10k-images-idx3-ubyte").write_bytes(struct.pack(">4I", 2051, 20, 28, 28) + pixels)
    (images / "t10k-labels-idx1-ubyte").write_bytes(
        struct.pack(">2I", 2049, 20) + bytes(i % 10 for i in range(20)))
    return images


def complaints(page):
    """Errors in the console, broken policies, exceptions, dialogs."""
    found = [entry["entry"]["text"] for entry in page.events("Log.entryAdded")
             if entry["entry"]["level"] in ("error", "warning")]
    found += [str(entry["args"]) for entry in page.events("Runtime.consoleAPICalled")]
    found += [entry["exceptionDetails"]["text"] for entry in page.events("Runtime.exceptionThrown")]
    found += [entry["message"] for entry in page.events("Page.javascriptDialogOpening")]
    return found


def quiet(page, name):
    page.value("1")  # what was under way has been reported
    check(complaints(page) == [], f"{name}: no console error, exception or broken policy "
                                  f"{complaints(page)[:2]}")
    requests = {event["request"]["url"].split("#")[0]
                for event in page.events("Network.requestWillBeSent")}
    others = {url for url in requests if not url.startswith("blob:null/")}
    check(others <= {(folder / (name + ".html")).as_uri()}, f"{name}: requests nothing {others}")


def try_theme(page):
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.value(ground)
    page.value("document.getElementById('theme-system').focus()")
    page.press("ArrowRight", 39)
    check(page.value("document.activeElement.id") == "theme-light", "arrow keys move the switch")
    page.press("ArrowRight", 39)
    dark = page.value(ground)
    check(dark != light, f"the switch makes the page dark ({light} to {dark})")
    page.send("Emulation.setEmulatedMedia", media="print")
    check(page.value("getComputedStyle(document.documentElement).getPropertyValue('--card')")
          == "#fff", "paper is light though the page is dark")
    check(page.value("getComputedStyle(document.querySelector('.bar')).display") == "none",
          "no controls on paper")
    check(page.value("[...document.querySelectorAll('.pane')].every("
                     "(pane) => getComputedStyle(pane).display === 'block')"),
          "every pane is on paper")
    page.send("Emulation.setEmulatedMedia", media="")
    page.value("document.querySelector('input[name=theme]:checked').focus()")  # hidden on paper
    page.press("ArrowLeft", 37)
    page.press("ArrowLeft", 37)
    check(page.value("document.querySelector('input[name=theme]:checked').value") == "system"
          and page.value(ground) == light, "and back to the system's theme")
    page.send("Emulation.setEmulatedMedia",
              features=[{"name": "prefers-color-scheme", "value": "dark"}])
    check(page.value(ground) == dark, "the page follows the system")
    page.send("Emulation.setEmulatedMedia",
              features=[{"name": "prefers-color-scheme", "value": "light"}])


def numbers(page, name):
    text = page.value(f"document.getElementById('csv-{name}').textContent")
    return text, list(csv.DictReader(io.StringIO(text)))


def try_map(page, name):
    """Keyboard alone: Tab reaches the map, arrows move, the line below says the number."""
    page.value("document.querySelector('#confusion summary').focus()")
    page.press("Tab", 9, modifiers=8)
    focus = "document.activeElement.className"
    check(page.value(focus) == "map", f"{name}: Tab reaches the heat map {page.value(focus)}")
    for key, code in (("Home", 36), ("Home", 36), ("ArrowRight", 39), ("ArrowUp", 38)):
        page.press(key, code)
    said = page.value("document.querySelector('#confusion output').textContent")
    rows = {(row["mac_value"], row["code"]): row for row in numbers(page, "confusion")[1]}
    probability = float(rows["1", "1"]["probability"])
    expected = "MAC value 1 gives code 1: " + ("1 " if probability == 1.0 else "1 − ")
    check(said.startswith(expected), f"{name}: {said} ({probability})")
    if probability < 1.0:
        digits, power = re.match(".* 1 − ([0-9.]+) × 10⁻([⁰¹²³⁴⁵⁶⁷⁸⁹]+)", said).groups()
        missing = float(digits) * 10.0 ** -int(power.translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")))
        check(abs(missing / (1.0 - probability) - 1.0) < 2e-3, f"{name}: 1 - P is {missing}")
    page.press("PageUp", 33)
    said = page.value("document.querySelector('#confusion output').textContent")
    hidden = "none seen, below" if "upper" in rows["1", "1"] else "below the error bound,"
    check(re.fullmatch(f"MAC value 9 gives code 1: {hidden} [0-9.]+( × 10⁻[⁰¹²³⁴⁵⁶⁷⁸⁹]+)?", said)
          is not None, f"{name}: {said}")
    page.value("document.querySelector('#confusion .map').scrollIntoView({behavior: 'instant'})")
    box = page.value("(({x, y}) => ({x, y}))("
                     "document.querySelector('#confusion g.cells path').getBoundingClientRect())")
    page.point_at(box["x"] + 8, box["y"] + 8)
    tip = page.value("document.getElementById('tip').hidden ? '' : "
                     "document.getElementById('tip').textContent")
    check(tip.startswith("MAC value "), f"{name}: the pointer gives {tip}")


def try_answers(page, name):
    """Heat maps of answers and codes, by keyboard, beside the numbers below them."""
    for figure, csv_name, key, keys in (
            ("#answers", "answers-sampled-0", ("label", "answer"), "label {} is taken for {}: "),
            ("#layers", "codes-0", ("row", "code"), "layer {}, code {}: ")):
        page.value(f"document.querySelector('{figure} .map').focus()")
        for one, code in (("Home", 36), ("End", 35)):
            page.press(one, code)
        said = page.value(f"document.querySelector('{figure} output').textContent")
        rows = {(row[key[0]], row[key[1]]): row for row in numbers(page, csv_name)[1]}
        found = [row for at, row in rows.items() if said.startswith(keys.format(*at))]
        check(said.endswith("never") or len(found) == 1, f"{name}: {said}")
        total = {}
        for row in rows.values():
            total[row[key[0]]] = total.get(row[key[0]], 0.0) + float(row["share"])
        check(all(abs(share - 1.0) < 1e-4 for share in total.values()) and total,
              f"{name}: the shares of {figure} add up in {len(total)} lines")
    page.click("#answers .tabs label:nth-of-type(2)")
    check(page.value("[...document.querySelectorAll('#answers .map')].map("
                     "(map) => map.getBoundingClientRect().width > 0).join()") == "false,true",
          f"{name}: the other answers are a click away")
    check(len(numbers(page, "costs-0")[1]) == len(numbers(page, "layers-0")[1]) > 0,
          f"{name}: layers and what they cost are listed")


def try_numbers(page, name):
    page.send("Browser.setDownloadBehavior", behavior="allow",
              downloadPath=str(folder / "saved"), eventsEnabled=True)
    page.value("document.querySelector('#misread summary').focus()")
    page.press("Enter", 13)
    page.send("Input.dispatchKeyEvent", type="char", text="\r")
    page.value("new Promise((done) => setTimeout(done, 300))")
    text, rows = numbers(page, "misread")
    check(page.value("document.querySelectorAll('#misread tbody tr').length") == len(rows) > 0,
          f"{name}: Enter opens the numbers as a table of {len(rows)} lines")
    page.click("#misread button[data-save]")
    file = folder / "saved" / page.value(
        "document.querySelector('#misread button[data-save]').dataset.save")
    for _ in range(100):
        if file.exists() and file.read_text() == text:
            break
        time.sleep(0.1)
    check(file.exists() and file.read_text() == text, f"{name}: saved {file.name}")
    page.click("#misread button[data-copy]")
    copied = "document.querySelector('#misread button[data-copy]').textContent"
    page.value("new Promise((done) => setTimeout(done, 300))")
    check(page.value(copied) == "Copied", f"{name}: the numbers can be copied")


def try_print(page, name):
    pdf = page.send("Page.printToPDF", printBackground=True, preferCSSPageSize=True)["data"]
    check(len(pdf) > 40000 and pdf.startswith("JVBERi"), f"{name}: prints ({len(pdf)} letters)")


def try_structure(page, name):
    repeated = page.value("(() => {const ids = [...document.querySelectorAll('[id]')].map("
                          "(one) => one.id); return ids.filter((id, at) => ids.indexOf(id) !== at)})()")
    check(repeated == [], f"{name}: ids are unique {repeated}")
    nameless = page.value("[...document.querySelectorAll('svg:not([aria-label]), "
                          "input:not([id]), section:not([aria-labelledby])')].length")
    check(nameless == 0, f"{name}: pictures, inputs and sections have names")
    broken = page.value("[...document.querySelectorAll('nav a, .skip')].filter((link) => "
                        "!document.getElementById(link.hash.slice(1))).length")
    check(broken == 0, f"{name}: links lead somewhere")
    page.size(380, 800)
    wide = page.value("document.scrollingElement.scrollWidth")
    check(wide <= 380, f"{name}: fits a screen of 380 pixels ({wide})")
    shrunk = page.value("[...document.querySelectorAll('svg')].map((svg) => [svg.getBoundingClientRect()"
                        ".width, Number(svg.getAttribute('width'))]).filter(([shown, drawn]) => "
                        "shown > 0 && shown < drawn - 1)")
    check(shrunk == [], f"{name}: pictures scroll there and keep their size {shrunk}")
    page.size(1200, 900)


def choose(page, selector, value):
    page.value(f"(() => {{const one = document.querySelector({json.dumps(selector)}); "
               f"one.value = {json.dumps(value)}; one.dispatchEvent(new Event("
               "one.type === 'range' ? 'input' : 'change', {bubbles: true}))})()")


def picture(page, figure):
    return page.value(f"document.querySelector('[data-sweep={figure}] svg').innerHTML")


def caption(page, figure):
    return page.value(f"document.querySelector('[data-sweep={figure}] .slice').textContent")


def changes(page, figure, selector, value, what):
    """Whether choosing a value draws another picture and says so."""
    before = picture(page, figure), caption(page, figure)
    choose(page, selector, value)
    after = picture(page, figure), caption(page, figure)
    check(after[0] != before[0] and after[0].count("<") > 20, f"{figure}: {what}")
    return after[1]


def plain_number(text):
    digits, _, power = text.partition(" × 10")
    power = power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
    return float(digits.replace("−", "-")) * 10.0 ** int(power or 0)


def try_grid(page, name):
    """Of made-up misread rates over corner, ratio and sigma: numbers and choices."""
    rows = numbers(page, "sweep")[1]
    said = changes(page, "map", "#map-at-0", "2", "a slider shows another slice")
    check(said.endswith(" at corner = fast"), f"{name}: the line above says {said}")
    page.value("document.querySelector('[data-sweep=map] .map').focus()")
    for key, code in (("Home", 36), ("End", 35), ("PageUp", 33)):
        page.press(key, code)
    said = page.value("document.getElementById('sweep-map-readout').textContent")
    fast = [row for row in rows if row["corner"] == "fast"]
    expected = float(fast[-1]["misread_mean"])  # the greatest ratio, the greatest sigma
    shown = re.match("corner = fast, ratio = 100, sigma = 0.3: ([^(]*) \\(", said)
    check(shown is not None and abs(plain_number(shown[1]) / expected - 1.0) < 1e-3,
          f"{name}: the cell under the cursor is {said} ({expected})")
    changes(page, "map", "#map-quantity", "2", "another quantity")
    changes(page, "map", "#map-range", "slice", "colours over the slice")
    before = page.value("[document.getElementById('map-x').value, "
                        "document.getElementById('map-y').value]")
    changes(page, "map", "#map-x", before[1], "the axes change places")
    check(page.value("[document.getElementById('map-x').value, "
                     "document.getElementById('map-y').value]") == before[::-1],
          f"{name}: the other axis takes the place of the one chosen")
    changes(page, "map", "#map-y", "0", "a named axis goes up")
    check(page.value("[...document.querySelectorAll('[data-sweep=map] .slide')].map("
                     "(one) => one.hidden)") == [True, False, True],
          f"{name}: sliders stand for the axes that the map does not show")
    changes(page, "curve", "#curve-series", "none", "one curve alone")
    changes(page, "curve", "#curve-at-2", "0", "a slider moves the curve")
    title = page.value("document.querySelector('[data-sweep=curve] svg .dot title, "
                       "[data-sweep=curve] svg .mark title').textContent")
    check(title.startswith("corner = "), f"{name}: a point of the curve says {title}")
    changes(page, "curve", "#curve-x", "0", "a curve over words")
    changes(page, "curve", "#curve-range", "slice", "an axis around the slice")


def try_samples(page, name):
    changes(page, "scatter", "#scatter-at-0", "0", "a slider shows another slice of the samples")
    changes(page, "bars", "#bars-at-0", "0", "a slider shows other rank correlations")
    page.value("document.querySelector('[data-sweep=scatter] .plot').scrollIntoView("
               "{behavior: 'instant'})")
    tip = "document.getElementById('tip').hidden ? '' : document.getElementById('tip').textContent"
    box = page.value("(({x, y, width, height}) => ({x, y, width, height}))(document.querySelector("
                     "'[data-sweep=scatter] .dots').getBoundingClientRect())")
    said = set()
    for step in range(1, 30):
        page.point_at(box["x"] + box["width"] * step / 30, box["y"] + box["height"] / 4)
        said.add(page.value(tip))
    said.discard("")
    check(len(said) > 3 and all("sigma = " in one for one in said),
          f"{name}: the pointer finds samples, such as {sorted(said)[:1]}")


def try_sweep_without_script(page):
    page.send("Emulation.setScriptExecutionDisabled", value=True)
    page.open((folder / "sweep-grid.html").as_uri())
    page.send("Emulation.setScriptExecutionDisabled", value=False)
    drawn = page.value("[...document.querySelectorAll('.sweep svg')].map((one) => "
                       "one.querySelectorAll('path').length)")
    check(len(drawn) == 2 and min(drawn) > 20, f"without the script there are pictures {drawn}")
    check(page.value("getComputedStyle(document.querySelector('.choices')).display") == "none",
          "without the script there is nothing to choose")


def try_sweeps(page):
    for name in ("grid", "sampled", "few", "mixed", "odd", "one", "line", "large",
                 "large-sampled", "hostile"):
        name = "sweep-" + name
        seconds = page.open((folder / (name + ".html")).as_uri())
        size = (folder / (name + ".html")).stat().st_size
        quiet(page, name)
        check(size < 5_000_000 and seconds < 20, f"{name}: {size} bytes, loaded in {seconds:.2f} s")
        try_structure(page, name)
        if name == "sweep-grid":
            try_theme(page)
            try_grid(page, name)
            try_print(page, name)
        if name == "sweep-mixed":
            try_samples(page, name)
        quiet(page, name)
    check("<img" not in page.value("document.body.innerHTML"), "hostile texts of a sweep stay text")
    try_sweep_without_script(page)


def try_without_script(page):
    page.send("Emulation.setScriptExecutionDisabled", value=True)
    page.open((folder / "exact.html").as_uri())
    page.send("Emulation.setScriptExecutionDisabled", value=False)
    shown = page.value("(() => {const details = document.querySelector('#misread details'); "
                       "details.open = true; return details.innerText})()")
    check("mac_value,misread,error_bound" in shown, "without the script the numbers are text")
    page.send("Emulation.setScriptExecutionDisabled", value=False)


def try_policy(page):
    """The checks above would see a script that the policy forbids."""
    text = (folder / "exact.html").read_text()
    (folder / "changed.html").write_text(text.replace("'use strict';", "'use strict'; "))
    page.open((folder / "changed.html").as_uri())
    page.value("1")
    check(any("Content Security Policy" in said for said in complaints(page)),
          "a script of another hash is refused")


if not shutil.which(CHROMIUM):
    print("skipped: Chromium is missing (.ci/install browser)")
    sys.exit(77)
folder = pathlib.Path(FOLDER)
shutil.rmtree(folder, ignore_errors=True)
(folder / "saved").mkdir(parents=True)
make_pages(folder)
with Browser(CHROMIUM) as browser:
    tab = browser.page()
    for kind in ("exact", "sampled"):
        tab.open((folder / (kind + ".html")).as_uri())
        quiet(tab, kind)
        try_theme(tab)
        try_map(tab, kind)
        try_numbers(tab, kind)
        try_print(tab, kind)
        try_structure(tab, kind)
        quiet(tab, kind)
    tab.open((folder / "answers.html").as_uri())
    quiet(tab, "answers")
    try_answers(tab, "answers")
    try_print(tab, "answers")
    try_structure(tab, "answers")
    quiet(tab, "answers")
    tab.open((folder / "hostile.html").as_uri())
    quiet(tab, "hostile")
    check(tab.value("document.title") == HOSTILE, "a hostile name is text")
    both = []
    for kind in ("large", "codes64"):  # both open at once
        both.append(browser.page())
        seconds = both[-1].open((folder / (kind + ".html")).as_uri())
        size = (folder / (kind + ".html")).stat().st_size
        quiet(both[-1], kind)
        check(size < 2_000_000, f"{kind}: {size} bytes, loaded in {seconds:.2f} s")
        try_structure(both[-1], kind)
    try_sweeps(tab)
    try_policy(tab)
    try_without_script(tab)
print(f"{'FAILED' if failures else 'all passed'}: {failures} failures")
sys.exit(1 if failures else 0)
