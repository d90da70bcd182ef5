"""The product as a person meets it: a real window, typed into; an answer; a crash in the middle of another; a new start.

usage: first_light_test.py PALUKU PALUKU_CLI [unittest arguments]
Needs a display with a window manager in $DISPLAY and xdotool. Screenshots go to $PALUKU_SCREENSHOTS when it is set.
"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

PALUKU, CLI = sys.argv[1:3]
QUESTION = "What is Paluku?"
LONG_QUESTION = "How do I add a model file?"


def wait_for(what, condition, seconds=60.0):
    """The first true value of condition(), looked at every 50 ms; fails after `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds} s in vain for {what}")


def xdotool(*arguments):
    return subprocess.run(["xdotool", *map(str, arguments)], capture_output=True, text=True).stdout.split()


class Window:
    """One run of the program with its window."""

    def __init__(self, data, **environment):
        self.process = subprocess.Popen([PALUKU, "--data-dir", str(data)], env={**os.environ, **environment},
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.id = wait_for("the window", lambda: xdotool("search", "--onlyvisible", "--pid", self.process.pid))[-1]
        self.focus()

    def focus(self):
        """Real key events go to the window that has the focus; those sent to a window by name miss the shortcuts."""
        xdotool("windowactivate", "--sync", self.id)

    def type(self, text):
        self.focus()
        xdotool("type", "--delay", 15, text)

    def key(self, name):
        self.focus()
        xdotool("key", name)

    def run_a_little(self):
        """Lets the program run for a moment and leaves it stopped."""
        self.process.send_signal(signal.SIGCONT)
        time.sleep(0.004)
        self.process.send_signal(signal.SIGSTOP)

    def screenshot(self, name):
        folder = os.environ.get("PALUKU_SCREENSHOTS")
        if folder:
            pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
            subprocess.run(["import", "-window", self.id, f"{folder}/{name}.png"], check=False)

    def close(self):
        self.key("ctrl+q")
        try:
            return self.process.wait(20)
        finally:
            self.kill()

    def kill(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        self.process.stderr.close()


class FirstLight(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.data = pathlib.Path(scratch.name) / "data"

    def start(self, **environment):
        window = Window(self.data, **environment)
        self.addCleanup(window.kill)
        return window

    def stored(self):
        """Every message of the newest conversation."""
        def ask(*arguments):
            done = subprocess.run([CLI, "--json", "--data-dir", str(self.data), *arguments], capture_output=True,
                                  text=True)
            return json.loads(done.stdout) if done.returncode == 0 else {}
        listed = ask("conversations", "list").get("conversations") or []
        return ask("conversations", "show", listed[0]["id"]).get("messages", []) if listed else []

    def answered(self, count):
        messages = self.stored()
        done = len(messages) == count and messages[-1]["state"] == "complete"
        return messages if done else None

    def test_a_question_is_answered_and_kept_through_a_crash(self):
        window = self.start()
        window.type(QUESTION)
        window.key("Return")
        first = wait_for("the first answer", lambda: self.answered(2))
        self.assertEqual(first[0]["text"], QUESTION)
        # The window draws its answer: each that the model has for the question names the program, in either script.
        self.assertRegex(first[1]["text"], "Paluku|పలుకు")
        window.screenshot("answered")
        self.assertEqual(window.close(), 0)
        self.assertEqual(self.stored(), first)

        # The slow reference arithmetic, in slices of a few milliseconds, leaves time to look at the database and to
        # pull the plug in the middle of an answer.
        window = self.start(PALUKU_BACKEND="reference")
        window.screenshot("reopened")
        window.key("ctrl+n")
        window.type(LONG_QUESTION)
        window.key("Return")

        def half_written():
            messages = self.stored()
            good = len(messages) == 2 and messages[1]["state"] == "streaming" and len(messages[1]["text"]) > 10
            return messages if good and messages[0]["text"] == LONG_QUESTION else None
        acknowledged = wait_for("part of an answer", lambda: window.run_a_little() or half_written(), 120)
        window.kill()

        window = self.start()
        cut = wait_for("the cut answer", lambda: [m for m in self.stored() if m["state"] == "interrupted"])
        self.assertTrue(cut[0]["text"].startswith(acknowledged[1]["text"]))
        self.assertEqual(self.stored()[0]["text"], LONG_QUESTION)
        window.key("ctrl+Next")  # opens the newest conversation
        time.sleep(1)
        window.screenshot("interrupted")
        self.assertEqual(window.close(), 0)


if __name__ == "__main__":
    if not os.environ.get("DISPLAY"):
        print("SKIPPED: no display")
        sys.exit(77)
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[3:]])
