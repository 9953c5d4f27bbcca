// The page works without this file: figures, numbers as CSV text and the system's theme are plain
// HTML. It adds what needs a hand: theme switch, tooltips, heat maps by pointer and keyboard,
// numbers as tables, saving and copying. No network, no storage but the theme.
const pageTools = (function () {
  'use strict';
  const root = document.documentElement;
  root.classList.add('js');

  // ---- theme
  const choices = [...document.querySelectorAll('input[name="theme"]')];
  function useTheme(name) {
    if (name === 'system') delete root.dataset.theme;
    else root.dataset.theme = name;
  }
  let kept = null;
  try {
    kept = localStorage.getItem('cimstat-theme');
  } catch (error) {
    kept = null;  // storage may be shut to files
  }
  for (const choice of choices) {
    if (choice.value === kept) choice.checked = true;
    choice.addEventListener('change', () => {
      useTheme(choice.value);
      try {
        localStorage.setItem('cimstat-theme', choice.value);
      } catch (error) {
        return;
      }
    });
  }
  const chosen = choices.find((choice) => choice.checked);
  if (chosen) useTheme(chosen.value);

  // ---- tooltips: browsers show <title> late; this shows it at once
  const tip = document.createElement('div');
  tip.id = 'tip';
  tip.hidden = true;
  tip.setAttribute('aria-hidden', 'true');
  document.body.append(tip);
  function showTip(text, x, y) {
    tip.hidden = !text;
    if (!text) return;
    tip.textContent = text;
    const width = tip.offsetWidth;
    const right = x + 14 + width > innerWidth - 6;
    tip.style.left = Math.max(4, right ? x - width - 10 : x + 14) + 'px';
    tip.style.top = Math.min(y + 16, innerHeight - tip.offsetHeight - 4) + 'px';
  }
  document.addEventListener('mousemove', (event) => {
    let at = event.target;
    let text = '';
    while (at && at.closest && at.closest('svg')) {
      const title = at.querySelector(':scope>title');
      if (title) {
        at.dataset.tip = title.textContent;
        title.remove();
      }
      if (at.dataset.tip) {
        text = at.dataset.tip;
        break;
      }
      at = at.parentNode;
    }
    if (!at || !at.closest || !at.closest('.map, .nearest')) showTip(text, event.clientX, event.clientY);
  });
  document.addEventListener('mouseout', (event) => {
    if (!event.relatedTarget) showTip('', 0, 0);
  });

  // ---- numbers
  function parsed(text) {  // RFC 4180
    const rows = [];
    let row = [];
    let field = '';
    let quoted = false;
    for (let at = 0; at < text.length; ++at) {
      const letter = text[at];
      if (quoted) {
        if (letter !== '"') field += letter;
        else if (text[at + 1] === '"') field += text[at++];
        else quoted = false;
      } else if (letter === '"') {
        quoted = true;
      } else if (letter === ',') {
        row.push(field);
        field = '';
      } else if (letter === '\n') {
        row.push(field);
        rows.push(row);
        row = [];
        field = '';
      } else {
        field += letter;
      }
    }
    return rows;
  }
  function textOf(id) {
    return document.getElementById(id).textContent;
  }
  function tableOf(text) {
    const [names, ...rows] = parsed(text);
    const table = document.createElement('table');
    const head = table.createTHead().insertRow();
    for (const name of names) {
      const cell = document.createElement('th');
      cell.scope = 'col';
      cell.textContent = name;
      head.append(cell);
    }
    const body = table.createTBody();
    for (const row of rows) {
      const line = body.insertRow();
      for (const field of row) line.insertCell().textContent = field;
    }
    return table;
  }
  function save(name, text) {
    const link = document.createElement('a');
    const address = URL.createObjectURL(new Blob([text], {type: 'text/csv;charset=utf-8'}));
    link.href = address;
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
  }
  function copyByHand(text) {
    const area = document.createElement('textarea');
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch (error) {
      return copyByHand(text);
    }
  }
  for (const button of document.querySelectorAll('button[data-save]')) {
    button.addEventListener('click', () => save(button.dataset.save, textOf(button.dataset.of)));
  }
  for (const button of document.querySelectorAll('button[data-copy]')) {
    const label = button.textContent;
    button.addEventListener('click', async () => {
      button.textContent = (await copy(textOf(button.dataset.copy))) ? 'Copied' : 'Copying failed';
      setTimeout(() => { button.textContent = label; }, 2000);
    });
  }
  const longest = 1e6;  // letters; as a table such a text would stop the browser for long
  for (const details of document.querySelectorAll('details.numbers')) {
    details.addEventListener('toggle', () => {
      const text = details.querySelector('pre');
      if (!details.open || text.hidden || text.textContent.length > longest) return;
      const scroll = document.createElement('div');
      scroll.className = 'scroll';
      scroll.tabIndex = 0;
      scroll.setAttribute('role', 'region');
      scroll.setAttribute('aria-label', 'table of numbers');
      scroll.append(tableOf(text.textContent));
      text.hidden = true;
      text.after(scroll);
    });
  }

  // ---- heat maps
  const raised = '⁰¹²³⁴⁵⁶⁷⁸⁹';
  function numberText(value, digits) {
    if (value === 0) return '0';
    if (value > 0.999 && value < 1) return `1 − ${numberText(1 - value, digits)}`;
    if (value >= 1e-3) return String(Number(value.toPrecision(digits)));
    const [mantissa, exponent] = value.toExponential(digits - 1).split('e');
    const power = exponent.slice(1).replace(/[0-9]/g, (digit) => raised[digit]);
    return `${Number(mantissa)} × 10${exponent[0] === '-' ? '⁻' : ''}${power}`;
  }
  function rateText(row) {
    if ('error_bound' in row) {
      if (row.value <= row.error_bound) return `< ${numberText(row.error_bound, 2)} (error bound)`;
      return `${numberText(row.value, 4)} ± ${numberText(row.error_bound, 1)}`;
    }
    if ('upper' in row) {
      if (row.value === 0) return `none seen (below ${numberText(row.upper, 2)})`;
      const ends = `${numberText(row.lower, 3)} to ${numberText(row.upper, 3)}`;
      return `${numberText(row.value, 4)} (${ends})`;
    }
    return numberText(row.value, 4);
  }
  function rangeText(first, step, last) {
    const end = Math.min(first + step - 1, last);
    return step === 1 || end === first ? `${first}` : `${first}–${end}`;
  }

  class HeatMap {
    constructor(frame) {
      this.frame = frame;
      this.data = frame.dataset;
      this.cells = frame.querySelector('g.cells');
      this.readout = document.getElementById(this.data.readout);
      this.columns = Number(this.data.columns);
      this.rows = Number(this.data.rows);
      this.at = null;
      this.index = null;
      this.cursor = document.createElementNS('http://www.w3.org/2000/svg', 'path');
      this.cursor.setAttribute('class', 'cursor');
      frame.addEventListener('pointermove', (event) => this.point(event));
      frame.addEventListener('pointerdown', (event) => this.point(event));
      frame.addEventListener('pointerleave', () => showTip('', 0, 0));
      frame.addEventListener('keydown', (event) => this.press(event));
    }
    lookUp(x, y) {
      if (!this.index) {
        this.index = new Map();
        const [names, ...rows] = parsed(textOf(this.data.of));
        for (const fields of rows) {
          const row = {};
          names.forEach((name, place) => { row[name] = Number(fields[place]); });
          row.value = row[this.data.value];
          this.index.set(`${row[this.data.x]} ${row[this.data.y]}`, row);
        }
      }
      return this.index.get(`${x} ${y}`);
    }
    describe() {
      const step = {x: Number(this.data.xStep), y: Number(this.data.yStep)};
      const x = Number(this.data.xFirst) + this.at.x * step.x;
      const y = Number(this.data.yFirst) + this.at.y * step.y;
      const place = (axis) => rangeText(axis === 'x' ? x : y, step[axis],
                                        Number(this.data[axis + 'Last']));
      const row = this.lookUp(x, y);
      const where = this.data.text.replace('{x}', place('x')).replace('{y}', place('y'))
          .replace(' 1 active rows', ' 1 active row');
      if (row) return `${where}: ${rateText(row)}`;
      if (!this.data.limits) return `${where}: ${this.data.absent}`;
      const level = this.data.x === 'mac_value' ? this.at.x : this.at.y;
      const limit = Number(this.data.limits.split(' ')[level]);
      return `${where}: ${this.data.absent} ${numberText(limit, 2)}`;
    }
    move(x, y) {
      this.at = {x: Math.max(0, Math.min(this.columns - 1, x)),
                 y: Math.max(0, Math.min(this.rows - 1, y))};
      this.cursor.setAttribute('d', `M${this.at.x} ${this.at.y}h1v1h-1z`);
      this.cells.append(this.cursor);
      this.readout.textContent = this.describe();
    }
    point(event) {
      const place = new DOMPoint(event.clientX, event.clientY)
          .matrixTransform(this.cells.getScreenCTM().inverse());
      const x = Math.floor(place.x);
      const y = Math.floor(place.y);
      if (x < 0 || y < 0 || x >= this.columns || y >= this.rows) return showTip('', 0, 0);
      this.move(x, y);
      showTip(this.readout.textContent, event.clientX, event.clientY);
    }
    press(event) {
      const now = this.at || {x: 0, y: 0};
      const to = {
        ArrowLeft: [now.x - 1, now.y],
        ArrowRight: [now.x + 1, now.y],
        ArrowDown: [now.x, now.y - 1],
        ArrowUp: [now.x, now.y + 1],
        Home: [0, now.y],
        End: [this.columns - 1, now.y],
        PageDown: [now.x, 0],
        PageUp: [now.x, this.rows - 1],
      }[event.key];
      if (!to || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      if (this.at) this.move(...to);
      else this.move(0, 0);
    }
  }
  for (const frame of document.querySelectorAll('.map')) {
    if (!frame.closest('.sweep')) new HeatMap(frame);
  }

  // What the script of a page of another kind goes on with.
  return {HeatMap, parsed, showTip, textOf};
})();
