"""Chromium without a screen, driven as a person would, by WebDriver (W3C) through chromedriver."""

import base64
import json
import os
import re
import subprocess
import threading
import urllib.error
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
ARGUMENTS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1200,1000"]
# What is looked for may come a moment later; a machine that has much else to do takes longer.
PATIENCE = {"implicit": 60_000, "pageLoad": 120_000, "script": 60_000}


class Element:
    """Something on the page."""

    def __init__(self, chromium, id):
        self._chromium, self._path = chromium, f"/element/{id}"

    def click(self):
        self._chromium.ask("POST", self._path + "/click", {})

    def type(self, text):
        """Types in the place of what is there."""
        self._chromium.ask("POST", self._path + "/clear", {})
        self._chromium.ask("POST", self._path + "/value", {"text": text})

    def value(self):
        return self._chromium.ask("GET", self._path + "/property/value")


class Chromium:
    """A window, until the block ends. Screenshots come into a folder."""

    def __init__(self, folder):
        self._folder = folder

    def __enter__(self):
        environment = {**os.environ, "HOME": self._folder}
        self._driver = subprocess.Popen(
            ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
        )
        for line in self._driver.stdout:
            if started := re.search(r"started successfully on port (\d+)", line):
                break
        else:
            raise SystemExit("chromedriver did not start")
        threading.Thread(target=self._driver.stdout.read, daemon=True).start()
        self._url = f"http://127.0.0.1:{started[1]}/session"
        options = {"goog:chromeOptions": {"args": ARGUMENTS}, "timeouts": PATIENCE}
        session = self.ask("POST", "", {"capabilities": {"alwaysMatch": options}})
        self._url += "/" + session["sessionId"]
        return self

    def __exit__(self, *_):
        try:
            self.ask("DELETE", "")
        finally:
            self._driver.kill()
            self._driver.wait()

    def ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=180) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            told = json.load(error)["value"]
            raise AssertionError(f"{method} {path} {body}: {told['error']}: {told['message']}") from None

    def open(self, url):
        self.ask("POST", "/url", {"url": url})

    def find(self, selector):
        """What a CSS selector finds, as soon as it is there."""
        return self._find("css selector", selector)

    def find_path(self, path):
        """The same for an XPath."""
        return self._find("xpath", path)

    def find_text(self, text):
        """What has these words, as soon as it is there."""
        words = json.dumps(text)
        return self.find_path(f"//body//*[not(self::script)][contains(normalize-space(.), {words})][not(*[contains(normalize-space(.), {words})])]")

    def _find(self, how, what):
        return Element(self, self.ask("POST", "/element", {"using": how, "value": what})[ELEMENT])

    def text(self):
        return self.ask("POST", "/execute/sync", {"script": "return document.body.innerText", "args": []})

    def shoot(self, name):
        with open(os.path.join(self._folder, name + ".png"), "wb") as file:
            file.write(base64.b64decode(self.ask("GET", "/screenshot")))
