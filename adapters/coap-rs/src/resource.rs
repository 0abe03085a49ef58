// SPDX-License-Identifier: BSD-2-Clause
//! Resources as an application keeps them.

use crate::protocol::{texts, Arguments, Event, Failure};
use crate::text;
use serde_json::Value;
use std::time::Duration;

pub const CONTENT: u8 = 0x45;
const CREATED: u8 = 0x41;
const DELETED: u8 = 0x42;
const CHANGED: u8 = 0x44;
const NOT_FOUND: u8 = 0x84;
const NOT_ACCEPTABLE: u8 = 0x86;
const GET: u8 = 1;
const POST: u8 = 2;
const PUT: u8 = 3;
const DELETE: u8 = 4;

#[derive(PartialEq)]
enum Kind {
    State,
    Counter,
    Fixed,
}

pub struct Resource {
    path: String,
    kind: Kind,
    /// Codes of methods.
    pub methods: Vec<u8>,
    pub content_format: Option<u32>,
    pub processing: Duration,
    pub attributes: Vec<(String, String)>,
    initial: Vec<u8>,
    payload: Vec<u8>,
    exists: bool,
    /// What every request gets.
    settled: Option<u8>,
    fixed: Option<u8>,
}

/// A response to be.
pub struct Outcome {
    pub code: u8,
    pub payload: Option<Vec<u8>>,
}

impl Outcome {
    fn bare(code: u8) -> Self {
        Outcome {
            code,
            payload: None,
        }
    }
}

fn methods(path: &str, described: &Value, kind: &Kind) -> Result<Vec<u8>, Failure> {
    let names = texts(described, "methods");
    if names.is_empty() {
        return Ok(match kind {
            Kind::State => vec![GET, PUT],
            Kind::Counter => vec![GET, POST],
            Kind::Fixed => vec![GET, POST, PUT, DELETE],
        });
    }
    let unknown = |name: &str| Failure::refused(format!("{path}: method {name} is not known"));
    names
        .iter()
        .map(|name| text::method(name).ok_or_else(|| unknown(name)))
        .collect()
}

/// The attributes rt, if, ct and whatever else is given as link attributes.
fn attributes(described: &Value) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for name in ["rt", "if"] {
        let value = described[name].as_str().unwrap_or_default();
        if !value.is_empty() {
            found.push((name.into(), value.into()));
        }
    }
    if let Some(format) = described["content_format"].as_u64() {
        found.push(("ct".into(), format.to_string()));
    }
    for item in described["attributes"]
        .as_str()
        .unwrap_or_default()
        .split(';')
    {
        let (name, value) = item.split_once('=').unwrap_or((item, ""));
        if !name.trim().is_empty() && !found.iter().any(|(known, _)| known == name.trim()) {
            found.push((name.trim().into(), value.trim_matches('"').into()));
        }
    }
    found
}

impl Resource {
    pub fn new(path: &str, described: &Value) -> Result<Self, Failure> {
        let kind = match described["kind"].as_str().unwrap_or("state") {
            "state" => Kind::State,
            "counter" => Kind::Counter,
            "fixed" => Kind::Fixed,
            other => {
                return Err(Failure::refused(format!(
                    "{path}: kind {other} is not known"
                )))
            }
        };
        let fixed = match kind {
            Kind::Fixed => Some(text::response_code(
                "code",
                described["code"].as_str().unwrap_or("2.05"),
            )?),
            _ => None,
        };
        let initial = text::octets("payload", described["payload"].as_str().unwrap_or_default())?;
        Ok(Resource {
            path: path.to_string(),
            methods: methods(path, described, &kind)?,
            kind,
            content_format: described["content_format"].as_u64().map(|n| n as u32),
            processing: Duration::from_nanos(described["processing_ns"].as_u64().unwrap_or(0)),
            attributes: attributes(described),
            payload: initial.clone(),
            initial,
            exists: true,
            settled: fixed,
            fixed,
        })
    }

    /// What speaks against running the method at all; the router has asked for the method.
    pub fn against(&self, method: u8, accept: Option<u32>) -> Option<Outcome> {
        if !self.exists && method != PUT && method != DELETE {
            return Some(Outcome::bare(NOT_FOUND));
        }
        match (accept, self.content_format) {
            (Some(a), Some(b)) if method == GET && a != b => Some(Outcome::bare(NOT_ACCEPTABLE)),
            _ => None,
        }
    }

    pub fn run(&mut self, method: u8, given: &[u8]) -> Outcome {
        let created = !self.exists;
        let next = match method {
            _ if self.settled.is_some() || method == GET => {
                let code = self.settled.unwrap_or(CONTENT);
                return Outcome {
                    code,
                    payload: Some(self.payload.clone()),
                };
            }
            DELETE => None,
            POST if self.kind == Kind::Counter => Some(self.next_number()),
            POST => Some([self.payload.as_slice(), given].concat()),
            _ => Some(given.to_vec()),
        };
        let code = if next.is_none() {
            DELETED
        } else if created {
            CREATED
        } else {
            CHANGED
        };
        self.become_this(next, self.settled, "request");
        Outcome::bare(code)
    }

    fn next_number(&self) -> Vec<u8> {
        let count: u64 = String::from_utf8_lossy(&self.payload).parse().unwrap_or(0);
        (count + 1).to_string().into_bytes()
    }

    /// Changes the representation (None: there is none any more) and tells so, if it is another.
    fn become_this(&mut self, next: Option<Vec<u8>>, settled: Option<u8>, detail: &str) {
        let same = match &next {
            None => !self.exists,
            Some(octets) => self.exists && *octets == self.payload,
        };
        if same && settled == self.settled {
            return;
        }
        self.exists = next.is_some();
        self.payload = next.unwrap_or_default();
        self.settled = settled;
        let code = settled.map(text::code).unwrap_or_default();
        Event::new("state")
            .with("path", &self.path)
            .with("detail", detail)
            .with("code", &code)
            .payload(&self.payload)
            .say();
    }

    pub fn restart(&mut self) {
        self.become_this(Some(self.initial.clone()), self.fixed, "restart");
    }

    /// The application changes its resource.
    pub fn set(&mut self, arguments: &Arguments) -> Result<(), Failure> {
        let mut next = self.exists.then(|| self.payload.clone());
        if let Some(payload) = arguments.optional("payload") {
            next = Some(payload.as_bytes().to_vec());
        } else if let Some(hex) = arguments.optional("payload-hex") {
            next = Some(text::octets("payload-hex", hex)?);
        }
        let number =
            |octets: &[u8]| std::str::from_utf8(octets).is_ok_and(|t| t.parse::<u64>().is_ok());
        if self.kind == Kind::Counter && next.as_deref().is_some_and(|octets| !number(octets)) {
            return Err(Failure::bad_argument(
                "payload: a counter is a decimal number".into(),
            ));
        }
        let settled = match arguments.optional("code") {
            None => self.settled,
            Some("auto") => self.fixed,
            Some(code) => Some(text::response_code("code", code)?),
        };
        self.become_this(next, settled, "set");
        Ok(())
    }
}
