"""Playwright launches a browser through a link to oomexec.

Playwright's `executable_path` is one file, and Playwright's arguments follow it: there is no room
for oomexec's own arguments. So the name of the link holds them: `oomexec--pin@chromium` runs
`oomexec --pin -- chromium`, and oomexec searches PATH for chromium.
"""

import os
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from oomexec import find_oomexec


def score_of(pid: int) -> str:
    return Path(f"/proc/{pid}/oom_score_adj").read_text().strip()


def pid_of(browser: Browser) -> int:
    """Asks the browser for its pid, which Playwright does not tell."""
    answer = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")
    (pid,) = (one["id"] for one in answer["processInfo"] if one["type"] == "browser")
    return int(pid)


oomexec = find_oomexec().path
if oomexec is None:
    raise FileNotFoundError("oomexec was not found")
with tempfile.TemporaryDirectory() as directory, sync_playwright() as playwright:
    # pin: Chromium sets scores of its own.
    link = Path(directory, "oomexec--pin@chromium")
    link.symlink_to(oomexec)
    browser = playwright.chromium.launch(
        executable_path=link,
        # Chromium refuses to sandbox root.
        chromium_sandbox=os.getuid() != 0,
    )
    page = browser.new_page()
    page.set_content("<title>hello</title>")
    print(f"the page's title: {page.title()}")
    print(f"gateway {os.getpid()}: {score_of(os.getpid())}")
    pid = pid_of(browser)
    print(f"child {pid}: {score_of(pid)}, by oomexec")
    browser.close()
