"""Starts an MCP server on stdio and calls its tool."""

import asyncio
import sys
from pathlib import Path

from mcp import Client
from mcp.client.stdio import StdioServerParameters, get_default_environment, stdio_client
from mcp_types import TextContent

from oomexec import prepare

SERVER = Path(__file__).with_name("mcp_server.py")


async def main() -> None:
    # Always pass env: without it prepare() assumes the gateway's whole environment, which the SDK
    # does not give to servers.
    prepared = prepare(sys.executable, [SERVER], env=get_default_environment())
    parameters = StdioServerParameters(
        command=prepared.command, args=prepared.args, env=prepared.env
    )
    async with Client(stdio_client(parameters)) as client:
        result = await client.call_tool("score", {})
        (content,) = result.content
        assert isinstance(content, TextContent)
        print(f"{content.text}, by {prepared.via}")


asyncio.run(main())
