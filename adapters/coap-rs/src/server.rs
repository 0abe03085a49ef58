// SPDX-License-Identifier: BSD-2-Clause
//! A coap-rs server with its router, on sockets that the application has opened and joined to groups:
//! UdpCoapListener::join_multicast cannot choose the interface of IPv6 groups, and only before the start.

use crate::protocol::{Arguments, Event, Failure, Start};
use crate::resource::{Outcome, Resource};
use crate::{text, Node};
use coap::router::extract::FromRequest;
use coap::router::method_routing::{fallback, MethodRouter};
use coap::router::response::{Response, StatusCode};
use coap::router::{Request, Router};
use coap::server::{Listener, UdpCoapListener};
use coap_lite::{CoapOption, CoapRequest, MessageClass};
use serde_json::{Map, Value};
use socket2::{Domain, InterfaceIndexOrAddress, Protocol, Socket, Type};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::runtime::Runtime;

type Resources = Arc<BTreeMap<String, Mutex<Resource>>>;

/// The whole request: what coap-rs's own extractors give is only parts of it.
struct Whole(CoapRequest<SocketAddr>);

impl<S: Sync> FromRequest<S> for Whole {
    type Rejection = Infallible;

    async fn from_request(request: &Request, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Whole((*request.req).clone()))
    }
}

pub struct Server {
    start: Start,
    resources: Resources,
    runtime: Option<Runtime>,
    /// By IP version and port.
    sockets: BTreeMap<(bool, u16), Socket>,
    joined: Vec<SocketAddr>,
}

/// The standard resources; the setup script puts them beside the program.
fn standard_tree() -> Result<Map<String, Value>, Failure> {
    let wrong = |why: String| Failure::refused(format!("standard resources: {why}"));
    let program = std::env::current_exe().map_err(|e| wrong(e.to_string()))?;
    let text = std::fs::read_to_string(program.with_file_name("tree.json"))
        .map_err(|e| wrong(e.to_string()))?;
    match serde_json::from_str(&text) {
        Ok(Value::Object(tree)) => Ok(tree),
        _ => Err(wrong("no JSON object".into())),
    }
}

impl Server {
    pub fn new(mut start: Start) -> Result<Self, Failure> {
        if start.port == 0 {
            start.port = text::PORT;
        }
        let described = match start.resources.take() {
            Some(resources) => resources,
            None => standard_tree()?,
        };
        let mut resources = BTreeMap::new();
        for (path, what) in &described {
            resources.insert(path.clone(), Mutex::new(Resource::new(path, what)?));
        }
        let mut server = Server {
            start,
            resources: Arc::new(resources),
            runtime: None,
            sockets: BTreeMap::new(),
            joined: Vec::new(),
        };
        server.open()?;
        Ok(server)
    }

    /// Opens a socket per IP version and port: coap-rs's listeners do not change once they listen.
    fn open(&mut self) -> Result<(), Failure> {
        let mut groups = Vec::new();
        for group in &self.start.groups {
            groups.push(text::endpoint("groups", group)?);
        }
        for address in self.start.addresses.clone() {
            self.open_socket((address.is_ipv6(), self.start.port))?;
        }
        for group in &groups {
            self.open_socket((group.is_ipv6(), group.port()))?;
        }
        for group in groups {
            self.join(group)?;
        }
        if self.start.discovery && self.start.port == text::PORT {
            self.join_all_coap_nodes();
        }
        self.serve()
    }

    fn open_socket(&mut self, place: (bool, u16)) -> Result<(), Failure> {
        if self.sockets.contains_key(&place) {
            return Ok(());
        }
        let (six, port) = place;
        let make = || -> std::io::Result<Socket> {
            let domain = if six { Domain::IPV6 } else { Domain::IPV4 };
            let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
            let any: IpAddr = if six {
                Ipv6Addr::UNSPECIFIED.into()
            } else {
                Ipv4Addr::UNSPECIFIED.into()
            };
            if six {
                socket.set_only_v6(true)?;
            }
            socket.set_nonblocking(true)?;
            socket.bind(&SocketAddr::new(any, port).into())?;
            Ok(socket)
        };
        let socket = make().map_err(|e| Failure::refused(format!("port {port}: {e}")))?;
        self.sockets.insert(place, socket);
        Ok(())
    }

    fn serve(&mut self) -> Result<(), Failure> {
        let wrong = |e: std::io::Error| Failure::refused(e.to_string());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(wrong)?;
        let guard = runtime.enter();
        let mut listeners: Vec<Box<dyn Listener>> = Vec::new();
        for socket in self.sockets.values() {
            let copy: std::net::UdpSocket = socket.try_clone().map_err(wrong)?.into();
            let socket = tokio::net::UdpSocket::from_std(copy).map_err(wrong)?;
            listeners.push(Box::new(UdpCoapListener::from_socket(socket)));
        }
        let server = coap::Server::from_listeners(listeners);
        let router = self.router();
        runtime.spawn(async move {
            if let Err(why) = server.serve(router).await {
                crate::protocol::complain(&format!("server: {why}"));
            }
        });
        drop(guard);
        self.runtime = Some(runtime);
        Ok(())
    }

    fn router(&self) -> Router<Resources> {
        let mut router =
            Router::from_state(self.resources.clone()).enable_discovery(self.start.discovery);
        for (path, resource) in self.resources.iter() {
            let resource = resource.lock().unwrap_or_else(|e| e.into_inner());
            router = router.route(path, routes(path, &resource));
        }
        router
    }

    fn close(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_millis(500));
        }
        self.sockets.clear();
        self.joined.clear();
    }

    fn join(&mut self, group: SocketAddr) -> Result<(), Failure> {
        if self.joined.contains(&group) {
            return Ok(());
        }
        if !group.ip().is_multicast() {
            return Err(Failure::bad_argument(format!("group: {group} is none")));
        }
        if group.port() == text::SECURE_PORT {
            return Err(Failure::refused(format!(
                "group: port {} is for DTLS",
                text::SECURE_PORT
            )));
        }
        let socket = self.socket_of(group)?;
        let index = self.start.interface;
        match group.ip() {
            IpAddr::V4(ip) => {
                socket.join_multicast_v4_n(&ip, &InterfaceIndexOrAddress::Index(index))
            }
            IpAddr::V6(ip) => socket.join_multicast_v6(&ip, index),
        }
        .map_err(|e| Failure::refused(format!("group: {group}: {e}")))?;
        self.joined.push(group);
        Event::new("join")
            .with("peer", &text::endpoint_text(group))
            .group(true)
            .say();
        Ok(())
    }

    /// Who offers discovery is there where it is asked for (RFC 7252, section 12.8), unasked and unsaid.
    fn join_all_coap_nodes(&self) {
        for ((six, _), socket) in self
            .sockets
            .iter()
            .filter(|((_, port), _)| *port == text::PORT)
        {
            let index = self.start.interface;
            let everyone = [
                Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfd),
                Ipv6Addr::new(0xff05, 0, 0, 0, 0, 0, 0, 0xfd),
            ];
            // An error here means that the configuration names the group, too.
            if *six {
                for group in everyone {
                    let _ = socket.join_multicast_v6(&group, index);
                }
            } else {
                let group = Ipv4Addr::new(224, 0, 1, 187);
                let _ = socket.join_multicast_v4_n(&group, &InterfaceIndexOrAddress::Index(index));
            }
        }
    }

    fn socket_of(&self, group: SocketAddr) -> Result<&Socket, Failure> {
        self.sockets
            .get(&(group.is_ipv6(), group.port()))
            .ok_or_else(|| {
                Failure::refused(format!(
                    "group: port {} was not open at the start",
                    group.port()
                ))
            })
    }

    fn leave(&mut self, group: SocketAddr) -> Result<(), Failure> {
        let Some(place) = self.joined.iter().position(|joined| *joined == group) else {
            return Err(Failure::bad_argument(format!(
                "group: no member of {group}"
            )));
        };
        let socket = self.socket_of(group)?;
        let index = self.start.interface;
        match group.ip() {
            IpAddr::V4(ip) => {
                socket.leave_multicast_v4_n(&ip, &InterfaceIndexOrAddress::Index(index))
            }
            IpAddr::V6(ip) => socket.leave_multicast_v6(&ip, index),
        }
        .map_err(|e| Failure::refused(format!("group: {group}: {e}")))?;
        self.joined.remove(place);
        Event::new("leave")
            .with("peer", &text::endpoint_text(group))
            .group(true)
            .say();
        Ok(())
    }

    fn set(&mut self, arguments: &Arguments) -> Result<(), Failure> {
        arguments.only(&["path", "payload", "payload-hex", "code"])?;
        let path = arguments.needed("path")?;
        match self.resources.get(path) {
            None => Err(Failure::bad_argument(format!(
                "set: there is no resource {path}"
            ))),
            Some(resource) => resource
                .lock()
                .unwrap_or_else(|e| e.into_inner())
                .set(arguments),
        }
    }

    fn restart(&mut self) -> Result<(), Failure> {
        let joined = self.joined.clone();
        self.close();
        Event::new("restart").say();
        for resource in self.resources.values() {
            resource.lock().unwrap_or_else(|e| e.into_inner()).restart();
        }
        for group in joined {
            Event::new("leave")
                .with("peer", &text::endpoint_text(group))
                .group(true)
                .say();
        }
        self.open()
    }
}

impl Node for Server {
    fn command(&mut self, verb: &str, arguments: &Arguments) -> Result<(), Failure> {
        match verb {
            "set" => self.set(arguments),
            "join" | "leave" => {
                arguments.only(&["group"])?;
                let group = text::endpoint("group", arguments.needed("group")?)?;
                if verb == "join" {
                    self.join(group)
                } else {
                    self.leave(group)
                }
            }
            "restart" => {
                arguments.only(&[])?;
                self.restart()
            }
            _ => Err(Failure::unsupported(format!("verb {verb:?} is not known"))),
        }
    }

    fn stop(&mut self) {
        self.close();
    }
}

/// The handlers of one resource; a method that it does not have gets 4.05.
fn routes(path: &str, resource: &Resource) -> MethodRouter<Resources> {
    let path: Arc<str> = path.into();
    let handler = move |state: coap::router::extract::State<Resources>, whole: Whole| {
        let path = path.clone();
        async move { answer(&state.0[&*path], &path, &whole.0).await }
    };
    let mut routes = fallback(|| async { StatusCode::MethodNotAllowed });
    for method in &resource.methods {
        routes = match method {
            1 => routes.get(handler.clone()),
            2 => routes.post(handler.clone()),
            3 => routes.put(handler.clone()),
            4 => routes.delete(handler.clone()),
            _ => routes, // coap-rs's router has no others
        };
    }
    for (name, value) in &resource.attributes {
        routes = if value.is_empty() {
            routes.link_flag(name)
        } else {
            routes.link_attribute(name, value)
        };
    }
    routes
}

async fn answer(
    resource: &Mutex<Resource>,
    path: &str,
    request: &CoapRequest<SocketAddr>,
) -> Response {
    let (outcome, processing, format) = {
        let mut resource = resource.lock().unwrap_or_else(|e| e.into_inner());
        (
            execute(&mut resource, path, request),
            resource.processing,
            resource.content_format,
        )
    };
    if !processing.is_zero() {
        tokio::time::sleep(processing).await; // coap-rs cannot acknowledge first and respond later
    }
    let MessageClass::Response(code) = MessageClass::from(outcome.code) else {
        return Response::new().set_status_code(StatusCode::InternalServerError);
    };
    let mut response = Response::new().set_status_code(code);
    if let Some(payload) = outcome.payload {
        response = response.set_payload(payload);
        if let Some(format) = format {
            response = response.add_option(CoapOption::ContentFormat, text::option_uint(format));
        }
    }
    response
}

fn execute(resource: &mut Resource, path: &str, request: &CoapRequest<SocketAddr>) -> Outcome {
    let message = &request.message;
    let method = u8::from(message.header.code);
    let accept = message.get_first_option(CoapOption::Accept);
    let accept = accept.map(|octets| octets.iter().fold(0, |n, octet| n << 8 | u32::from(*octet)));
    if let Some(outcome) = resource.against(method, accept) {
        return outcome;
    }
    let mut full = path.to_string();
    for (i, query) in message
        .get_option(CoapOption::UriQuery)
        .into_iter()
        .flatten()
        .enumerate()
    {
        full.push(if i == 0 { '?' } else { '&' });
        full.push_str(&String::from_utf8_lossy(query));
    }
    let peer = request.source.map(text::endpoint_text).unwrap_or_default();
    Event::new("execute")
        .with("path", &full)
        .with("peer", &peer)
        .message(message)
        .say();
    resource.run(method, &message.payload)
}
