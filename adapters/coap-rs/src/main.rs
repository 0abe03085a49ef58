// SPDX-License-Identifier: BSD-2-Clause
//! Speaks the protocol of docs/plugins.md; coap-rs does everything that has to do with CoAP.

mod client;
mod protocol;
mod resource;
mod server;
mod text;
mod wish;

use protocol::{say, Arguments, Failure, Lines, Start};
use serde_json::{json, Value};
use std::process::ExitCode;

const STACK: &str = "coap-rs";
/// What Cargo.toml pins with `=`; Cargo tells a program only its own version.
const VERSION: &str = "0.29.0";

/// What a role has to be able to do.
trait Node {
    fn command(&mut self, verb: &str, arguments: &Arguments) -> Result<(), Failure>;
    fn stop(&mut self);
}

#[derive(Default)]
struct Session {
    node: Option<Box<dyn Node>>,
}

fn node_of(start: Start) -> Result<Box<dyn Node>, Failure> {
    match start.role.as_str() {
        "server" => Ok(Box::new(server::Server::new(start)?)),
        "client" => Ok(Box::new(client::Client::new(start)?)),
        role => Err(Failure::refused(format!("role {role} is not known"))),
    }
}

impl Session {
    /// Returns whether that was the end.
    fn start(&mut self, members: &Value) -> bool {
        if self.node.is_some() {
            protocol::complain("start: started already");
            return false;
        }
        match Start::new(members).and_then(node_of) {
            Ok(node) => self.node = Some(node),
            Err(failure) => {
                protocol::complain(&failure.why);
                say("refused", json!(failure.why));
                return true;
            }
        }
        say(
            "ready",
            json!({"protocol": 1, "stack": STACK, "version": VERSION, "adapter": "1"}),
        );
        false
    }

    fn carry_out(&mut self, command: &Value) -> Result<(), Failure> {
        let verb = command["verb"]
            .as_str()
            .ok_or_else(|| Failure::bad_argument("a command has a verb".into()))?;
        let arguments = Arguments::new(verb, &command["arguments"])?;
        match &mut self.node {
            None => Err(Failure::refused("not started".into())),
            Some(node) => node.command(verb, &arguments),
        }
    }

    fn command(&mut self, line: &Value) {
        match (line["command"].is_object(), line["id"].as_i64()) {
            (true, Some(id)) => protocol::reply(id, self.carry_out(&line["command"])),
            _ => protocol::complain("a command is an object and has an id"),
        }
    }

    /// Carries out one line of Chorus; returns whether it was the last.
    fn line(&mut self, text: &str) -> Result<bool, String> {
        let line: Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
        let members = line.as_object().ok_or("no JSON object")?;
        if members.contains_key("stop") {
            return Ok(true);
        }
        if let Some(start) = members.get("start") {
            return Ok(self.start(start));
        }
        if !members.contains_key("command") {
            return Err("neither start, command nor stop".into());
        }
        self.command(&line);
        Ok(false)
    }

    fn run(&mut self, lines: &mut Lines) -> std::io::Result<()> {
        while let Some(text) = lines.next()? {
            let over = match text {
                Ok(text) if text.trim().is_empty() => Ok(false),
                Ok(text) => self.line(&text),
                Err(why) => Err(why),
            };
            match over {
                Ok(true) => break,
                Ok(false) => (),
                Err(why) => protocol::complain(&format!("line {}: {why}", lines.number())),
            }
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments == ["--version"] {
        println!("{VERSION}");
        return ExitCode::SUCCESS;
    }
    if !arguments.is_empty() {
        eprintln!("usage: adapter [--version]");
        return ExitCode::from(2);
    }
    let mut session = Session::default();
    let outcome = session.run(&mut Lines::new(std::io::stdin().lock()));
    if let Some(node) = &mut session.node {
        node.stop();
    }
    if let Err(why) = outcome {
        protocol::complain(&why.to_string());
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
