"""Installs a Jupyter kernel that oomexec starts, and runs code in it.

A kernel is a file, kernel.json, that says what to start. Jupyter puts the whole path of Python only
where `python` comes first, so here it must be written out.
"""

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import start_new_kernel

from oomexec import find_oomexec

oomexec = find_oomexec().path
if oomexec is None:
    raise FileNotFoundError("oomexec was not found")
KERNEL = {
    "argv": [oomexec, "--", sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
    "display_name": "Python 3 (ends first where memory runs out)",
    "language": "python",
}
CODE = "import os; print(os.getpid(), open('/proc/self/oom_score_adj').read())"

with tempfile.TemporaryDirectory() as directory:
    # `jupyter --paths` lists the directories: ~/.local/share/jupyter/kernels is the user's own.
    os.environ["JUPYTER_DATA_DIR"] = directory
    kernel = Path(directory, "kernels/oomexec/kernel.json")
    kernel.parent.mkdir(parents=True)
    kernel.write_text(json.dumps(KERNEL))
    assert "oomexec" in KernelSpecManager().find_kernel_specs()

    manager, client = start_new_kernel(kernel_name="oomexec")
    said: list[str] = []

    def listen(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream":
            said.append(message["content"]["text"])

    client.execute_interactive(CODE, output_hook=listen)
    pid, score = "".join(said).split()
    print(f"gateway {os.getpid()}: {Path('/proc/self/oom_score_adj').read_text().strip()}")
    print(f"child {pid}: {score}, by oomexec")
    client.stop_channels()
    manager.shutdown_kernel()
