// SPDX-License-Identifier: BSD-2-Clause
//! Values as docs/plugins.md and docs/commands.md write them.

use crate::protocol::Failure;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::time::Duration;

pub const PORT: u16 = 5683;
pub const SECURE_PORT: u16 = 5684;
const METHODS: [&str; 8] = [
    "0.00", "GET", "POST", "PUT", "DELETE", "FETCH", "PATCH", "iPATCH",
];

pub fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

pub fn octets(name: &str, text: &str) -> Result<Vec<u8>, Failure> {
    let wrong = || Failure::bad_argument(format!("{name}: {text:?} is not hexadecimal"));
    if text.len() % 2 != 0 || !text.bytes().all(|c| c.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    (0..text.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&text[i..i + 2], 16).map_err(|_| wrong()))
        .collect()
}

pub fn number(name: &str, text: &str, max: u32) -> Result<u32, Failure> {
    match text.parse::<u32>() {
        Ok(n) if n <= max && text.bytes().all(|c| c.is_ascii_digit()) => Ok(n),
        _ => Err(Failure::bad_argument(format!(
            "{name}: {text:?} is no number up to {max}"
        ))),
    }
}

pub fn duration(name: &str, text: &str) -> Result<Duration, Failure> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let unit: Option<u64> = match &text[digits..] {
        "ns" => Some(1),
        "us" => Some(1_000),
        "ms" => Some(1_000_000),
        "s" => Some(1_000_000_000),
        "min" => Some(60_000_000_000),
        "h" => Some(3_600_000_000_000),
        _ => None,
    };
    match (text[..digits].parse::<u32>(), unit) {
        (Ok(n), Some(unit)) => Ok(Duration::from_nanos(u64::from(n).saturating_mul(unit))),
        _ => Err(Failure::bad_argument(format!(
            "{name}: {text:?} is no duration such as 200ms"
        ))),
    }
}

pub fn address(name: &str, text: &str) -> Result<IpAddr, Failure> {
    let (bare, _) = text.split_once('%').unwrap_or((text, ""));
    bare.parse()
        .map_err(|_| Failure::bad_argument(format!("{name}: {text:?} is no address")))
}

/// An address and a port; without a port, 5683.
pub fn endpoint(name: &str, text: &str) -> Result<SocketAddr, Failure> {
    if let Ok(whole) = text.parse() {
        return Ok(whole);
    }
    let bare = text
        .strip_prefix('[')
        .and_then(|t| t.strip_suffix(']'))
        .unwrap_or(text);
    let (bare, zone) = bare.split_once('%').unwrap_or((bare, "0"));
    let ip: Result<IpAddr, _> = bare.parse();
    match (ip, zone.parse::<u32>()) {
        (Ok(IpAddr::V6(ip)), Ok(zone)) => Ok(SocketAddrV6::new(ip, PORT, 0, zone).into()),
        (Ok(ip), Ok(0)) => Ok(SocketAddr::new(ip, PORT)),
        _ => Err(Failure::bad_argument(format!(
            "{name}: {text:?} is no endpoint"
        ))),
    }
}

/// Without the scope of addresses that need none.
pub fn endpoint_text(endpoint: SocketAddr) -> String {
    match endpoint {
        SocketAddr::V6(v6) if !crate::client::is_narrow(v6.ip()) => {
            format!("[{}]:{}", v6.ip(), v6.port())
        }
        _ => endpoint.to_string(),
    }
}

pub fn code(raw: u8) -> String {
    match METHODS.get(usize::from(raw)) {
        Some(method) => (*method).to_string(),
        None => format!("{}.{:02}", raw >> 5, raw & 0x1f),
    }
}

pub fn method(name: &str) -> Option<u8> {
    METHODS
        .iter()
        .skip(1)
        .position(|method| *method == name)
        .map(|i| i as u8 + 1)
}

/// A Response Code such as 5.03.
pub fn response_code(name: &str, text: &str) -> Result<u8, Failure> {
    let numbers = text
        .split_once('.')
        .map(|(class, detail)| (class.parse::<u8>(), detail.parse::<u8>()));
    match numbers {
        Some((Ok(class @ 2..=5), Ok(detail @ 0..=31))) if text.len() == 4 => {
            Ok(class << 5 | detail)
        }
        _ => Err(Failure::bad_argument(format!(
            "{name}: {text:?} is no Response Code such as 5.03"
        ))),
    }
}

/// A number as the value of an option: no leading zeros (RFC 7252, section 3.2).
pub fn option_uint(value: u32) -> Vec<u8> {
    value
        .to_be_bytes()
        .into_iter()
        .skip_while(|octet| *octet == 0)
        .collect()
}
