
// Pages of sweeps: quantity, axes and slices are chosen, and the pictures drawn anew from the
// numbers on the page. What the page shows without this file is the first choice.
(function (tools) {
  'use strict';
  const holder = document.getElementById('sweep-layout');
  if (!holder) return;
  const {dimensions, axes, scalars, confidence, computed} = JSON.parse(holder.dataset.layout);
  const curveLimit = 7;
  const markLimit = 150;
  const dotLimit = 5000;
  const whiskerLimit = 200;

  // ---- numbers
  function columnsOf(text) {
    const [names, ...rows] = tools.parsed(text);
    return names.map((name, place) => Float64Array.from(
        rows, (row) => (row[place] === '' ? NaN : Number(row[place]))));
  }
  const columns = columnsOf(tools.textOf(holder.dataset.of));
  const strides = dimensions.map(() => 1);
  for (let at = dimensions.length - 2; at >= 0; --at) {
    strides[at] = strides[at + 1] * dimensions[at + 1].size;
  }
  function pointAt(indices) {
    return indices.reduce((point, index, place) => point + index * strides[place], 0);
  }
  function numberAt(axis, point) {  // of a sampled axis, in its unit
    return axis.words ? axis.numbers[point % dimensions[axis.dimension].size]
                      : columns[axes.indexOf(axis)][point] / axis.size;
  }
  function valueAt(scalar, point) { return columns[scalar.column][point] / scalar.size; }
  function endAt(scalar, point, which) {
    const end = scalar.interval ? columns[scalar.column + which][point] / scalar.size : NaN;
    return Number.isNaN(end) ? valueAt(scalar, point) : end;
  }
  const lowerAt = (scalar, point) => endAt(scalar, point, 1);
  const upperAt = (scalar, point) => endAt(scalar, point, 2);
  function knowledge(scalar, point) {
    const value = valueAt(scalar, point);
    if (Number.isNaN(value)) return 'nothing';
    if (!scalar.interval || Number.isNaN(columns[scalar.column + 1][point])) return 'value';
    const lower = lowerAt(scalar, point);
    const upper = upperAt(scalar, point);
    if (scalar.rate && upper > 0 && (computed ? lower : value) <= 0) return 'limit';
    if (lower === upper) return 'value';
    return scalar.rate && computed ? 'bound' : 'interval';
  }

  // ---- texts
  const raised = '⁰¹²³⁴⁵⁶⁷⁸⁹';
  function powerText(exponent) {
    const digits = String(Math.abs(exponent)).replace(/[0-9]/g, (digit) => raised[digit]);
    return `10${exponent < 0 ? '⁻' : ''}${digits}`;
  }
  function numberText(value, digits) {
    if (!Number.isFinite(value)) return '–';
    if (value < 0) return `−${numberText(-value, digits)}`;
    if (value === 0) return '0';
    if (value >= 1e-3 && value < 1e6) {
      const whole = Math.floor(Math.log10(value)) + 1;
      return String(Number(value.toPrecision(Math.max(digits, whole))));
    }
    const [mantissa, exponent] = value.toExponential(digits - 1).split('e');
    const power = powerText(Number(exponent));
    return Number(mantissa) === 1 ? power : `${Number(mantissa)} × ${power}`;
  }
  function withUnit(text, unit) { return unit ? `${text} ${unit}` : text; }
  function limitText(value) {
    const step = 10 ** (Math.floor(Math.log10(value)) - 1);
    return numberText(Math.ceil(value / step * (1 - 1e-3)) * step, 2);
  }
  function estimateText(scalar, point) {
    const known = knowledge(scalar, point);
    const upper = upperAt(scalar, point);
    if (known === 'nothing') return 'not known';
    if (known === 'limit') {
      return computed ? `not above ${limitText(upper)} (error bound)`
                      : `none seen (below ${limitText(upper)})`;
    }
    const value = valueAt(scalar, point);
    const text = withUnit(numberText(value, 4), scalar.unit);
    if (known === 'value') return text;
    if (known === 'bound') return `${text} (± ${numberText(upper - value, 1)})`;
    const lower = lowerAt(scalar, point);
    let digits = 2;
    while (digits < 6 && numberText(lower, digits - 1) === numberText(upper, digits - 1)) ++digits;
    return `${text} (${numberText(lower, digits)} to ${numberText(upper, digits)})`;
  }
  function shortened(text, letters) {
    const all = [...text];
    if (all.length <= letters) return text;
    const tail = Math.floor(letters / 3);
    return `${all.slice(0, letters - tail - 1).join('')}…${all.slice(-tail).join('')}`;
  }
  function coordinateText(axis, indices) {
    if (!axis.sampled) return axis.texts[indices[axis.dimension]];
    const number = numberAt(axis, pointAt(indices));
    return axis.words ? axis.texts[number] : withUnit(numberText(number, 4), axis.unit);
  }
  function placeText(indices, taken) {
    return axes.filter((axis) => !taken.includes(axis.dimension))
        .map((axis) => `${axis.name} = ${coordinateText(axis, indices)}`).join(', ');
  }

  // ---- scales
  function roundStep(step) {
    const power = 10 ** Math.floor(Math.log10(step));
    return [1, 2, 5, 10].find((factor) => factor * power >= step * (1 - 1e-9)) * power;
  }
  function linearTicks(low, high, wanted) {
    if (!(high > low)) return [{value: low, label: numberText(low, 3)}];
    const step = roundStep((high - low) / wanted);
    const decimals = Math.min(20, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
    const ticks = [];
    for (let at = Math.ceil(low / step - 1e-9); at <= Math.floor(high / step + 1e-9); ++at) {
      const label = Math.abs(at * step).toFixed(decimals);
      ticks.push({value: at * step, label: at < 0 ? `−${label}` : label});
    }
    return ticks;
  }
  function powerTicks(low, high, wanted) {
    const first = Math.ceil(Math.log10(low) - 1e-9);
    const last = Math.floor(Math.log10(high) + 1e-9);
    const decades = Math.max(last - first, 1);
    const every = Math.max(1, Math.ceil(decades / wanted));
    const fine = decades <= 2;
    const ticks = [];
    for (let exponent = first - 1; exponent <= last; ++exponent) {
      for (let factor = 1; factor < 10; ++factor) {
        const value = factor * 10 ** exponent;
        if (value < low * (1 - 1e-9) || value > high * (1 + 1e-9)) continue;
        if (factor > 1 && every > 1) continue;
        let label = '';
        if (factor === 1 && (last - exponent) % every === 0) {
          label = fine ? numberText(value, 1) : powerText(exponent);
        }
        if (fine && (factor === 2 || factor === 5)) label = numberText(value, 1);
        ticks.push({value, label});
      }
    }
    return ticks;
  }
  function textTicks(texts, width) {
    const letters = Math.min(20, Math.max(1, ...texts.map((text) => [...text].length)));
    const wanted = Math.max(1, Math.floor(width / (7 * letters + 14)));
    const step = Math.ceil(texts.length / Math.min(wanted, texts.length));
    return texts.map((text, value) => ({value, label: shortened(text, 20)}))
        .filter((tick) => tick.value % step === 0);
  }
  function extent(numbers) {
    let least = Infinity;
    let most = -Infinity;
    for (const number of numbers) {
      if (!Number.isFinite(number)) continue;
      least = Math.min(least, number);
      most = Math.max(most, number);
    }
    return [least, most];
  }
  /** Where a number of the axis stands between 0 and cells - 1, and the scale of these places. */
  function placesOf(axis, numbers, cells, wanted) {
    const room = Math.min(0.4, Math.max(0.1, 0.03 * cells));
    const scale = {title: axis.title, low: -room, high: cells - 1 + room};
    if (axis.words) return {...scale, place: (n) => n, ticks: textTicks(axis.texts, 95 * wanted)};
    const [least, most] = extent(numbers);
    if (!(most > least)) {
      const middle = 0.5 * (cells - 1);
      return {...scale, place: () => middle,
              ticks: [{value: middle, label: numberText(least, 3)}]};
    }
    const place = axis.log
        ? (number) => Math.log(number / least) / Math.log(most / least) * (cells - 1)
        : (number) => (number - least) / (most - least) * (cells - 1);
    const ticks = axis.log ? powerTicks(least, most, wanted) : linearTicks(least, most, wanted);
    return {...scale, place, ticks: ticks.map((tick) => ({...tick, value: place(tick.value)}))};
  }
  /** Ends of a scale around these points; those of all points where `points` is null. */
  function rangeOf(scalar, points, withEnds) {
    if (!points) {
      return withEnds ? {low: scalar.low, high: scalar.high}
                      : {low: scalar.least, high: scalar.most};
    }
    const numbers = [];
    for (const point of points) {
      const known = knowledge(scalar, point);
      if (known === 'nothing') continue;
      if (known !== 'limit') numbers.push(valueAt(scalar, point));
      if (withEnds) numbers.push(lowerAt(scalar, point), upperAt(scalar, point));
    }
    const [least, most] = extent(scalar.log ? numbers.filter((number) => number >= 1e-18) : numbers);
    if (!(most >= least)) return rangeOf(scalar, null, withEnds);
    if (scalar.log) {
      const low = 10 ** Math.floor(Math.log10(least) + 1e-9);
      const high = 10 ** Math.ceil(Math.log10(most) - 1e-9);
      return {low: low === high ? low / 10 : low, high};
    }
    if (!withEnds) return {low: least, high: most};
    const room = most > least ? 0.05 * (most - least) : Math.max(0.1 * Math.abs(most), 1e-3);
    return {low: least - room, high: most + room};
  }

  // ---- drawing, as svg_plot.cpp does it
  function element(name, attributes, text) {
    const made = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  }
  const pixels = (number) => String(Math.round(number * 10) / 10);
  let clips = 0;
  class Picture {
    constructor(label, width, height, x, y, room) {
      this.x = x;
      this.y = y;
      this.top = room.above;
      this.bottom = height - (x.title ? 48 : 28);
      this.width = width;
      this.svg = element('svg', {width, height, viewBox: `0 0 ${width} ${height}`, role: 'img',
                                 'aria-label': label});
      if (!y.ticks) {
        const wanted = Math.max(2, Math.floor((this.bottom - this.top) / 44));
        y.ticks = y.log ? powerTicks(y.low, y.high, wanted) : linearTicks(y.low, y.high, wanted);
      }
      const widest = Math.max(0, ...y.ticks.map((tick) => 7 * [...tick.label].length));
      this.left = widest + 15 + (y.title ? 24 : 0);
      this.right = width - room.right;
      this.drawAxes(height);
    }
    static part(axis, value) {
      if (!axis.log) return (value - axis.low) / (axis.high - axis.low);
      return Math.log(Math.max(value, axis.low * 1e-9) / axis.low) / Math.log(axis.high / axis.low);
    }
    across(value) { return this.left + Picture.part(this.x, value) * (this.right - this.left); }
    down(value) {
      const reach = 2 * (this.bottom - this.top);
      const height = this.bottom - Picture.part(this.y, value) * (this.bottom - this.top);
      return Math.max(-reach, Math.min(reach, height));
    }
    add(name, attributes, text) {
      const made = element(name, attributes, text);
      this.svg.append(made);
      return made;
    }
    path(route, style, within) {
      const made = element('path', {class: style, d: route});
      (within || this.svg).append(made);
      return made;
    }
    text(x, y, style, text) { this.add('text', {class: style, x: pixels(x), y: pixels(y)}, text); }
    drawAxes(height) {
      const {left, right, top, bottom} = this;
      for (const tick of this.y.ticks) {
        if (!tick.label) continue;
        this.path(`M${pixels(left)} ${pixels(this.down(tick.value))}H${pixels(right)}`, 'grid');
      }
      const id = `sweep-clip-${++clips}`;
      const clip = this.add('clipPath', {id});
      clip.append(element('rect', {x: pixels(left), y: pixels(top - 0.5),
                                   width: pixels(right - left + 0.5),
                                   height: pixels(bottom - top + 1)}));
      this.curves = this.add('g', {'clip-path': `url(#${id})`});
      for (const tick of this.x.ticks) {
        const at = pixels(this.across(tick.value));
        this.path(`M${at} ${pixels(bottom)}v${tick.label ? 5 : 3}`, 'axis');
        if (tick.label) this.text(this.across(tick.value), bottom + 18, 'label middle', tick.label);
      }
      for (const tick of this.y.ticks) {
        const at = this.down(tick.value);
        this.path(`M${pixels(left)} ${pixels(at)}h${tick.label ? -5 : -3}`, 'axis');
        if (tick.label) this.text(left - 9, at + 4, 'label end', tick.label);
      }
      this.path(`M${pixels(left)} ${pixels(top)}V${pixels(bottom)}H${pixels(right)}`, 'axis');
      if (this.x.title) {
        this.text((left + right) / 2, height - 8, 'axis-title middle', this.x.title);
      }
      if (this.y.title) this.upright(14, this.y.title);
    }
    upright(at, text) {
      const middle = pixels((this.top + this.bottom) / 2);
      this.add('text', {class: 'axis-title middle',
                        transform: `translate(${pixels(at)} ${middle})rotate(-90)`}, text);
    }
    mark(style, hover) {
      const group = this.add('g', {class: `mark ${style}`});
      if (hover) group.append(element('title', {}, hover));
      return group;
    }
    dot(x, y, radius, style, hover) {
      const made = this.add('circle', {class: `dot ${style}`, cx: pixels(this.across(x)),
                                       cy: pixels(this.down(y)), r: radius});
      made.append(element('title', {}, hover));
    }
    measured(x, value, lower, upper, style, hover) {
      const centre = this.across(x);
      const high = Math.max(this.down(upper), this.top);
      const low = Math.min(this.down(lower), this.bottom);
      const group = this.mark(style, hover);
      if (low - high >= 1) {
        this.path(`M${pixels(centre - 3)} ${pixels(high)}h6M${pixels(centre)} ${pixels(high)}` +
                  `V${pixels(low)}M${pixels(centre - 3)} ${pixels(low)}h6`, 'line', group);
      }
      this.path(`M${pixels(centre)} ${pixels(high - 5)}V${pixels(low + 5)}`, 'hit', group);
      group.append(element('circle', {class: 'dot', cx: pixels(centre),
                                      cy: pixels(this.down(value)), r: 3}));
    }
    upperLimit(x, y, style, hover) {
      const centre = this.across(x);
      const high = Math.min(this.down(y), this.bottom - 20);
      const low = Math.min(high + 22, this.bottom - 1);
      const group = this.mark(style, hover);
      this.path(`M${pixels(centre - 5)} ${pixels(high)}h10M${pixels(centre)} ${pixels(high)}` +
                `V${pixels(low)}l-3.5 -5m3.5 5l3.5 -5`, 'line', group);
      this.path(`M${pixels(centre)} ${pixels(high)}V${pixels(low)}`, 'hit', group);
    }
    legend(items) {
      let left = this.left;
      for (const {sign, style, label} of items) {
        const group = this.mark(style, '');
        if (sign === 'patch') {
          group.append(element('rect', {class: style, x: pixels(left), y: 8, width: 18, height: 12}));
        } else {
          this.path(`M${pixels(left + 9)} 8v12`, 'line', group);
          group.append(element('circle', {class: 'dot', cx: pixels(left + 9), cy: 14, r: 3.5}));
        }
        this.text(left + 26, 18, 'label', label);
        left += 50 + 7 * [...label].length;
      }
    }
  }

  // ---- controls
  class Figure {
    constructor(root) {
      this.root = root;
      this.caption = root.querySelector('.slice');
      this.selects = {};
      for (const select of root.querySelectorAll('select')) {
        this.selects[select.dataset.role] = select;
        select.dataset.before = select.value;
        select.addEventListener('change', () => this.choose(select));
      }
      this.sliders = [...root.querySelectorAll('input[type=range]')];
      for (const slider of this.sliders) slider.addEventListener('input', () => this.draw());
    }
    get scalar() { return scalars[Number(this.selects.quantity.value)]; }
    axis(role) {
      const select = this.selects[role];
      return select && select.value !== 'none' ? axes[Number(select.value)] : null;
    }
    /** Two axes can't be the same: they change places. */
    choose(select) {
      for (const role of ['x', 'y', 'series']) {
        const other = this.selects[role];
        const isAxis = ['x', 'y', 'series'].includes(select.dataset.role);
        if (!isAxis || !other || other === select || other.value !== select.value) continue;
        if (select.value === 'none') continue;
        other.value = select.dataset.before === 'none' ? [...other.options].find(
            (option) => option.value !== select.value && option.value !== 'none').value
                                                       : select.dataset.before;
        other.dataset.before = other.value;
      }
      select.dataset.before = select.value;
      this.draw();
    }
    taken() {
      return ['x', 'y', 'series'].map((role) => this.axis(role)).filter((axis) => axis)
          .map((axis) => axis.dimension);
    }
    indices() {
      const indices = dimensions.map(() => 0);
      for (const slider of this.sliders) {
        indices[Number(slider.dataset.dimension)] = Number(slider.value);
      }
      return indices;
    }
    draw() {
      const taken = this.taken();
      const indices = this.indices();
      for (const slider of this.sliders) {
        const dimension = Number(slider.dataset.dimension);
        slider.closest('.slide').hidden = taken.includes(dimension);
        const listed = axes.find((axis) => !axis.sampled && axis.dimension === dimension);
        const text = listed ? listed.texts[indices[dimension]] : String(indices[dimension] + 1);
        slider.setAttribute('aria-valuetext', text);
        slider.nextElementSibling.textContent = shortened(text, 32);
      }
      const where = placeText(indices, taken);
      this.caption.textContent = where ? `${this.scalar.meaning} at ${where}` : this.scalar.meaning;
      this.show(indices);
    }
    isSlice() { return this.selects.range.value === 'slice'; }
  }

  // ---- heat map
  class SweepMap extends tools.HeatMap {
    constructor(frame, figure) {
      super(frame);
      this.figure = figure;
    }
    describe() {
      const point = this.figure.pointOf(this.at.x, this.at.y);
      return `${placeText(this.figure.indicesOf(this.at.x, this.at.y), [])}: ` +
          estimateText(this.figure.scalar, point);
    }
    renew(cells, columns_, rows) {
      this.cells = cells;
      this.columns = columns_;
      this.rows = rows;
      if (this.at) this.move(this.at.x, this.at.y);
    }
  }
  class MapFigure extends Figure {
    constructor(root) {
      super(root);
      this.frame = root.querySelector('.map');
      this.map = new SweepMap(this.frame, this);
    }
    taken() { return [this.axis('x').dimension, this.axis('y').dimension]; }
    indicesOf(column, row) {
      const indices = this.indices();
      indices[this.axis('x').dimension] = column;
      indices[this.axis('y').dimension] = row;
      return indices;
    }
    pointOf(column, row) { return pointAt(this.indicesOf(column, row)); }
    show() {
      const scalar = this.scalar;
      const x = this.axis('x');
      const y = this.axis('y');
      const count = {x: x.texts.length, y: y.texts.length};
      const points = [];
      for (let row = 0; row < count.y; ++row) {
        for (let column = 0; column < count.x; ++column) points.push(this.pointOf(column, row));
      }
      const range = rangeOf(scalar, this.isSlice() ? points : null, false);
      const height = Math.min(460, Math.max(170, 34 * count.y));
      const above = scalar.special ? 44 : 16;  // for the legend
      const every = Math.ceil(count.y / Math.max(1, Math.floor(height / 22)));
      const yTicks = y.texts.map((text, value) => ({value, label: shortened(text, 20)}))
          .filter((tick) => tick.value % every === 0);
      const picture = new Picture(
          `${scalar.name} over ${x.name} and ${y.name}`, 960, height + 48 + above,
          {title: x.name, low: -0.5, high: count.x - 0.5, ticks: textTicks(x.texts, 740)},
          {title: y.name, low: -0.5, high: count.y - 0.5, ticks: yTicks},
          {above, right: 118});
      const routes = new Map();
      let limit = 0;
      let unknown = false;
      points.forEach((point, at) => {
        const known = knowledge(scalar, point);
        const value = valueAt(scalar, point);
        let style = null;
        if (known === 'nothing') {
          unknown = true;
          return;
        }
        if (known === 'limit' || (scalar.log && !(value >= range.low))) {
          style = 'limit';
          limit = Math.max(limit, known === 'limit' ? upperAt(scalar, point) : value);
        } else {
          const part = range.high > range.low
              ? Picture.part({...range, log: scalar.log}, value) : 0.5;
          style = `h${Math.max(0, Math.min(31, Math.floor(part * 32)))}`;
        }
        const route = `M${at % count.x} ${Math.floor(at / count.x)}h1v1h-1z`;
        routes.set(style, (routes.get(style) || '') + route);
      });
      const {left, right, top, bottom} = picture;
      const cells = picture.add('g', {
        class: 'cells',
        transform: `translate(${pixels(left)} ${pixels(bottom)})` +
            `scale(${(right - left) / count.x} ${-(bottom - top) / count.y})`,
      });
      for (const [style, route] of routes) picture.path(route, style, cells);
      this.colourBar(picture, scalar, range);
      const legend = [];
      if (limit > 0) {
        const what = computed ? 'below the error bound or the scale' : 'none seen';
        legend.push({sign: 'patch', style: 'limit', label: `${what}: at most ${limitText(limit)}`});
      }
      if (unknown) legend.push({sign: 'patch', style: 'blank', label: 'not known'});
      picture.legend(legend);
      this.frame.replaceChildren(picture.svg);
      this.map.renew(cells, count.x, count.y);
    }
    colourBar(picture, scalar, range) {
      const left = picture.right + 18;
      const step = (picture.bottom - picture.top) / 32;
      for (let shade = 0; shade < 32; ++shade) {
        picture.path(`M${pixels(left)} ${pixels(picture.bottom - step * shade)}h14` +
                     `V${pixels(picture.bottom - step * (shade + 1))}h-14z`, `h${shade}`);
      }
      const flat = !(range.high > range.low);
      const wanted = Math.max(2, Math.floor((picture.bottom - picture.top) / 44));
      const scale = {low: flat ? range.low - 1 : range.low, high: flat ? range.low + 1 : range.high,
                     log: scalar.log && !flat};
      const ticks = flat ? linearTicks(range.low, range.low, 1)
          : scale.log ? powerTicks(scale.low, scale.high, wanted)
                      : linearTicks(scale.low, scale.high, wanted);
      for (const tick of ticks.filter((one) => one.label)) {
        const part = Picture.part(scale, tick.value);
        const height = picture.bottom - part * (picture.bottom - picture.top);
        picture.path(`M${pixels(left + 14)} ${pixels(height)}h4`, 'axis');
        picture.text(left + 22, height + 4, 'label', tick.label);
      }
      picture.upright(picture.width - 4, scalar.title);
    }
  }

  // ---- curves
  class CurveFigure extends Figure {
    constructor(root) {
      super(root);
      this.frame = root.querySelector('.plot');
    }
    curves(indices) {
      const series = this.axis('series');
      if (!series) return [{style: 's0', label: '', indices, aside: 0}];
      const size = series.texts.length;
      const count = Math.min(size, curveLimit);
      return Array.from({length: count}, (none, index) => {
        const value = count === 1 ? 0
            : Math.floor((index * (size - 1) + Math.floor((count - 1) / 2)) / (count - 1));
        const own = [...indices];
        own[series.dimension] = value;
        const text = shortened(series.texts[value], 13);
        return {style: `s${index}`, indices: own, aside: 0.06 * (index - 0.5 * (count - 1)),
                label: index === 0 ? `${shortened(series.name, 13)} = ${text}` : text};
      });
    }
    show(indices) {
      const scalar = this.scalar;
      const x = this.axis('x');
      const places = placesOf(x, x.numbers, x.texts.length, 9);
      const order = x.numbers.map((number, index) => index)
          .sort((a, b) => x.numbers[a] - x.numbers[b]);
      const curves = this.curves(indices).map((curve) => ({
        ...curve,
        marks: order.map((index) => {
          const own = [...curve.indices];
          own[x.dimension] = index;
          const point = pointAt(own);
          const aside = x.words ? curve.aside : 0;  // marks would hide each other
          return {place: places.place(x.numbers[index]) + aside, point,
                  hover: `${placeText(own, [])}: ${estimateText(scalar, point)}`};
        }),
      }));
      const shown = curves.flatMap((curve) => curve.marks.map((mark) => mark.point));
      const picture = new Picture(
          `${scalar.name} over ${x.name}`, 960, 400, places,
          {...rangeOf(scalar, this.isSlice() ? shown : null, true), log: scalar.log,
           title: scalar.title},
          {above: this.axis('series') ? 44 : 16, right: 20});
      for (const curve of curves) this.drawCurve(picture, scalar, curve, !x.words);
      if (this.axis('series')) picture.legend(curves.map(({style, label}) => ({style, label})));
      this.frame.replaceChildren(picture.svg);
    }
    drawCurve(picture, scalar, {style, marks}, joined) {
      const low = picture.y.low;
      const floor = scalar.log ? low * 1e-9 : low;
      let line = [];
      let band = [];
      const at = (x, y) => `${pixels(picture.across(x))} ${pixels(picture.down(y))}`;
      const endLine = () => {
        if (joined && line.length > 1) picture.path(`M${line.join('L')}`, `line ${style}`, picture.curves);
        line = [];
      };
      const endBand = () => {
        if (joined && band.length > 1) {
          const border = band.map((mark) => at(mark.place, mark.upper))
              .concat(band.reverse().map((mark) => at(mark.place, mark.lower)));
          picture.path(`M${border.join('L')}Z`, `band ${style}`, picture.curves);
        }
        band = [];
      };
      for (const {place, point, hover} of marks) {
        const known = knowledge(scalar, point);
        if (known === 'nothing') {
          endLine();
          endBand();
          continue;
        }
        const value = valueAt(scalar, point);
        const lower = lowerAt(scalar, point);
        const upper = upperAt(scalar, point);
        band.push({place, upper: Math.max(upper, floor),
                   lower: known === 'limit' ? floor : Math.max(lower, floor)});
        if (known === 'limit' || (scalar.log && value < low)) {
          endLine();
          if (marks.length <= markLimit) picture.upperLimit(place, Math.max(upper, low), style, hover);
          continue;
        }
        line.push(at(place, value));
        if (marks.length > markLimit) continue;
        if (joined) picture.dot(place, value, 3.5, style, hover);
        else picture.measured(place, value, Math.max(lower, floor), upper, style, hover);
      }
      endLine();
      endBand();
    }
  }

  // ---- samples
  function mixed(word) {  // a subset that has nothing to do with the order
    let bits = Math.imul(word + 1, 0x9E3779B1);
    bits = Math.imul(bits ^ (bits >>> 15), 0x85EBCA77);
    bits = Math.imul(bits ^ (bits >>> 13), 0xC2B2AE3D);
    return (bits ^ (bits >>> 16)) >>> 0;
  }
  class ScatterFigure extends Figure {
    constructor(root) {
      super(root);
      this.frames = [...root.querySelectorAll('.plot')];
      this.sampled = axes.filter((axis) => axis.sampled);
      this.dimension = this.sampled[0].dimension;
      this.frames.forEach((frame, place) => {
        frame.classList.add('nearest');
        frame.addEventListener('pointermove', (event) => this.point(event, frame, place));
        frame.addEventListener('pointerleave', () => tools.showTip('', 0, 0));
      });
      this.near = [];
    }
    taken() { return [this.dimension]; }
    points(indices) {
      const size = dimensions[this.dimension].size;
      const share = dotLimit / size * 2 ** 32;
      const points = [];
      for (let index = 0; index < size; ++index) {
        if (size > dotLimit && mixed(index) >= share) continue;
        const own = [...indices];
        own[this.dimension] = index;
        points.push(pointAt(own));
      }
      return points;
    }
    show(indices) {
      const scalar = this.scalar;
      const points = this.points(indices);
      if (points.length < dimensions[this.dimension].size) {
        this.caption.textContent += ` (${points.length} samples, picked at random, are drawn)`;
      }
      this.near = this.sampled.map((axis, place) => {
        const numbers = points.map((point) => numberAt(axis, point));
        const x = placesOf(axis, numbers, axis.words ? axis.texts.length : 100, 6);
        const picture = new Picture(`${scalar.name} of samples over ${axis.name}`, 466, 280, x,
                                    {low: scalar.low, high: scalar.high, log: scalar.log,
                                     title: scalar.title}, {above: 16, right: 14});
        let dots = '';
        let carets = '';
        const near = [];
        points.forEach((point, at) => {
          const known = knowledge(scalar, point);
          if (known === 'nothing') return;
          const across = picture.across(x.place(numbers[at]));
          const isLimit = known === 'limit';
          const value = isLimit ? upperAt(scalar, point) : valueAt(scalar, point);
          const down = picture.down(scalar.log ? Math.max(value, scalar.low) : value);
          near.push({across, down, point});
          if (isLimit) {
            carets += `M${pixels(across - 3.5)} ${pixels(down)}h7l-3.5 6z`;
          } else {
            dots += `M${pixels(across)} ${pixels(down)}h0`;
            if (points.length <= whiskerLimit && knowledge(scalar, point) === 'interval') {
              const floor = scalar.log ? scalar.low * 1e-9 : scalar.low;
              picture.path(
                  `M${pixels(across)} ${pixels(picture.down(Math.max(lowerAt(scalar, point), floor)))}` +
                  `V${pixels(picture.down(upperAt(scalar, point)))}`, 'line thin s0', picture.curves);
            }
          }
        });
        if (dots) picture.path(dots, near.length > 800 ? 'dots many s0' : 'dots s0', picture.curves);
        if (carets) picture.path(carets, 'carets s1', picture.curves);
        this.frames[place].replaceChildren(picture.svg);
        return near;
      });
    }
    point(event, frame, place) {
      const box = frame.querySelector('svg').getBoundingClientRect();
      const x = event.clientX - box.left;
      const y = event.clientY - box.top;
      let best = null;
      let least = 14 ** 2;
      for (const one of this.near[place]) {
        const apart = (one.across - x) ** 2 + (one.down - y) ** 2;
        if (apart >= least) continue;
        least = apart;
        best = one;
      }
      if (!best) return tools.showTip('', 0, 0);
      const indices = dimensions.map(
          ({size}, at) => Math.floor(best.point / strides[at]) % size);
      tools.showTip(`${placeText(indices, [])}: ${estimateText(this.scalar, best.point)}`,
                    event.clientX, event.clientY);
    }
  }

  // ---- rank correlations: over all samples of the file, so they stand on the page themselves
  class BarFigure extends Figure {
    constructor(root) {
      super(root);
      this.frame = root.querySelector('.plot');
      this.sampled = axes.filter((axis) => axis.sampled);
      const [names, ...rows] = tools.parsed(tools.textOf('csv-sensitivity'));
      this.rows = rows.map((row) => row.slice(names.length - 4)
          .map((field) => (field === '' ? NaN : Number(field))));
    }
    taken() { return [this.sampled[0].dimension]; }
    show(indices) {
      const listed = dimensions.reduce(
          (place, {size, sampled}, at) => (sampled ? place : place * size + indices[at]), 0);
      const first = (listed * scalars.length + scalars.indexOf(this.scalar)) * this.sampled.length;
      const strength = ({value}) => (Number.isNaN(value) ? -1 : Math.abs(value));
      const bars = this.sampled.map((axis, at) => {
        const [value, lower, upper, samples] = this.rows[first + at];
        return {axis, value, lower, upper, samples};
      }).sort((one, other) => strength(one) - strength(other));
      const picture = new Picture(
          `Rank correlation of ${this.scalar.name} with each sampled axis`, 960,
          76 + 36 * bars.length,
          {title: 'Spearman’s rank correlation', low: -1, high: 1, ticks: linearTicks(-1, 1, 9)},
          {low: -0.6, high: bars.length - 0.4,
           ticks: bars.map(({axis}, value) => ({value, label: shortened(axis.name, 20)}))},
          {above: 14, right: 20});
      picture.path(`M${pixels(picture.across(0))} ${pixels(picture.top)}V${pixels(picture.bottom)}`,
                   'line zero', picture.curves);
      bars.forEach(({axis, value, lower, upper, samples}, row) => {
        const middle = picture.down(row);
        if (Number.isNaN(value)) {
          picture.text(picture.across(0.02), middle + 4, 'label', 'not known');
          return;
        }
        const [from, to] = [0, value].map((end) => picture.across(end));
        picture.path(`M${pixels(from)} ${pixels(middle - 10)}H${pixels(to)}v20H${pixels(from)}Z`,
                     'band bar-fill s0', picture.curves);
        const signed = (number) => (number < 0 ? '−' : '+') + Math.abs(number).toFixed(3);
        const group = picture.mark('s0', `${axis.name}: ${signed(value)} (${signed(lower)} to ` +
                                         `${signed(upper)}), ${samples} samples`);
        const [low, high] = [lower, upper].map((end) => pixels(picture.across(end)));
        const y = pixels(middle);
        picture.path(`M${low} ${pixels(middle - 5)}v10M${low} ${y}H${high}` +
                     `M${high} ${pixels(middle - 5)}v10`, 'line', group);
        picture.path(`M${low} ${y}H${high}`, 'hit', group);
        group.append(element('circle', {class: 'dot', cx: pixels(to), cy: y, r: 4}));
      });
      this.frame.replaceChildren(picture.svg);
    }
  }

  const kinds = {map: MapFigure, curve: CurveFigure, scatter: ScatterFigure, bars: BarFigure};
  for (const root of document.querySelectorAll('.sweep')) new kinds[root.dataset.sweep](root).draw();
})(pageTools);
