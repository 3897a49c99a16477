#!/usr/bin/env python3
"""Loads pages from disk in headless Chromium and rejects what a report must not do: an error or a
warning on the console, a request for anything but the page itself, content wider than the window.

    page.py [--screenshots FOLDER] PAGE.html...
    page.py --self-test     bad pages, each of which has to be rejected for its own reason

It speaks the DevTools protocol through a pair of pipes (--remote-debugging-pipe), so that it needs
Python and Chromium only. CHROMIUM names the browser.
"""

import base64
import fcntl
import json
import os
import pathlib
import select
import shutil
import subprocess
import sys
import tempfile
import time

LIMIT_S = 60
WIDTHS = (1280, 400)
SCHEMES = ("light", "dark")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-extensions", "--disable-default-apps", "--mute-audio", "--hide-scrollbars",
    "--disable-dev-shm-usage", "--remote-debugging-pipe",
)
# What is wider than the window, unless it scrolls inside a container of its own.
WIDE = """
(() => {
  const width = document.scrollingElement.scrollWidth;
  if (width <= innerWidth) return "";
  const wide = [...document.querySelectorAll("body *")].filter(
    one => one.getBoundingClientRect().right > innerWidth + 0.5 && !one.closest(".scroll"));
  const names = wide.slice(0, 3).map(one => one.tagName + "." + (one.getAttribute("class") || ""));
  return `${width} px of content in ${innerWidth}: ${names.join(", ")}`;
})()
"""
GROUND = "getComputedStyle(document.body).backgroundColor"
SETTLED = "new Promise(done => requestAnimationFrame(() => setTimeout(done, 150)))"


class Browser:
    """A browser that was started for this, and goes with it."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="aio-page.")
        read_theirs, write_ours = os.pipe()
        read_ours, write_theirs = os.pipe()
        # The browser wants its ends as 3 and 4, which a shell can make of any others.
        theirs = [fcntl.fcntl(fd, fcntl.F_DUPFD, 5) for fd in (read_theirs, write_theirs)]
        os.close(read_theirs)
        os.close(write_theirs)
        command = [chromium(), *FLAGS, f"--user-data-dir={self.folder}", "about:blank"]
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{theirs[0]} 4>&{theirs[1]}', "bash", *command],
            pass_fds=theirs, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for fd in theirs:
            os.close(fd)
        self.to, self.answers = write_ours, read_ours
        self.begun, self.events, self.number = b"", [], 0

    def close(self):
        """Ends the browser and removes what it made."""
        try:
            self.call("Browser.close")
            self.process.wait(10)
        except (OSError, RuntimeError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        os.close(self.to)
        os.close(self.answers)
        shutil.rmtree(self.folder, ignore_errors=True)

    def call(self, method, session=None, **params):
        """What the browser answers to `method`; events that come before it are kept."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + LIMIT_S
        while True:
            answer = self.next(deadline)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer)

    def wait_for(self, event):
        """Waits for `event`, and keeps all others."""
        deadline = time.monotonic() + LIMIT_S
        while not any(one.get("method") == event for one in self.events):
            self.events.append(self.next(deadline))

    def next(self, deadline):
        """The next message."""
        while b"\0" not in self.begun:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.answers], [], [], left)[0]:
                raise RuntimeError(f"the browser said nothing for {LIMIT_S} s")
            more = os.read(self.answers, 1 << 20)
            if not more:
                raise RuntimeError("the browser ended")
            self.begun += more
        message, self.begun = self.begun.split(b"\0", 1)
        return json.loads(message)


def chromium():
    """The browser's name."""
    names = [os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"]
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    if not found:
        sys.exit("page.py: there is no Chromium; install Debian's package chromium")
    return found


def faults_of(events, url):
    """What `events` tell of errors, and of requests for anything but `url`."""
    faults = []
    for event in events:
        params = event.get("params", {})
        match event.get("method"):
            case "Runtime.exceptionThrown":
                details = params["exceptionDetails"]
                text = details.get("exception", {}).get("description") or details["text"]
                faults.append(f"script error: {text.splitlines()[0]}")
            case "Runtime.consoleAPICalled" if params["type"] in ("error", "warning", "assert"):
                faults.append(f"console: {params['args']}")
            case "Log.entryAdded" if params["entry"]["level"] in ("error", "warning"):
                faults.append(f"console: {params['entry']['text']}")
            case "Network.requestWillBeSent" if params["request"]["url"] != url:
                faults.append(f"request: {params['request']['url'][:200]}")
    return faults


def look(browser, page, width, scheme, picture):
    """Loads `page` once; returns what is wrong, and the colour of its ground."""
    url = pathlib.Path(page).resolve().as_uri()
    target = browser.call("Target.createTarget", url="about:blank")["targetId"]
    session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def call(method, **params):
        return browser.call(method, session, **params)

    def value(expression):
        answer = call("Runtime.evaluate", expression=expression, awaitPromise=True)
        return answer["result"].get("value")

    call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1,
         mobile=False)
    feature = {"name": "prefers-color-scheme", "value": scheme}
    call("Emulation.setEmulatedMedia", features=[feature])
    for domain in ("Page", "Runtime", "Log", "Network"):
        call(f"{domain}.enable")
    browser.events.clear()
    call("Page.navigate", url=url)
    browser.wait_for("Page.loadEventFired")
    value(SETTLED)
    faults = faults_of(browser.events, url)
    wide = value(WIDE)
    if wide:
        faults.append(f"overflow: {wide}")
    ground = value(GROUND)
    if picture:
        size = call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": width, "height": size["height"], "scale": 1}
        shot = call("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
        pathlib.Path(picture).write_bytes(base64.b64decode(shot["data"]))
    browser.call("Target.closeTarget", targetId=target)
    return faults, ground


def check(browser, page, folder=None):
    """All that is wrong with `page`, at each width and in each scheme."""
    faults = []
    for width in WIDTHS:
        grounds = {}
        for scheme in SCHEMES:
            stem = pathlib.Path(page).stem
            picture = folder and os.path.join(folder, f"{stem}-{width}-{scheme}.png")
            found, grounds[scheme] = look(browser, page, width, scheme, picture)
            faults += [f"{width} px, {scheme}: {fault}" for fault in found]
        if grounds["light"] == grounds["dark"]:
            faults.append(f"{width} px: light and dark have the same ground {grounds['light']}")
    return faults


STYLE = """<style>body{background:#fff;margin:0}
@media (prefers-color-scheme:dark){body{background:#111}}</style>"""
POLICY = "<meta http-equiv='Content-Security-Policy' content=\"default-src 'none'\">"
# Bad pages, and the word that each has to be rejected with; the last one is good.
TRIALS = {
    "overflow": STYLE + "<div style='width:2000px'>wide</div>",
    "script error": STYLE + "<script>throw new Error('broken')</script>",
    "request": STYLE + "<img src='http://127.0.0.1:9/x.png' alt=''>",
    "console": POLICY + STYLE + "<p>a style that its policy does not allow</p>",
    "same ground": "<style>body{background:#fff}</style><p>no dark</p>",
    "": STYLE + "<p>nothing is wrong here</p>",
}


def self_test(browser):
    """Whether each bad page is rejected for its own reason, and the good one is not."""
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for word, content in TRIALS.items():
            page = os.path.join(folder, "page.html")
            pathlib.Path(page).write_text(f"<!DOCTYPE html><title>t</title>{content}\n")
            faults = check(browser, page)
            is_right = any(word in fault for fault in faults) if word else not faults
            verdict = "rejected" if faults else "accepted"
            print(f"self-test: {verdict}: {word or 'good page'}")
            if not is_right:
                print(f"page.py: wrong, found {faults}", file=sys.stderr)
                wrong += 1
    return wrong


def main(arguments):
    """What the command line asks for."""
    folder = None
    if arguments[:1] == ["--screenshots"]:
        folder, arguments = arguments[1], arguments[2:]
    if not arguments:
        sys.exit(__doc__)
    browser = Browser()
    wrong = 0
    try:
        if arguments == ["--self-test"]:
            wrong = self_test(browser)
        else:
            for page in arguments:
                faults = check(browser, page, folder)
                for fault in faults:
                    print(f"page.py: {page}: {fault}", file=sys.stderr)
                wrong += len(faults)
                print(f"{'bad' if faults else 'ok'}: {page}")
    finally:
        browser.close()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
