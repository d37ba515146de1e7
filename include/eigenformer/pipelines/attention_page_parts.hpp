// SPDX-License-Identifier: MIT
/// What every attention page is made of, beside its data. One hue from nothing to full strength,
/// and numbers beside it: no meaning hangs on telling colours apart.
#pragma once

#include <string_view>

#include "eigenformer/core/macros.hpp"

namespace eigenformer::inline v0::pages {

inline constexpr std::string_view head = R"html(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
)html";

inline constexpr std::string_view style = R"css(
:root { color-scheme: light dark; --ink: 0 82 165; --on-ink: #fff; --page: #fff; --text: #1b1b1b;
  --line: #8a8a8a; }
@media (prefers-color-scheme: dark) {
  :root { --ink: 255 180 40; --on-ink: #000; --page: #16181d; --text: #ececec;
    --line: #7d7d7d; }
}
body { background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif;
  margin: 1.5rem auto; max-width: 75rem; padding: 0 1rem; }
h1, h2 { font-size: 1.1rem; margin: 1.2rem 0 0.3rem; }
p { margin: 0.3rem 0; }
form { display: flex; flex-wrap: wrap; gap: 0.6rem 1.2rem; align-items: center; margin: 1rem 0; }
fieldset { border: 0; margin: 0; padding: 0; }
legend { float: left; margin-right: 0.6rem; }
select { max-width: 20rem; }
select, button { font: inherit; color: inherit; background: var(--page);
  border: 1px solid var(--line); border-radius: 4px; }
:focus-visible { outline: 3px solid rgb(var(--ink)); outline-offset: 2px; }
.strip { display: flex; flex-wrap: wrap; gap: 0.3rem; list-style: none; margin: 0.2rem 0 1rem;
  padding: 0; }
.strip button { padding: 0.1rem 0.45rem; min-width: 2.6rem; white-space: pre; cursor: pointer; }
.strip small { display: block; min-height: 1.3em; line-height: 1.3; }
.special { font-style: italic; }
.looking { box-shadow: 0 0 0 3px rgb(var(--ink)); }
.strong { color: var(--on-ink); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.85rem; }
td { border: 1px solid color-mix(in srgb, var(--line) 40%, transparent); min-width: 2.4rem;
  padding: 0.1rem 0.2rem; text-align: right; }
th { font-weight: 600; padding: 0.1rem 0.4rem; white-space: pre; text-align: start; }
tr.looking th { text-decoration: underline; }
#heads { display: grid; gap: 0.4rem; grid-template-columns: repeat(auto-fill, minmax(7rem, 1fr)); }
#heads button { padding: 0.2rem; cursor: pointer; font-size: 0.75rem; }
#heads button[aria-pressed="true"] { box-shadow: 0 0 0 3px rgb(var(--ink)); }
#heads canvas { display: block; width: 100%; aspect-ratio: 1; image-rendering: pixelated;
  border: 1px solid var(--line); }
)css";

inline constexpr std::string_view body = R"html(<body>
<main>
<h1>Who looks at whom</h1>
<p dir="auto" id="source"></p>
<p dir="auto" id="target"></p>
<form id="choice">
<label id="which">Sentence <select id="sentence"></select></label>
<fieldset><legend>Attention</legend>
<label><input type="radio" name="kind" id="cross" value="cross"> translation to source</label>
<label><input type="radio" name="kind" id="encoder" value="encoder"> within the source</label>
<label><input type="radio" name="kind" id="decoder" value="decoder"> within the translation</label>
</fieldset>
<label>Layer <select id="layer"></select></label>
<label>Head <select id="head"></select></label>
<label><input type="checkbox" id="pieces"> pieces, not words</label>
</form>
<noscript><p>This page draws its pictures by JavaScript.</p></noscript>
<p>Every head spreads its look over all words; counts begin at 0; &lt;/s&gt; ends a sentence.</p>
<h2 id="queries-title">A word</h2>
<ul class="strip" id="queries" dir="auto" aria-labelledby="queries-title"></ul>
<h2 id="keys-title">looks at</h2>
<ul class="strip" id="keys" dir="auto" aria-labelledby="keys-title"></ul>
<p id="said" role="status"></p>
<h2>This head, in per cent</h2>
<div class="wide"><table id="weights"></table></div>
<h2>All heads</h2>
<div id="heads"></div>
</main>
)html";

inline constexpr std::string_view script = R"js(
'use strict';
const part = id => document.getElementById(id);
const data = JSON.parse(part('data').textContent);
const decode = head => head && Uint8Array.from(atob(head), byte => byte.charCodeAt(0));
for (const view of data.sentences.flatMap(one => [one.encoder, one.decoder, one.cross])) {
  view.layers = view.layers.map(heads => heads.map(decode));
}
const state = {sentence: 0, kind: data.first.kind, layer: data.first.layer, head: data.first.head,
               pieces: false, side: 'queries', word: 0};

const view = () => data.sentences[state.sentence][state.kind];
const percent = weight => Math.round(100 * weight) + '%';

/// Text, first piece, pieces and whether it is special, of each thing on an axis.
function tokens(side) {
  const {pieces, words} = view()[side];
  return state.pieces ? pieces.map((text, i) => [text, i, 1, 0]) : words;
}

/// [queries][keys]; head -1: the mean. What a word's pieces get is added, what they give averaged.
function weights(layer, head) {
  const heads = view().layers[layer].filter((one, h) => one !== null && (head < 0 || h === head));
  const width = view().keys.pieces.length;
  return tokens('queries').map(([, top, rows]) => tokens('keys').map(([, left, columns]) => {
    let sum = 0;
    for (const bytes of heads) {
      for (let q = top; q < top + rows; ++q) {
        for (let k = left; k < left + columns; ++k) sum += bytes[q * width + k];
      }
    }
    return sum / (255 * heads.length * rows);
  }));
}

/// Text changes its colour where the other one is easier to read.
const dark = matchMedia('(prefers-color-scheme: dark)');
function paint(element, weight) {
  element.style.backgroundColor = `rgb(var(--ink) / ${weight})`;
  element.classList.toggle('strong', weight > (dark.matches ? 0.5 : 0.75));
}

function make(tag, text, parent) {
  const element = document.createElement(tag);
  element.textContent = text;
  parent.append(element);
  return element;
}

/// What the word at (side, index) sees, or who sees it.
function look(side, index) {
  Object.assign(state, {side, word: index});
  const other = side === 'queries' ? 'keys' : 'queries';
  const all = weights(state.layer, state.head);
  const seen = side === 'queries' ? all[index] : all.map(row => row[index]);
  part(side).querySelectorAll('button').forEach((button, i) => {
    paint(button, 0);
    button.classList.toggle('looking', i === index);
    button.tabIndex = i === index ? 0 : -1;
    button.lastChild.textContent = '';
  });
  part(other).querySelectorAll('button').forEach((button, i) => {
    paint(button, seen[i]);
    button.classList.remove('looking');
    button.tabIndex = i === 0 ? 0 : -1;
    button.lastChild.textContent = percent(seen[i]);
  });
  part('weights').querySelectorAll('tbody tr').forEach(
      (row, i) => row.classList.toggle('looking', side === 'queries' && i === index));
  const best = seen.map((weight, i) => [weight, tokens(other)[i][0]])
                   .filter(([weight]) => weight >= 0.005).sort((a, b) => b[0] - a[0]).slice(0, 5);
  say(tokens(side)[index][0], side === 'queries' ? 'looks at' : 'is looked at by', best);
}

/// Words may run the other way: each is a bdi.
function say(word, verb, best) {
  const line = part('said');
  line.replaceChildren('“');
  make('bdi', word, line);
  line.append(`” ${verb}: `);
  best.forEach(([weight, text], i) => {
    if (i > 0) line.append(', ');
    make('bdi', text, line);
    line.append(` ${percent(weight)}`);
  });
}

function drawStrip(side) {
  part(side).replaceChildren();
  tokens(side).forEach(([text, , , special], i) => {
    const button = make('button', text, make('li', '', part(side)));
    button.type = 'button';
    button.classList.toggle('special', special === 1);
    make('small', '', button);
    for (const event of ['mouseenter', 'focus', 'click']) {
      button.addEventListener(event, () => look(side, i));
    }
  });
}

function drawTable() {
  const table = part('weights');
  table.replaceChildren();
  const top = make('tr', '', make('thead', '', table));
  make('td', '', top);
  for (const [text] of tokens('keys')) {
    Object.assign(make('th', text, top), {scope: 'col', dir: 'auto'});
  }
  const rows = make('tbody', '', table);
  weights(state.layer, state.head).forEach((row, q) => {
    const line = make('tr', '', rows);
    Object.assign(make('th', tokens('queries')[q][0], line), {scope: 'row', dir: 'auto'});
    row.forEach(weight => paint(make('td', Math.round(100 * weight), line), weight));
    line.addEventListener('mouseenter', () => look('queries', q));
  });
}

/// Pixels, whose opacity is the weight.
function drawHeatmap(canvas, rows) {
  const ink = getComputedStyle(document.documentElement).getPropertyValue('--ink');
  const image = new ImageData(rows[0].length, rows.length);
  const color = ink.trim().split(/\s+/).map(Number);
  rows.flat().forEach((weight, i) => image.data.set([...color, 255 * weight], 4 * i));
  [canvas.width, canvas.height] = [image.width, image.height];
  canvas.getContext('2d').putImageData(image, 0, 0);
}

function drawHeads() {
  part('heads').replaceChildren();
  view().layers.forEach((heads, layer) => heads.forEach((one, head) => {
    if (one === null) return;
    const button = make('button', `layer ${layer}, head ${head}`, part('heads'));
    button.type = 'button';
    button.ariaPressed = String(layer === state.layer && head === state.head);
    const canvas = make('canvas', '', button);
    canvas.ariaHidden = 'true';
    drawHeatmap(canvas, weights(layer, head));
    button.addEventListener('click', () => {
      Object.assign(state, {layer, head});
      draw();
      part('heads').querySelector('[aria-pressed="true"]').focus();
    });
  }));
}

function options(select, entries, chosen) {
  select.replaceChildren();
  entries.forEach(([value, text]) => { make('option', text, select).value = value; });
  select.value = chosen;
}

/// Choices that another kind or sentence lacks fall back to what it has, its last layer, the mean.
function drawChoice() {
  const has = kind => data.sentences[state.sentence][kind].layers.length > 0;
  if (!has(state.kind)) state.kind = ['cross', 'encoder', 'decoder'].find(has);
  const kept = [...view().layers.entries()].filter(([, heads]) => heads.length);
  if (!kept.some(([layer]) => layer === state.layer)) state.layer = kept[kept.length - 1][0];
  const heads = [...view().layers[state.layer].entries()].filter(([, one]) => one !== null);
  if (!heads.some(([head]) => head === state.head)) state.head = -1;
  options(part('layer'), kept.map(([layer]) => [layer, layer]), state.layer);
  options(part('head'), [[-1, 'mean of all'], ...heads.map(([head]) => [head, head])], state.head);
  document.querySelectorAll('input[name=kind]').forEach(radio => {
    radio.checked = radio.value === state.kind;
    radio.disabled = !has(radio.value);
  });
}

function draw() {
  const {source, target} = data.sentences[state.sentence];
  part('source').textContent = source;
  part('target').textContent = target;
  drawChoice();
  part('queries-title').textContent = state.kind === 'encoder' ?
      'A word of the source' : 'A word of the translation, as it is chosen,';
  for (const side of ['queries', 'keys']) drawStrip(side);
  drawTable();
  drawHeads();
  look(state.side, Math.min(state.word, tokens(state.side).length - 1));
}

function listen() {
  const choose = (id, change) => part(id).addEventListener('change', event => {
    change(event.target);
    draw();
  });
  choose('sentence', ({value}) => Object.assign(state, {sentence: Number(value), word: 0}));
  choose('layer', ({value}) => { state.layer = Number(value); });
  choose('head', ({value}) => { state.head = Number(value); });
  choose('pieces', ({checked}) => Object.assign(state, {pieces: checked, word: 0}));
  const kind = ({value}) => Object.assign(state, {kind: value, side: 'queries', word: 0});
  for (const id of ['cross', 'encoder', 'decoder']) choose(id, kind);
  for (const side of ['queries', 'keys']) {
    part(side).addEventListener('keydown', event => {
      const right = {ArrowRight: true, ArrowLeft: false}[event.key];
      if (right === undefined) return;
      const onwards = right === (getComputedStyle(part(side)).direction === 'ltr');
      const item = event.target.closest('li');
      const next = onwards ? item.nextElementSibling : item.previousElementSibling;
      if (next) next.firstChild.focus();
    });
  }
  dark.addEventListener('change', draw);
}

options(part('sentence'), data.sentences.map(({source}, i) => [i, `${i + 1}: ${source}`]), 0);
part('which').hidden = data.sentences.length < 2;
listen();
draw();
)js";

}  // namespace eigenformer::inline v0::pages
