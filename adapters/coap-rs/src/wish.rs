// SPDX-License-Identifier: BSD-2-Clause
//! What a request command asks for, made into a request of coap-rs.

use crate::protocol::{Arguments, Failure};
use crate::text;
use coap::request::RequestBuilder;
use coap_lite::{CoapOption, CoapRequest, RequestType};
use std::net::SocketAddr;
use std::time::Duration;

const GROUP_PATIENCE: Duration = Duration::from_secs(20);
const UNICAST_PATIENCE: Duration = Duration::from_secs(93);
const PAYLOAD_MAX: usize = 1024;
const NO_RESPONSE: u16 = 258;
const KNOWN: [&str; 13] = [
    "id",
    "uri",
    "method",
    "type",
    "payload",
    "payload-hex",
    "token",
    "no-response",
    "accept",
    "content-format",
    "observe",
    "option",
    "timeout",
];

#[derive(Clone)]
pub struct Wish {
    pub id: String,
    pub to: SocketAddr,
    pub path: String,
    pub timeout: Duration,
    pub confirmable: bool,
    pub observe: bool,
    pub request: CoapRequest<SocketAddr>,
}

fn percent_decoded(text: &str) -> Result<Vec<u8>, Failure> {
    let wrong = || Failure::bad_argument(format!("uri: {text:?} has a % that begins nothing"));
    let octets = text.as_bytes();
    let mut plain = Vec::with_capacity(octets.len());
    let mut i = 0;
    while i < octets.len() {
        if octets[i] == b'%' {
            let digits = text.get(i + 1..i + 3).ok_or_else(wrong)?;
            plain.push(u8::from_str_radix(digits, 16).map_err(|_| wrong())?);
            i += 3;
        } else {
            plain.push(octets[i]);
            i += 1;
        }
    }
    Ok(plain)
}

fn split_uri(uri: &str) -> Result<(SocketAddr, Vec<Vec<u8>>, Vec<Vec<u8>>), Failure> {
    if uri.starts_with("coaps://") {
        return Err(Failure::refused("uri: there is no DTLS".into()));
    }
    let rest = uri
        .strip_prefix("coap://")
        .ok_or_else(|| Failure::bad_argument(format!("uri: {uri:?} is no coap URI")))?;
    let (rest, query) = rest
        .split_once('?')
        .map_or((rest, None), |(a, b)| (a, Some(b)));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let to = text::endpoint("uri", &authority.replace("%25", "%"))?;
    let parts = |text: &str, mark| {
        text.split(mark)
            .map(percent_decoded)
            .collect::<Result<Vec<_>, _>>()
    };
    let path = if path.is_empty() {
        Vec::new()
    } else {
        parts(path, '/')?
    };
    Ok((to, path, query.map_or(Ok(Vec::new()), |q| parts(q, '&'))?))
}

fn method(name: Option<&str>) -> Result<RequestType, Failure> {
    match name.unwrap_or("GET") {
        "GET" => Ok(RequestType::Get),
        "POST" => Ok(RequestType::Post),
        "PUT" => Ok(RequestType::Put),
        "DELETE" => Ok(RequestType::Delete),
        "FETCH" => Ok(RequestType::Fetch),
        "PATCH" => Ok(RequestType::Patch),
        "iPATCH" => Ok(RequestType::IPatch),
        other => Err(Failure::bad_argument(format!(
            "method: {other:?} is not known"
        ))),
    }
}

fn confirmable(name: Option<&str>, group: bool) -> Result<bool, Failure> {
    match name.unwrap_or("auto") {
        "auto" => Ok(!group),
        "CON" => Ok(true),
        "NON" => Ok(false),
        other => Err(Failure::bad_argument(format!(
            "type: {other:?} is none of auto, NON, CON"
        ))),
    }
}

fn payload(arguments: &Arguments) -> Result<Option<Vec<u8>>, Failure> {
    let payload = match (
        arguments.optional("payload"),
        arguments.optional("payload-hex"),
    ) {
        (Some(_), Some(_)) => {
            return Err(Failure::bad_argument(
                "payload and payload-hex: only one of them".into(),
            ))
        }
        (Some(text), None) => Some(text.as_bytes().to_vec()),
        (None, Some(hex)) => Some(text::octets("payload-hex", hex)?),
        (None, None) => None,
    };
    match payload {
        Some(p) if p.len() > PAYLOAD_MAX => {
            Err(Failure::too_large(format!("payload: {} octets", p.len())))
        }
        other => Ok(other),
    }
}

fn options(arguments: &Arguments) -> Result<Vec<(u16, Vec<u8>)>, Failure> {
    let mut found = Vec::new();
    for (name, value) in &arguments.pairs {
        let number = |max| text::number(name, value, max).map(text::option_uint);
        match name.as_str() {
            "no-response" => found.push((NO_RESPONSE, number(255)?)),
            "accept" => found.push((CoapOption::Accept.into(), number(65535)?)),
            "content-format" => found.push((CoapOption::ContentFormat.into(), number(65535)?)),
            "option" => {
                let (number, hex) = value.split_once('=').ok_or_else(|| {
                    Failure::bad_argument(format!("option: {value:?} is not number=hex"))
                })?;
                found.push((
                    text::number(name, number, 65535)? as u16,
                    text::octets(name, hex)?,
                ));
            }
            _ => (),
        }
    }
    Ok(found)
}

fn token(arguments: &Arguments) -> Result<Option<Vec<u8>>, Failure> {
    match arguments
        .optional("token")
        .map(|hex| text::octets("token", hex))
    {
        None => Ok(None),
        Some(Ok(token)) if token.len() <= 8 => Ok(Some(token)),
        Some(Ok(token)) => Err(Failure::bad_argument(format!(
            "token: {} octets are too many",
            token.len()
        ))),
        Some(Err(failure)) => Err(failure),
    }
}

impl Wish {
    pub fn new(arguments: &Arguments) -> Result<Self, Failure> {
        arguments.only(&KNOWN)?;
        let id = arguments.needed("id")?.to_string();
        let (to, path, query) = split_uri(arguments.needed("uri")?)?;
        let group = to.ip().is_multicast();
        let confirmable = confirmable(arguments.optional("type"), group)?;
        let observe = match arguments.optional("observe") {
            None => None,
            Some(value) => Some(text::number("observe", value, 1)?),
        };
        let timeout = match arguments.optional("timeout") {
            Some(value) => text::duration("timeout", value)?,
            None if group => GROUP_PATIENCE,
            None => UNICAST_PATIENCE,
        };
        let full = path_text(&path, &query);
        let mut request = RequestBuilder::new("", method(arguments.optional("method"))?)
            .queries(query)
            .data(payload(arguments)?)
            .confirmable(confirmable)
            .token(token(arguments)?)
            .build();
        for segment in path {
            request.message.add_option(CoapOption::UriPath, segment);
        }
        for (number, value) in options(arguments)? {
            request.message.add_option(CoapOption::from(number), value);
        }
        if let Some(value) = observe {
            request.message.set_observe_value(value);
        }
        Ok(Wish {
            id,
            to,
            path: full,
            timeout,
            confirmable,
            observe: observe == Some(0),
            request,
        })
    }

    pub fn group(&self) -> bool {
        self.to.ip().is_multicast()
    }
}

fn path_text(path: &[Vec<u8>], query: &[Vec<u8>]) -> String {
    let join = |parts: &[Vec<u8>], mark: u8| {
        let joined: Vec<u8> = parts.join(&mark);
        String::from_utf8_lossy(&joined).into_owned()
    };
    let path = format!("/{}", join(path, b'/'));
    if query.is_empty() {
        return path;
    }
    format!("{path}?{}", join(query, b'&'))
}
