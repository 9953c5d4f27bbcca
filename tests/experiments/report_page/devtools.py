"""Drives Chromium through the DevTools protocol over its pipe: nothing but Python's own library."""

import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time

SWITCHES = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--remote-debugging-pipe",
]


class Browser:
    def __init__(self, program):
        self.folder = tempfile.mkdtemp(prefix="cimstat-chromium-")
        to_read, self.to_write = os.pipe()
        self.to_read, to_write = os.pipe()

        def place_pipes():  # Chromium reads commands from 3 and writes answers to 4
            command, answer = (fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (to_read, to_write))
            os.dup2(command, 3)
            os.dup2(answer, 4)

        self.process = subprocess.Popen(
            [program, *SWITCHES, "--user-data-dir=" + self.folder, "about:blank"],
            close_fds=False, preexec_fn=place_pipes, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(to_write)
        self.pending = b""
        self.number = 0
        self.events = []

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        os.close(self.to_write)
        try:
            os.killpg(self.process.pid, signal.SIGKILL)  # its own session: the helpers as well
        except ProcessLookupError:
            pass
        self.process.wait()
        os.close(self.to_read)
        shutil.rmtree(self.folder, ignore_errors=True)

    def receive(self, seconds):
        """One message, or None where none comes in time."""
        end = time.monotonic() + seconds
        while b"\0" not in self.pending:
            ready, _, _ = select.select([self.to_read], [], [], max(0.0, end - time.monotonic()))
            if not ready:
                return None
            part = os.read(self.to_read, 1 << 20)
            if not part:
                raise RuntimeError("Chromium has ended")
            self.pending += part
        message, self.pending = self.pending.split(b"\0", 1)
        return json.loads(message)

    def send(self, method, session=None, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.to_write, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + 90
        while time.monotonic() < end:
            answer = self.receive(end - time.monotonic())
            if answer is None:
                break
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)
        raise RuntimeError(f"{method}: no answer from Chromium in 90 s")

    def page(self, width=1200, height=900):
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session)
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.send(domain + ".enable")
        page.size(width, height)
        return page


class Page:
    def __init__(self, browser, session):
        self.browser = browser
        self.session = session

    def send(self, method, **parameters):
        return self.browser.send(method, self.session, **parameters)

    def size(self, width, height):
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=False)

    def events(self, method):
        return [event["params"] for event in self.browser.events
                if event.get("sessionId") == self.session and event.get("method") == method]

    def wait_for(self, method, seconds=60):
        end = time.monotonic() + seconds
        while not self.events(method):
            event = self.browser.receive(max(0.0, end - time.monotonic()))
            if event is None:
                raise RuntimeError(f"no {method} in {seconds} s")
            self.browser.events.append(event)

    def open(self, address):
        begin = time.monotonic()
        self.browser.events = []
        self.send("Page.navigate", url=address)
        self.wait_for("Page.loadEventFired")
        return time.monotonic() - begin

    def value(self, expression):
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True,
                           awaitPromise=True, userGesture=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def press(self, key, code=0, modifiers=0):
        for kind in ("rawKeyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=key, code=key,
                      windowsVirtualKeyCode=code, modifiers=modifiers)

    def point_at(self, x, y):
        self.send("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def click(self, selector):
        """With a real pointer, as a reader would."""
        self.value(f"document.querySelector({json.dumps(selector)}).scrollIntoView("
                   "{block: 'center', behavior: 'instant'})")
        box = self.value(f"(({{x, y, width, height}}) => ({{x, y, width, height}}))("
                         f"document.querySelector({json.dumps(selector)}).getBoundingClientRect())")
        at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2,
              "button": "left", "clickCount": 1}
        self.send("Input.dispatchMouseEvent", type="mousePressed", **at)
        self.send("Input.dispatchMouseEvent", type="mouseReleased", **at)
