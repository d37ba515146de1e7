# SPDX-License-Identifier: MIT
"""Chromium without a window, by the WebDriver protocol (w3.org/TR/webdriver2), and nothing else."""

import base64
import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request

ELEMENT = 'element-6066-11e4-a52e-4f735466cecf'


class Browser:
    """A session of its own, which ends with the `with` block."""

    def __init__(self, scheme='light', size=(1280, 1000)):
        self.driver = subprocess.Popen(['chromedriver', '--port=0'], stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, text=True)
        self.address = f'http://127.0.0.1:{self._port()}'
        arguments = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
                     '--disable-background-networking', '--no-first-run',
                     f'--window-size={size[0]},{size[1]}']
        if scheme == 'dark':
            arguments.append('--force-dark-mode')
        session = self._call('POST', '/session', {'capabilities': {'alwaysMatch': {
            'browserName': 'chrome', 'goog:chromeOptions': {'args': arguments},
            'goog:loggingPrefs': {'browser': 'ALL'}}}})
        self.session = f'/session/{session["sessionId"]}'

    def _port(self):
        for line in self.driver.stdout:
            if 'was started successfully on port' in line:
                return int(line.rstrip('.\n').rsplit(' ', 1)[1])
        raise RuntimeError('chromedriver does not start')

    def _call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, method=method,
                                         headers={'Content-Type': 'application/json'})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)['value']
        except urllib.error.HTTPError as error:
            raise RuntimeError(error.read().decode()[:500]) from error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self._call('DELETE', self.session)
        finally:
            self.driver.terminate()
            self.driver.wait()

    def open(self, path):
        self._call('POST', f'{self.session}/url', {'url': f'file://{path}'})

    def run(self, script, *arguments):
        """What the JavaScript function body returns."""
        return self._call('POST', f'{self.session}/execute/sync',
                          {'script': script, 'args': list(arguments)})

    def hover(self, selector):
        element = self._call('POST', f'{self.session}/element',
                             {'using': 'css selector', 'value': selector})
        move = {'type': 'pointerMove', 'duration': 0, 'x': 0, 'y': 0, 'origin': element}
        self._call('POST', f'{self.session}/actions', {'actions': [
            {'type': 'pointer', 'id': 'mouse', 'parameters': {'pointerType': 'mouse'},
             'actions': [move]}]})

    def press(self, key):
        self._call('POST', f'{self.session}/actions', {'actions': [
            {'type': 'key', 'id': 'keys', 'actions': [{'type': 'keyDown', 'value': key},
                                                      {'type': 'keyUp', 'value': key}]}]})

    def console(self):
        """What has been said there since the last call."""
        return self._call('POST', f'{self.session}/se/log', {'type': 'browser'})

    def screenshot(self, path):
        with open(path, 'wb') as file:
            file.write(base64.b64decode(self._call('GET', f'{self.session}/screenshot')))


def is_here():
    return all(shutil.which(program) for program in ('chromium', 'chromedriver'))
