#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""attention_page.py PROGRAM MODEL WORK: the pages of attention_page in a browser: valid HTML, no word
on the console, pictures that change, keys and screen readers served, any text. Prints what does not
hold, and fails. Skipped, by status 77, without Chromium. Leaves screenshots in WORK."""

import json
import os
import re
import subprocess
import sys

import browser

CAT = "Le chat ne traverse pas la rue, parce qu'il est trop fatigué."
ODD = 'Le <b>mot</b> & "</script>" dit 😀 à שלום et à عالم.'
RIGHT, LEFT, TAB = '\ue014', '\ue012', '\ue004'

failures = []
checks = 0


def check(what, holds):
    global checks
    checks += 1
    if not holds:
        failures.append(what)
        print('FAILED:', what)


def make(*command):
    run = subprocess.run(command, capture_output=True)
    return run.returncode, run.stdout, run.stderr.decode()


def write_page(program, model, text, path):
    status, _, _ = make(program, model, text, '-o', path)
    check(f'{path}: exit status 0', status == 0)


def check_html(path):
    try:
        import html5lib
    except ImportError:
        return print('no html5lib: the pages are not validated')
    with open(path, 'rb') as file:
        parser = html5lib.HTMLParser(strict=False)
        parser.parse(file, transport_encoding='utf-8')
    check(f'{path}: valid HTML: {parser.errors[:3]}', not parser.errors)


def said(session):
    return session.run("return document.getElementById('said').textContent")


def words(session, side):
    return session.run("return [...document.querySelectorAll(`#${arguments[0]} button`)]"
                       ".map(button => button.firstChild.textContent)", side)


def check_quiet(session, what):
    console = session.console()
    check(f'{what}: the console is silent: {console}', not console)
    check(f'{what}: nothing was fetched',
          session.run("return performance.getEntriesByType('resource').length") == 0)


def check_mouse(session, work):
    session.screenshot('before.png')
    check('it begins with the first word', said(session).startswith('“The” looks at: Le '))
    session.hover('#queries li:nth-child(2) button')
    check('hovering: "cat" looks at "chat"', said(session).startswith('“cat” looks at: chat '))
    session.screenshot('hovered.png')
    check('hovering changes the picture', open('before.png', 'rb').read() !=
          open('hovered.png', 'rb').read())
    session.hover('#keys li:nth-child(2) button')
    check('the other way round', said(session).startswith('“chat” is looked at by: cat '))
    session.hover('#weights tbody tr:nth-child(4)')
    check('a row of the table', said(session).startswith('“cross” looks at: traverse '))
    check('weights are shown', session.run(
        "return document.querySelectorAll('#keys button')[3].style.backgroundColor") != '')


def check_keys(session):
    session.run("document.querySelector('#queries button').focus()")
    session.press(RIGHT)
    check('the right arrow goes on', said(session).startswith('“cat” '))
    session.press(LEFT)
    check('the left arrow goes back', said(session).startswith('“The” '))
    session.press(TAB)
    check('tab goes to the other words', said(session).startswith('“Le” is looked at by: '))
    check('a word by keys is a focused one', session.run(
        "return document.activeElement.closest('ul').id") == 'keys')


def choose(session, name, value):
    session.run("const one = document.getElementById(arguments[0]);"
                "if (arguments[1] === null) one.click(); else { one.value = arguments[1];"
                "one.dispatchEvent(new Event('change', {bubbles: true})); }", name, value)


def check_choices(session):
    session.hover('h1')  # where the mouse stands, a new word would be looked at
    choose(session, 'encoder', None)
    check('within the source', words(session, 'queries') == words(session, 'keys') and
          words(session, 'queries')[:2] == ['Le', 'chat'])
    check('a button for each head',
          session.run("return document.querySelectorAll('#heads button').length") == 16)
    mean = said(session)
    choose(session, 'head', '2')
    check('another head says something else', said(session) != mean)
    check('the chosen head is marked', session.run(
        "return document.querySelector('#heads [aria-pressed=true]').textContent")
        == 'layer 1, head 2')
    session.run("document.querySelectorAll('#heads button')[0].click()")
    check('a small picture chooses', session.run(
        "return [document.getElementById('layer').value, document.getElementById('head').value]")
        == ['0', '0'])
    choose(session, 'decoder', None)
    check('within the translation', words(session, 'keys')[:2] == ['start', 'The'])
    check('the first word sees the start alone', said(session) == '“The” looks at: start 100%')
    choose(session, 'pieces', None)
    check('pieces', words(session, 'queries')[:2] == ['▁The', '▁cat'])
    check('rows sum to 100', session.run(
        "return [...document.querySelectorAll('#weights tbody tr')].every(row => Math.abs("
        "[...row.querySelectorAll('td')].reduce((sum, cell) => sum + Number(cell.textContent), 0)"
        " - 100) < 8)"))


def check_readers(session):
    """Every control has a name; headings and roles are there."""
    nameless = session.run("return [...document.querySelectorAll('button, select, input')].filter("
                           "one => !one.textContent.trim() && !one.labels?.length).length")
    check('every control has a name', nameless == 0)
    check('what is said is a status', session.run(
        "return document.getElementById('said').getAttribute('role')") == 'status')
    check('the table has headers', session.run(
        "return document.querySelectorAll('#weights th[scope=row], #weights th[scope=col]').length")
        > 10)


def contrast(session):
    """The least contrast of a cell's number with its background, WCAG 2.2."""
    return session.run("""
      const page = getComputedStyle(document.body).backgroundColor.match(/[\\d.]+/g).map(Number);
      const light = rgb => { const [r, g, b] = rgb.map(v => v / 255).map(
          v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
      return Math.min(...[...document.querySelectorAll('#weights tbody td')].map(cell => {
        const style = getComputedStyle(cell);
        const [r, g, b, a = 1] = style.backgroundColor.match(/[\\d.]+/g).map(Number);
        const back = light([r, g, b].map((v, i) => a * v + (1 - a) * page[i]));
        const text = light(style.color.match(/[\\d.]+/g).map(Number));
        return (Math.max(back, text) + 0.05) / (Math.min(back, text) + 0.05); }));""")


def check_odd(session, path):
    session.open(path)
    check_quiet(session, 'odd text')
    source = session.run("return document.getElementById('source').textContent")
    check('odd text: the source as it was', source == ODD)
    for word in ('<b>mot</b>', '&', '"</script>"', '😀', 'שלום', 'عالم.'):
        check(f'odd text: the word {word}', word in words(session, 'keys'))
    check('odd text: nothing became an element',
          session.run("return document.querySelectorAll('b, main script').length") == 0)


def write_mixed(path, cat):
    """A page of two sentences, of whose second one head alone was kept: encoder, layer 2, head 1."""
    with open(cat) as file:
        page = file.read()
    found = re.search(r'(id="data">)(.*?)(</script>)', page, re.DOTALL)
    data = json.loads(found[2])
    other = json.loads(found[2])['sentences'][0]
    other['cross']['layers'] = other['decoder']['layers'] = []
    kept = other['encoder']['layers'][2][1]
    other['encoder']['layers'] = [[], [], [None, kept]]
    data['sentences'].append(other)
    text = json.dumps(data).replace('<', '\\u003c')
    with open(path, 'w') as file:
        file.write(page[:found.start(2)] + text + page[found.end(2):])


def check_mixed(session, path):
    session.open(path)
    before = said(session)
    choose(session, 'sentence', '1')
    chosen = session.run(
        "return [document.querySelector('input[name=kind]:checked').value, part('layer').value,"
        " part('head').value, part('heads').textContent]")
    check(f'what was not kept is not chosen: {chosen}',
          chosen == ['encoder', '2', '-1', 'layer 2, head 1'])
    check('what was not kept cannot be chosen', session.run(
        "return document.querySelectorAll('input[name=kind]:disabled').length") == 2)
    check('the other sentence says something', said(session) not in ('', before))
    choose(session, 'sentence', '0')
    check('the first sentence has all kinds', session.run(
        "return document.querySelectorAll('input[name=kind]:disabled').length") == 0)
    check_quiet(session, 'a page of unlike sentences')


def check_browser(pages):
    for scheme in ('light', 'dark'):
        with browser.Browser(scheme) as session:
            session.open(pages['cat'])
            if scheme == 'light':
                check_mouse(session, pages)
                check_keys(session)
                check_readers(session)
            check(f'{scheme}: numbers can be read: {contrast(session):.2f}',
                  contrast(session) >= 4)
            session.hover('#queries li:nth-child(8) button')
            session.screenshot(f'{scheme}.png')
            if scheme == 'light':
                check_choices(session)
            check_quiet(session, scheme)
            check_odd(session, pages['odd'])
            check_mixed(session, pages['mixed'])


def check_other_forms(program, model):
    _, page, _ = make(program, model, CAT)
    check('-o -: standard output', make(program, model, CAT, '-o', '-') == (0, page, ''))
    status, svg, _ = make(program, model, ODD, '--svg', '--kind', 'encoder', '--layer', '0',
                          '--head', '1')
    check('--svg: exit status 0', status == 0)
    import xml.etree.ElementTree
    title = xml.etree.ElementTree.fromstring(svg.decode())[0].text
    check('--svg: the head that was asked for',
          title == 'encoder attention, layer 0, head 1, in per cent')
    status, numbers, _ = make(program, model, CAT, '--json')
    sentence = json.loads(numbers)[0]
    check('--json: all heads', len(sentence['encoder_attention']) == 4 and
          all(len(heads) == 4 for heads in sentence['cross_attention']))
    check('--json: rows sum to 1', all(
        abs(sum(row) - 1) < 1e-5 for row in sentence['cross_attention'][1][0]))


def check_errors(program, model):
    for what, arguments, status, text in (
            ('no such layer', [model, CAT, '--layer', '2'], 2, '--layer: expected 0 to 1, got 2'),
            ('no such head', [model, CAT, '--svg', '--head', '4'], 2,
             '--head: expected 0 to 3, got 4'),
            ('no layer', [model, CAT, '--layer', '-1'], 2, '--layer: expected 0 to '),
            ('decimal', [model, CAT, '--layer', '010'], 2, '--layer: expected 0 to 1, got 10'),
            ('no words', [model, ' '], 2, 'SENTENCE has no words'),
            ('too long', [model, 'mot ' * 600, '--svg'], 2, 'SENTENCE is too long for one picture'),
            ('no folder', ['nowhere', CAT], 2, 'MODEL: nowhere is not a folder'),
            ('no choice', [model, CAT, '--json', '--head', '0'], 2, 'excludes'),
            ('no such kind', [model, CAT, '--kind', 'self'], 2, '--kind'),
            ('two forms', [model, CAT, '--svg', '--json'], 2, 'excludes'),
            ('no sentence', [model], 2, 'SENTENCE is required'),
            ('no place', [model, CAT, '-o', 'nowhere/page.html'], 1, 'cannot open nowhere')):
        got, _, message = make(program, *arguments)
        check(f'{what}: {got} {message}', got == status and text in message)


def main():
    program, model, work = (os.path.realpath(path) for path in sys.argv[1:4])
    os.makedirs(work, exist_ok=True)
    os.chdir(work)
    pages = {name: f'{work}/{name}.html' for name in ('cat', 'odd', 'mixed')}
    write_page(program, model, CAT, pages['cat'])
    write_page(program, model, ODD, pages['odd'])
    write_mixed(pages['mixed'], pages['cat'])
    for path in pages.values():
        check_html(path)
    check_other_forms(program, model)
    check_errors(program, model)
    if browser.is_here():
        check_browser(pages)
    print(f'{checks} checks, {len(failures)} failed')
    if failures:
        return 1
    if not browser.is_here():
        print('skipped: Chromium and its driver are not here')
        return 77
    return 0


if __name__ == '__main__':
    sys.exit(main())
