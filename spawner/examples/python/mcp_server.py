"""An MCP server on stdio with one tool, which tells the scores of the gateway and of itself."""

import os
from pathlib import Path

from mcp.server.mcpserver import MCPServer

server = MCPServer("scores")


@server.tool()
def score() -> str:
    """Tells the scores of the gateway and of this server."""
    scores = [
        f"{who} {pid}: {Path(f'/proc/{pid}/oom_score_adj').read_text().strip()}"
        for who, pid in (("gateway", os.getppid()), ("child", os.getpid()))
    ]
    return "\n".join(scores)


server.run("stdio")
