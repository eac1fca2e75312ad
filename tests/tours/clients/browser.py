"""A browser without windows: it follows redirects, keeps cookies, reads forms, and sends them as a browser would."""

import html.parser
import http.cookiejar
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request


SUFFIX = "dc=example,dc=com"
ALICE = f"uid=alice,ou=people,{SUFFIX}"


def read_task():
    """Where the server is, the file of its authority's certificate, and passwords: lines NAME=VALUE on standard input. Whoever
    has not done it in five minutes is ended."""
    signal.alarm(300)
    return dict(line.rstrip("\n").split("=", 1) for line in sys.stdin)


class Form:
    """A form of a page: where it goes, what is in its fields, and which buttons send it."""

    def __init__(self, attributes):
        self.action = attributes.get("action") or ""
        self.is_post = (attributes.get("method") or "get").lower() == "post"
        self.fields, self.buttons = [], []


class Page(html.parser.HTMLParser):
    """What came back: its text, its links by their text, and its forms."""

    def __init__(self, url, source):
        super().__init__()
        self.url, self.source = url, source
        self.forms, self.words, self.links = [], [], {}
        self._link = self._select = self._area = self._label = None
        self._hidden = 0
        self.feed(source)
        self.text = re.sub(r"\s+", " ", " ".join(self.words))

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        name, value = attributes.get("name"), attributes.get("value")
        if tag == "form":
            self.forms.append(Form(attributes))
        elif tag == "a" and "href" in attributes:
            self._link = (attributes["href"], [])
        elif tag in ("script", "style"):
            self._hidden += 1
        if tag == "option" and self._select is not None:
            self._option(attributes)
        if not self.forms:
            return
        form = self.forms[-1]
        kind = (attributes.get("type") or ("submit" if tag == "button" else "text")).lower()
        if tag in ("input", "button") and kind == "submit":
            form.buttons.append((name, value or ""))
        elif name is None:
            return
        elif tag == "input":
            if kind not in ("checkbox", "radio") or "checked" in attributes:
                form.fields.append((name, value if value is not None else "on" if kind == "checkbox" else ""))
        elif tag == "textarea":
            self._area = (name, [])
        elif tag == "select":
            self._select = (name, [], "multiple" in attributes)

    def _option(self, attributes):
        self._select[1].append([attributes.get("value"), "selected" in attributes])

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)

    def handle_endtag(self, tag):
        if tag == "a" and self._link:
            self.links.setdefault(" ".join("".join(self._link[1]).split()), self._link[0])
            self._link = None
        elif tag in ("script", "style"):
            self._hidden -= 1
        elif tag == "textarea" and self._area:
            self.forms[-1].fields.append((self._area[0], "".join(self._area[1])))
            self._area = None
        elif tag == "select" and self._select:
            name, options, several = self._select
            options = [(value or "", selected) for value, selected in options]
            chosen = [value for value, selected in options if selected] or ([] if several else [v for v, _ in options[:1]])
            self.forms[-1].fields += [(name, value) for value in chosen]
            self._select = None

    def handle_data(self, data):
        if self._area:
            self._area[1].append(data)
        elif not self._hidden:
            self.words.append(data)
            if self._select and self._select[1] and self._select[1][-1][0] is None:
                # An option without a value is worth its text.
                self._select[1][-1][0] = data.strip()
            if self._link:
                self._link[1].append(data)


class Browser:
    def __init__(self, site):
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(cookies)
        self.page = Page(site, "")

    def open(self, address, data=None):
        url = urllib.parse.urljoin(self.page.url, address)
        body = None if data is None else urllib.parse.urlencode(data).encode()
        try:
            answer = self._opener.open(url, body, timeout=30)
        except urllib.error.HTTPError as error:
            # Browsers show such a page as well.
            answer = error
        with answer:
            self.page = Page(answer.url, answer.read().decode(errors="replace"))
        return self.page

    def form(self, button):
        """The form that has a button with this name or label, and the button."""
        for form in self.page.forms:
            for name, label in form.buttons:
                if button in (name, label):
                    return form, (name, label)
        raise AssertionError(f"no button {button!r} in {[form.buttons for form in self.page.forms]}: {self.page.text}")

    def press(self, button, **values):
        """Fills fields in and presses a button. A field that is not there is sent as well, as scripts do."""
        form, pressed = self.form(button)
        fields = [(name, value) for name, value in form.fields if name not in values]
        fields += [(name, value) for name, value in [*values.items(), pressed] if name is not None]
        if form.is_post:
            return self.open(form.action, fields)
        return self.open(form.action.split("?")[0] + "?" + urllib.parse.urlencode(fields))


class Site:
    """A folder that PHP serves itself, at a port that nobody else has, until the block ends."""

    def __init__(self, folder, **environment):
        self._command = ["php", "-d", "display_errors=0", "-d", "opcache.enable_cli=1", "-S", "127.0.0.1:0", "-t", folder]
        self._environment = {**os.environ, **environment}

    def __enter__(self):
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=self._environment
        )
        for line in self._process.stderr:
            if started := re.search(r"\((http://127\.0\.0\.1:\d+)\) started", line):
                # It waits for somebody to read what else it says.
                threading.Thread(target=self._process.stderr.read, daemon=True).start()
                return Browser(started[1] + "/")
        raise SystemExit("PHP did not start")

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
