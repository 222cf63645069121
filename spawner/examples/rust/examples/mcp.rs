//! Starts an MCP server on stdio and calls its tool. The server is this program too, with the argument `serve`.

use std::sync::Arc;
use std::{env, fs, io, process};

use oomexec_spawner::Launch;
use rmcp::model::{
    CallToolRequestParam, CallToolResult, Content, ListToolsResult, PaginatedRequestParam,
    ServerCapabilities, ServerInfo, Tool,
};
use rmcp::service::RequestContext;
use rmcp::transport::{TokioChildProcess, stdio};
use rmcp::{ErrorData, RoleServer, ServerHandler, ServiceExt};
use tokio::process::Command;

type Error = Box<dyn std::error::Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    match env::args().nth(1).as_deref() {
        Some("serve") => serve().await,
        _ => gateway().await,
    }
}

async fn gateway() -> Result<(), Error> {
    let mut prepared = Launch::new(env::current_exe()?).arg("serve").prepare();
    let transport =
        prepared.spawn_with(|it| TokioChildProcess::new(Command::from(it.command())))?;
    let pid = transport.id().expect("it runs");
    let client = ().serve(transport).await?;

    let tools = client.list_all_tools().await?;
    let call = CallToolRequestParam {
        name: tools[0].name.clone(),
        arguments: None,
    };
    let answer = client.call_tool(call).await?;
    let text = answer.content[0].as_text().expect("text");
    println!("its tool {} says: {}", tools[0].name, text.text);
    println!("gateway {}: {}", process::id(), score_of("self")?);
    let score = score_of(&pid.to_string())?;
    println!("child {pid}: {score}, by {}", prepared.via);

    client.cancel().await?;
    Ok(())
}

async fn serve() -> Result<(), Error> {
    Server.serve(stdio()).await?.waiting().await?;
    Ok(())
}

/// A server with one tool, which returns the server's score.
struct Server;

impl ServerHandler for Server {
    fn get_info(&self) -> ServerInfo {
        ServerInfo {
            capabilities: ServerCapabilities::builder().enable_tools().build(),
            ..ServerInfo::default()
        }
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParam>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let no_arguments = serde_json::json!({ "type": "object" });
        let schema = no_arguments.as_object().expect("an object").clone();
        let tool = Tool::new("score", "Returns the server's score", Arc::new(schema));
        Ok(ListToolsResult::with_all_items(vec![tool]))
    }

    async fn call_tool(
        &self,
        _: CallToolRequestParam,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResult, ErrorData> {
        let score = score_of("self").map_err(|error| {
            let text = format!("the score cannot be read: {error}");
            ErrorData::internal_error(text, None)
        })?;
        Ok(CallToolResult::success(vec![Content::text(score)]))
    }
}

fn score_of(process: &str) -> io::Result<String> {
    let score = fs::read_to_string(format!("/proc/{process}/oom_score_adj"))?;
    Ok(score.trim().to_owned())
}
