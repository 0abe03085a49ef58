// SPDX-License-Identifier: BSD-2-Clause
//! Lines in and out.

use crate::text;
use coap_lite::{MessageClass, MessageType, Packet};
use serde_json::{json, Map, Value};
use std::io::{BufRead, Read, StdinLock, Write};
use std::net::IpAddr;

/// The longest line of the protocol, in octets.
const MAX_LINE: u64 = 256 * 1024;

/// Why a command was not carried out: a status of docs/plugins.md and a sentence.
#[derive(Debug)]
pub struct Failure {
    pub status: &'static str,
    pub why: String,
}

impl Failure {
    pub fn unsupported(why: String) -> Self {
        Failure {
            status: "unsupported",
            why,
        }
    }

    pub fn bad_argument(why: String) -> Self {
        Failure {
            status: "bad-argument",
            why,
        }
    }

    pub fn refused(why: String) -> Self {
        Failure {
            status: "refused",
            why,
        }
    }

    pub fn too_large(why: String) -> Self {
        Failure {
            status: "too-large",
            why,
        }
    }
}

pub fn complain(text: &str) {
    eprintln!("coap-rs adapter: {text}");
}

fn line(value: &Value) {
    let mut out = std::io::stdout().lock();
    // When Chorus is gone the end of standard input comes, too.
    let _ = writeln!(out, "{value}").and_then(|()| out.flush());
}

pub fn say(name: &str, value: Value) {
    line(&json!({ name: value }));
}

pub fn reply(id: i64, outcome: Result<(), Failure>) {
    match outcome {
        Ok(()) => line(&json!({"reply": id, "status": "ok"})),
        Err(f) => line(&json!({"reply": id, "status": f.status, "why": f.why})),
    }
}

/// An application event of docs/events.md; members that say nothing are left out.
pub struct Event(Map<String, Value>);

impl Event {
    pub fn new(name: &str) -> Self {
        Event(Map::from_iter([("event".to_string(), json!(name))]))
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        if !value.is_empty() {
            self.0.insert(name.to_string(), json!(value));
        }
        self
    }

    pub fn number(mut self, name: &str, value: u64) -> Self {
        self.0.insert(name.to_string(), json!(value));
        self
    }

    pub fn payload(self, octets: &[u8]) -> Self {
        self.with("payload", &text::hex(octets))
    }

    pub fn group(mut self, yes: bool) -> Self {
        if yes {
            self.0.insert("group".to_string(), json!(true));
        }
        self
    }

    /// What is known of the message that the event is about.
    pub fn message(self, message: &Packet) -> Self {
        self.number("mid", message.header.message_id.into())
            .with("token", &text::hex(message.get_token()))
            .with("type", type_text(message.header.get_type()))
            .with("code", &code_text(message.header.code))
            .payload(&message.payload)
    }

    pub fn say(self) {
        say("event", Value::Object(self.0));
    }
}

pub fn type_text(kind: MessageType) -> &'static str {
    match kind {
        MessageType::Confirmable => "CON",
        MessageType::NonConfirmable => "NON",
        MessageType::Acknowledgement => "ACK",
        MessageType::Reset => "RST",
    }
}

pub fn code_text(code: MessageClass) -> String {
    text::code(u8::from(code))
}

/// The arguments of a command: pairs of name and value in the order given.
pub struct Arguments {
    verb: String,
    pub pairs: Vec<(String, String)>,
}

impl Arguments {
    pub fn new(verb: &str, list: &Value) -> Result<Self, Failure> {
        let malformed = || {
            Failure::bad_argument(format!(
                "{verb}: an argument is a name and a value, both text"
            ))
        };
        let mut pairs = Vec::new();
        let empty = Vec::new();
        let list = if list.is_null() {
            &empty
        } else {
            list.as_array().ok_or_else(malformed)?
        };
        for pair in list {
            match pair.as_array().map(Vec::as_slice) {
                Some([Value::String(name), Value::String(value)]) => {
                    pairs.push((name.clone(), value.clone()))
                }
                _ => return Err(malformed()),
            }
        }
        Ok(Arguments {
            verb: verb.to_string(),
            pairs,
        })
    }

    /// Makes sure that there is nothing else than the names given.
    pub fn only(&self, names: &[&str]) -> Result<(), Failure> {
        match self
            .pairs
            .iter()
            .find(|(name, _)| !names.contains(&name.as_str()))
        {
            None => Ok(()),
            Some((name, _)) => Err(Failure::unsupported(format!(
                "{}: argument {name:?} is not known",
                self.verb
            ))),
        }
    }

    pub fn optional(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .rev()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn needed(&self, name: &str) -> Result<&str, Failure> {
        self.optional(name)
            .ok_or_else(|| Failure::bad_argument(format!("{}: {name} is needed", self.verb)))
    }
}

/// The start message, as far as this adapter makes use of it.
#[derive(Clone)]
pub struct Start {
    pub role: String,
    pub addresses: Vec<IpAddr>,
    pub interface: u32,
    pub port: u16,
    pub groups: Vec<String>,
    pub discovery: bool,
    pub group_hop_limit: u32,
    pub resources: Option<Map<String, Value>>,
}

impl Start {
    pub fn new(members: &Value) -> Result<Self, Failure> {
        if members["protocol"] != 1 {
            let asked = &members["protocol"];
            return Err(Failure::refused(format!(
                "protocol {asked} is not known, only 1"
            )));
        }
        let mut addresses = Vec::new();
        for address in texts(members, "addresses") {
            addresses.push(text::address("addresses", &address)?);
        }
        if addresses.is_empty() {
            return Err(Failure::refused("addresses: there is none".into()));
        }
        let interface = members["interface"].as_str().unwrap_or_default();
        let index = nix::net::if_::if_nametoindex(interface)
            .map_err(|e| Failure::refused(format!("interface {interface:?}: {e}")))?;
        let number = |name: &str| members[name].as_u64().unwrap_or(0);
        Ok(Start {
            role: members["role"].as_str().unwrap_or_default().to_string(),
            addresses,
            interface: index,
            port: number("port") as u16,
            groups: texts(members, "groups"),
            discovery: members["discovery"].as_bool().unwrap_or(true),
            group_hop_limit: number("group_hop_limit") as u32,
            resources: members["resources"].as_object().cloned(),
        })
    }
}

pub fn texts(members: &Value, name: &str) -> Vec<String> {
    let list = members[name]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    list.iter()
        .filter_map(|item| item.as_str().map(str::to_string))
        .collect()
}

/// Lines of at most 256 KiB, counted, so that complaints can name them.
pub struct Lines {
    input: StdinLock<'static>,
    number: usize,
}

impl Lines {
    pub fn new(input: StdinLock<'static>) -> Self {
        Lines { input, number: 0 }
    }

    pub fn number(&self) -> usize {
        self.number
    }

    /// The next line, or None at the end; what is wrong with a line is inside.
    pub fn next(&mut self) -> std::io::Result<Option<Result<String, String>>> {
        self.number += 1;
        let mut octets = Vec::new();
        if self
            .input
            .by_ref()
            .take(MAX_LINE + 1)
            .read_until(b'\n', &mut octets)?
            == 0
        {
            return Ok(None);
        }
        if octets.len() as u64 > MAX_LINE && !octets.ends_with(b"\n") {
            self.skip()?;
            return Ok(Some(Err("longer than 256 KiB".into())));
        }
        Ok(Some(String::from_utf8(octets).map_err(|e| e.to_string())))
    }

    fn skip(&mut self) -> std::io::Result<()> {
        let mut octets = Vec::new();
        while !octets.ends_with(b"\n") {
            octets.clear();
            if self
                .input
                .by_ref()
                .take(MAX_LINE)
                .read_until(b'\n', &mut octets)?
                == 0
            {
                break;
            }
        }
        Ok(())
    }
}
