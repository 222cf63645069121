//! An MCP server on stdio, started with `rmcp`. The server is the example of this.

mod testenv;

use std::fs;
use std::io;

use oomexec_spawner::{Launch, Prepared, Via, Why};
use rmcp::model::CallToolRequestParam;
use rmcp::service::RunningService;
use rmcp::transport::TokioChildProcess;
use rmcp::{RoleClient, ServiceExt};
use testenv::{
    copy, each_way, example, launch, oomexec, own_score, program_of, runs, score_of, stat_of, until,
};
use tokio::process::Command;

fn server() -> Launch {
    let mut launch = launch(example("mcp"));
    launch.arg("serve");
    launch
}

fn transport(prepared: &mut Prepared) -> io::Result<(TokioChildProcess, u32)> {
    let spawn = |it: &Prepared| TokioChildProcess::new(Command::from(it.command()));
    let transport = prepared.spawn_with(spawn)?;
    let pid = transport.id().expect("it runs");
    Ok((transport, pid))
}

/// Calls the server's tool, which returns the server's score.
async fn ask(client: &RunningService<RoleClient, ()>) -> String {
    let tools = client.list_all_tools().await.expect("it has tools");
    let call = CallToolRequestParam {
        name: tools[0].name.clone(),
        arguments: None,
    };
    let answer = client.call_tool(call).await.expect("it answers");
    answer.content[0].as_text().expect("text").text.clone()
}

#[tokio::test]
async fn a_server_answers_has_the_pid_of_the_child_and_ends_with_its_client() {
    for (via, mut prepared, score) in each_way(&server()) {
        let (transport, pid) = transport(&mut prepared).expect("it starts");
        let client = ().serve(transport).await.expect("it initializes");
        assert_eq!(ask(&client).await, score.to_string(), "{via}");
        assert_eq!(score_of(pid), score, "{via}");
        assert_eq!(score_of("self"), own_score(), "{via}");
        assert_eq!(program_of(pid), example("mcp"), "{via}");
        let parent = stat_of(pid).expect("it runs").parent;
        assert_eq!(parent, std::process::id(), "{via}");

        client.cancel().await.expect("it ends");
        until("it has ended", || (!runs(pid)).then_some(()));
    }
}

#[tokio::test]
async fn a_server_that_does_not_exist_fails_with_the_native_spawn_error() {
    let native = TokioChildProcess::new(Command::new("no-such-mcp-server"));
    let native = native.err().expect("it cannot run").raw_os_error();
    let mut prepared = launch("no-such-mcp-server").oomexec(oomexec()).prepare();
    assert_eq!((prepared.via, prepared.why), (Via::Direct, Why::NotFound));
    let error = transport(&mut prepared).err().expect("it cannot run");
    assert_eq!(error.raw_os_error(), native);
}

#[tokio::test]
async fn a_server_starts_also_if_oomexec_is_removed_meanwhile() {
    let file = std::env::temp_dir().join(format!("oomexec-mcp-{}", std::process::id()));
    copy(&oomexec(), &file);
    let mut prepared = server().oomexec(&file).prepare();
    assert_eq!(prepared.via, Via::Oomexec);
    fs::remove_file(&file).expect("it is removed");
    let (transport, _) = transport(&mut prepared).expect("it starts");
    assert_eq!(prepared.via, Via::Sh);
    let client = ().serve(transport).await.expect("it initializes");
    assert_eq!(ask(&client).await, "1000");
    client.cancel().await.expect("it ends");
}
